// One layer's part of a pass over the pairs: its distances, its error sums and its gradient.
//
// Owned by LocalLossPass, which decides the order of the tiles. run_tile may be called from several
// threads at once for different tasks of one round; everything else belongs to the calling thread.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <vector>

#include "cpu/context.h"
#include "cpu/distance_store.h"
#include "cpu/loss_terms.h"
#include "cpu/near_maxima.h"
#include "cpu/pair_blocks.h"
#include "cpu/pair_tile.h"
#include "cpu/pairwise_error.h"
#include "cpu/tie_map.h"
#include "lpdm/ops.h"

namespace lpdm::cpu {

// E = target · T − distance · D.
struct ErrorWeights {
  float target = 0.0F;    // s_T
  float output = 0.0F;    // s_Y
  float distance = 0.0F;  // s_Y / max D
};

class LayerPass {
 public:
  explicit LayerPass(Context& context);

  // Takes up a layer: packs its outputs and looks for the maximum of D_Y, which is certain where
  // the distances are stored.
  // target_dim: the width of the rows whose distances T is made of.
  void prepare(const LocalLoss& op, const LocalLossLayer& spec, std::int64_t target_dim,
               const PairLayout& layout, bool store_distances);

  // D_Y between a strip's block (columns) and `block` (rows).
  void form_distances(std::int64_t strip, std::int64_t block, float* distances) const;
  ErrorWeights error_weights() const;
  // Tells of a distance that may be larger than the largest one known.
  void raise_maximum(float distance) { maximum_ = std::max(maximum_, distance); }

  void begin_pass();
  void begin_round(std::size_t tasks);
  // tile: T and the weights are given; the coefficients are left there, and D_Y if it is not
  // stored.
  void run_tile(const TilePlace& place, const PairTile& tile);
  void end_round();

  // True when the pass just made was made with the true maximum and knows all pairs that share it;
  // else another pass is to follow.
  bool settle();
  // Writes the statistics and the gradient.
  void finish();

 private:
  // What one task found.
  struct Found {
    PairSums sums;
    NearMaxima maxima;
    std::vector<std::uint8_t> ties;  // (panels), scratch
  };

  const float* distances_of(const TilePlace& place, const PairTile& tile) const;
  bool wants_gradient() const { return spec_.delta != nullptr; }
  std::int64_t block_size() const { return panels_of(spec_.out) * kTile * kPanelWidth; }
  void add_diagonal(std::int64_t strip, const float* target, PairSums& sums) const;
  void list_maxima(const TilePlace& place, const float* distances, Found& found) const;
  void add_gradient(const TilePlace& place, const float* coefficients, const float* row_sums,
                    const float* column_sums);
  void add_float_gradient(const TilePlace& place, const float* coefficients, float* column_gradient,
                          float* row_gradient);
  void add_level_gradient(const TilePlace& place, const float* coefficients, const float* row_sums,
                          float* column_gradient, float* row_gradient) const;
  void pack_values();
  void write_gradient();

  Context& context_;
  const LocalLoss* op_ = nullptr;
  const PairLayout* layout_ = nullptr;
  LocalLossLayer spec_;
  LossWeights weights_;
  float maximum_ = 0.0F;              // max D_Y, as far as known
  double maximum_coefficient_ = 0.0;  // E-units, for every pair at the maximum; 0: listed instead

  PackedBlocks blocks_;
  DistanceStore distances_;
  TieMap ties_;
  Scratch<float> values_;        // (blocks, panels, kTile, kPanelWidth)
  Scratch<float> gradient_;      // like values_; half the gradient where the metric is l1
  Scratch<float> diagonal_;      // (workers, panels, kTile, kPanelWidth): a tile's columns' part
  std::vector<double> offsets_;  // by position; the rest of the gradient, see GradientTile

  std::atomic<bool> stale_ = false;  // a larger distance was seen: the pass will be repeated
  PairSums sums_;
  NearMaxima maxima_;
  std::vector<Found> found_;  // (tasks) of the running round
};

}  // namespace lpdm::cpu
