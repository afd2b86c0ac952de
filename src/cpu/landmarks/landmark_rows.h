// A layer's outputs arranged for landmark pairs, in one arithmetic or another.
#pragma once

#include <cstdint>
#include <span>

#include "cpu/landmarks/landmark_set.h"

namespace lpdm::cpu {

// The gradient of a chunk of rows in kPairWidth dimensions.
struct LandmarkPanel {
  std::int64_t panel = 0;
  RowRange rows;
  const float* coefficients = nullptr;      // (N padded, stride), as take_coefficients left them; 0
                                            // beyond the rows up to a multiple of kLandmarkStep
  const float* coefficient_sums = nullptr;  // (N padded): of each row's
  float factor = 1.0F;                      // delta = factor · gradient · activation'
  float* landmark_credit = nullptr;         // (M, kPairWidth), written: see LandmarkGradient
};

// Parts, blocks and chunks are those of a LandmarkSet. Calls for different ones may come from
// several threads at once.
class LandmarkRows {
 public:
  virtual ~LandmarkRows() = default;

  // Arranges a part of the landmarks; all of them come before anything else.
  virtual void pack(std::int64_t part) = 0;
  // Distances (rows, stride) of a block to all landmarks; that of a landmark to itself means
  // nothing.
  virtual void distances(const RowRange& block, float* distances) = 0;

  // Arranges these landmarks, which have become other rows, at least one and none twice. Nothing
  // else may be under way.
  virtual void renew(std::span<const std::int32_t> landmarks) = 0;
  // As `distances`, of a block that has been through it, to the landmarks renewed last; the others
  // stay as they are.
  virtual void renew_distances(const RowRange& block, float* distances) const = 0;

  // Brings the coefficients (rows, stride) of a block's gradient into the form that `gradient`
  // reads, where they lie. sums: (rows)
  virtual void take_coefficients(const RowRange& block, const float* sums, float* coefficients) = 0;
  // Writes the rows' delta.
  virtual void gradient(const LandmarkPanel& panel) const = 0;
};

}  // namespace lpdm::cpu
