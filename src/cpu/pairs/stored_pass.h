// The local loss of all hidden layers where the distances of all kept pairs fit the budget of
// DistanceStore: each is worked out once, and the maximum of D_Y is known before the errors.
//
// Four sweeps, each shared among the threads, for all layers at once: pack the blocks of rows; form
// the distances of each tile; turn them into the gradient's coefficients; form the gradient, which
// is handed out by dimensions, not by tiles. A thread that owns some dimensions of all rows meets
// the tiles in an order of its own and needs no other's result, so the sum that a row ends with
// depends neither on the number of threads nor on how the dimensions were handed out.
//
// The first two sweeps may be made in parts, as rows become known (EarlyDistances).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "cpu/common/context.h"
#include "cpu/pairs/pair_blocks.h"
#include "cpu/pairs/pair_target.h"
#include "cpu/pairs/pair_tile.h"
#include "cpu/pairs/stored_layer.h"
#include "lpdm/ops.h"

namespace lpdm::cpu {

class StoredPass {
 public:
  // Borrows all; target is prepared by run.
  StoredPass(Context& context, PairTarget& target, WorkerTiles& worker_tiles);

  // Whether an op is this pass's business.
  static bool takes(const LocalLoss& op, const PairLayout& layout);
  // Bytes of gradient that all threads together hold at most.
  static double gradient_bytes(double blocks, std::int64_t threads);

  void run(const LocalLoss& op, const PairLayout& layout) {
    begin(op, layout);
    finish(op, layout);
  }

  // run in parts. First the rows that op.layers' outputs will hold; layout: of as many as there may
  // be, none of which need be there yet.
  void begin(const LocalLoss& op, const PairLayout& layout);
  // Then these, for blocks whose rows are all there, from several threads at once; a tile's blocks
  // must be packed. Whoever calls them says how far they have come.
  void pack(const PairLayout& layout, std::int64_t block, int worker);
  void form_distances(const PairLayout& layout, std::int64_t tile);
  void set_packed(std::int64_t blocks) { packed_ = blocks; }
  void set_formed(std::int64_t blocks) { formed_ = blocks; }
  std::int64_t formed() const { return formed_; }
  // The first tile of a block.
  std::int64_t first_tile(std::int64_t block) const {
    return layers_.front()->store().first_tile(block);
  }
  // What is left. layout: of all rows that there are in the end, in the order of begin's.
  void finish(const LocalLoss& op, const PairLayout& layout);

 private:
  using Layers = std::vector<StoredLayer*>;
  // Some panels of a layer.
  struct Share {
    StoredLayer* layer = nullptr;
    std::int64_t first = 0;
    std::int64_t count = 0;
  };

  void pack_rest();
  void form_rest();
  void form_again(const Layers& layers);
  void raise_maxima(const Layers& layers);
  void form_errors(const Layers& layers);
  void write_gradients(const Layers& layers);
  std::vector<Share> share_out(const Layers& layers) const;

  Context& context_;
  PairTarget& target_;
  WorkerTiles& worker_tiles_;
  const PairLayout* layout_ = nullptr;
  std::vector<std::unique_ptr<StoredLayer>> layers_;
  std::size_t layer_count_ = 0;  // of layers_, that the op has
  std::int64_t packed_ = 0;
  std::int64_t formed_ = 0;
  std::vector<float> largest_;             // (tiles, layers): distances
  std::vector<Scratch<float>> gradients_;  // per worker
};

}  // namespace lpdm::cpu
