// The errors of one layer's pairs, tile by tile: E from T and D_Y, its sums, and what the maximum
// of D_Y has to do with them.
//
// form may be called from several threads at once; everything else belongs to the calling thread.
#pragma once

#include <algorithm>
#include <cstdint>

#include "cpu/pairs/loss_terms.h"
#include "cpu/pairs/near_maxima.h"
#include "cpu/pairs/pair_blocks.h"
#include "cpu/pairs/pair_tile.h"
#include "cpu/pairs/pairwise_error.h"
#include "lpdm/ops.h"

namespace lpdm::cpu {

// E = target · T − distance · D.
struct ErrorWeights {
  float target = 0.0F;    // s_T
  float output = 0.0F;    // s_Y
  float distance = 0.0F;  // s_Y / max D
};

class LayerErrors {
 public:
  // What a task found.
  struct Found {
    PairSums sums;
    NearMaxima maxima;
  };
  struct Tile {
    const float* target = nullptr;     // (kTile, kTile), as are the next ones
    const float* weights = nullptr;    // null: every pair counts
    const float* distances = nullptr;  // D_Y
    float* coefficients = nullptr;     // of the gradient, written
    float* row_sums = nullptr;         // (kTile), of the coefficients
    float* column_sums = nullptr;      // (kTile)
  };

  // target_dim: the width of the rows whose distances T is made of.
  void prepare(const LocalLoss& op, const LocalLossLayer& layer, std::int64_t target_dim,
               const PairLayout& layout);

  // max D_Y, as far as it is known.
  float maximum() const { return maximum_; }
  void raise_maximum(float distance) { maximum_ = std::max(maximum_, distance); }
  ErrorWeights weights() const;

  // Forgets the sums: a pass over the pairs begins.
  void begin();
  // Returns the tile's largest distance.
  float form(const TilePlace& place, const Tile& tile, Found& found) const;
  // To be called in an order that does not depend on the number of threads.
  void add(const Found& found);
  // True when the pass just made was made with the true maximum and knows all pairs that share it;
  // else another pass is to follow.
  bool settle();

  void write_statistics() const;
  // What turns a row's sum of coefficients times directions into delta, but for activation'.
  double gradient_factor() const;
  // Adds to delta what the listed pairs at the maximum have beside their coefficients.
  void add_maxima() const;

 private:
  void add_diagonal(std::int64_t strip, const float* target, PairSums& sums) const;
  void list_maxima(const TilePlace& place, const float* distances, NearMaxima& maxima) const;
  bool wants_maxima() const;

  const LocalLoss* op_ = nullptr;
  const PairLayout* layout_ = nullptr;
  LocalLossLayer layer_;
  LossWeights weights_;
  float maximum_ = 0.0F;
  double maximum_coefficient_ = 0.0;  // in units of E, for every pair at the maximum; 0: listed
  PairSums sums_;
  NearMaxima maxima_;
};

}  // namespace lpdm::cpu
