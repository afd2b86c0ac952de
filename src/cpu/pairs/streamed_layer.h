// One layer's part of a pass that forms its distances as it goes: errors, sums and gradient of a
// tile at a time, nothing of which is kept.
//
// Owned by StreamedPass, which decides the order of the tiles. run_tile may be called from several
// threads at once for different tasks of one round; everything else belongs to the calling thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "cpu/common/context.h"
#include "cpu/pairs/layer_errors.h"
#include "cpu/pairs/pair_blocks.h"
#include "cpu/pairs/pair_tile.h"
#include "cpu/pairs/tie_map.h"
#include "lpdm/ops.h"

namespace lpdm::cpu {

class StreamedLayer {
 public:
  explicit StreamedLayer(Context& context);

  // Takes up a layer: packs its outputs and looks for the maximum of D_Y.
  // target_dim: the width of the rows whose distances T is made of.
  void prepare(const LocalLoss& op, const LocalLossLayer& spec, std::int64_t target_dim,
               const PairLayout& layout);

  // D_Y between a strip's block (columns) and `block` (rows).
  void form_distances(std::int64_t strip, std::int64_t block, float* distances) const;
  ErrorWeights error_weights() const { return errors_.weights(); }
  // Tells of a distance that may be larger than the largest one known.
  void raise_maximum(float distance) { errors_.raise_maximum(distance); }

  void begin_pass();
  void begin_round(std::size_t tasks);
  // tile: T and the weights are given; D_Y and the coefficients are left there.
  void run_tile(const TilePlace& place, const PairTile& tile);
  void end_round();

  // True when the pass just made was made with the true maximum and knows all pairs that share it;
  // else another pass is to follow.
  bool settle() { return errors_.settle(); }
  // Writes the statistics and the gradient.
  void finish();

 private:
  bool wants_gradient() const { return spec_.delta != nullptr; }
  std::int64_t block_size() const { return panels_of(spec_.out) * kTile * kPanelWidth; }
  void add_gradient(const TilePlace& place, const float* coefficients, const float* row_sums,
                    const float* column_sums);
  void add_float_gradient(const TilePlace& place, const float* coefficients, float* column_gradient,
                          float* row_gradient) const;
  void add_level_gradient(const TilePlace& place, const float* coefficients, const float* row_sums,
                          float* column_gradient, float* row_gradient) const;
  void pack_values();
  void write_gradient();

  Context& context_;
  const LocalLoss* op_ = nullptr;
  const PairLayout* layout_ = nullptr;
  LocalLossLayer spec_;

  LayerErrors errors_;
  PackedBlocks blocks_;
  TieMap ties_;
  Scratch<float> values_;        // (blocks, panels, kTile, kPanelWidth)
  Scratch<float> gradient_;      // like values_; half the gradient where the metric is l1
  Scratch<float> diagonal_;      // (workers, panels, kTile, kPanelWidth): a tile's columns' part
  std::vector<double> offsets_;  // by position; the rest of the gradient, see GradientTile

  std::atomic<bool> stale_ = false;        // a larger distance was seen: the pass will be repeated
  std::vector<LayerErrors::Found> found_;  // (tasks) of the running round
};

}  // namespace lpdm::cpu
