// The target of landmark pairs: the distances D_X of all rows' inputs to the landmarks, and the
// scales that make T of them.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/common/context.h"
#include "cpu/landmarks/landmark_floats.h"
#include "cpu/landmarks/landmark_matrix.h"
#include "cpu/landmarks/landmark_set.h"
#include "lpdm/ops.h"

namespace lpdm::cpu {

class LandmarkTarget {
 public:
  LandmarkTarget(Context& context, const LandmarkSet& set);

  // Makes room for D_X. The target's input must outlive the use of this.
  void prepare(const PairwiseTarget& target);
  LandmarkMatrix& distances() { return distances_; }
  // Once they are closed. The target is that of `prepare`, but for the rows and the landmarks; its
  // arrays must outlive the use of this.
  TargetScales find_scales(const PairwiseTarget& target);

  const PairwiseTarget& target() const { return target_; }
  // D_X from row `first` on: (rows, stride).
  const float* distances(std::int64_t first) const { return distances_.from(first); }
  // Guidance: g of the rows from `first` on, and of the landmarks (stride). Null: unguided.
  const float* row_shift(std::int64_t first) const {
    return target_.shift == nullptr ? nullptr : target_.shift + first;
  }
  const float* landmark_shift() const {
    return target_.shift == nullptr ? nullptr : landmark_shift_.data();
  }
  // The entry of T on the diagonal.
  float own_target(std::int64_t row, const TargetScales& scales) const;

 private:
  float largest_target(double input_scale) const;
  float largest_target(const RowRange& rows, double input_scale) const;

  Context& context_;
  const LandmarkSet& set_;
  PairwiseTarget target_;
  LandmarkFloats input_;
  std::vector<float> landmark_shift_;
  LandmarkMatrix distances_;  // D_X
};

}  // namespace lpdm::cpu
