// Forward-error propagation: each layer's own target, from the distances of the previous layer's
// input, enlarged where the previous layer failed (appendix B of the paper).
//
// T of layer l needs E of layer l − 1, hence T of layer l − 1, and so on down to the network input.
// On one tile this chain follows from the tile's distances alone, but for the maxima that normalise
// its links. They are found beforehand, layer after layer, in passes over the pairs that form the
// chain as far as it is known. Nothing of size N×N is kept. With sparse pairs an entry that is not
// kept has no error; it matters to the maxima only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "cpu/common/context.h"
#include "cpu/pairs/input_target.h"
#include "cpu/pairs/pair_tile.h"
#include "cpu/pairs/streamed_layer.h"
#include "lpdm/ops.h"

namespace lpdm::cpu {

class ErrorPropagation {
 public:
  ErrorPropagation(Context& context, WorkerTiles& tiles) : context_(context), tiles_(tiles) {}

  using Layers = std::vector<std::unique_ptr<StreamedLayer>>;
  // Forms the first layer's T, the weights and the network input's distances on a tile.
  using StartTile = std::function<void(std::int64_t strip, std::int64_t block, PairTile& tile)>;

  // Finds the scales of every target; all layers but the last learn their max D_Y. What is passed
  // must live until the last advance.
  void prepare(const LocalLoss& op, const PairLayout& layout, const InputTarget& input,
               const Layers& layers, StartTile start_tile);

  // From one layer to the next on a tile that holds the layer's T, its D_Y as `distances` and its
  // input's distances: afterwards target and input_distances are those of the next layer.
  void advance(std::int64_t layer, std::int64_t strip, std::int64_t block, PairTile& tile) const;

 private:
  // How the target of one layer is made from the layer before.
  struct Link {
    float error_scale = 0.0F;  // 1 / max |E|; 0 where there is no error
    TargetScales scales;
  };

  template <class Form>
  float largest(const Form& form) const;
  float error_scale(std::int64_t layer) const;
  TargetScales target_scales(std::int64_t layer) const;
  void reach(std::int64_t layer, std::int64_t strip, std::int64_t block, PairTile& tile) const;
  void form_error(std::int64_t layer, std::int64_t block, PairTile& tile) const;
  void enlarge(std::int64_t layer, std::int64_t block, PairTile& tile) const;
  StreamedLayer& pass_of(std::int64_t layer) const {
    return *(*layers_)[static_cast<std::size_t>(layer)];
  }

  Context& context_;
  WorkerTiles& tiles_;
  const LocalLoss* op_ = nullptr;
  const PairLayout* layout_ = nullptr;
  const InputTarget* input_ = nullptr;
  const Layers* layers_ = nullptr;
  StartTile start_tile_;
  std::vector<Link> links_;  // (layers), from each layer to the next
};

}  // namespace lpdm::cpu
