// The pairs whose distance is the maximum, and the part of the gradient that they alone have.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/pairs/pairwise_error.h"
#include "lpdm/ops.h"

namespace lpdm::cpu {

struct RowPair {
  std::int64_t first, second;  // batch rows
};

// Pairs that are at the maximum of D but for rounding. A few are listed one by one, so that float64
// can tell them apart: float32 cannot do so for saturated rows whose distances differ in the eighth
// digit. Many can only be counted.
class NearMaxima {
 public:
  static bool near(float distance, float maximum) { return distance >= kNear * maximum; }

  void note(float distance, float maximum, RowPair pair);
  void add(const NearMaxima& other);

  bool all_listed() const { return near_count_ == static_cast<std::int64_t>(listed_.size()); }
  // Unordered pairs exactly at the maximum in float32.
  std::int64_t maxima_count() const { return maxima_count_; }
  // Those of the listed pairs that share the largest distance in float64.
  std::vector<RowPair> largest(Metric metric, const LocalLossLayer& layer) const;

 private:
  static constexpr float kNear = 1.0F - 1e-6F;
  static constexpr std::int64_t kMaxListed = 256;

  void list(RowPair pair);

  std::int64_t maxima_count_ = 0;
  std::int64_t near_count_ = 0;
  std::vector<RowPair> listed_;  // the first kMaxListed
};

// Adds the max term to layer.delta: that of the listed pairs that truly share the maximum. factor:
// what turns units of E into layer.delta's, see gradient_factor.
void add_listed_maxima(const LocalLoss& op, const LocalLossLayer& layer, const NearMaxima& maxima,
                       const PairSums& sums, float maximum, double factor);

}  // namespace lpdm::cpu
