// A layer's outputs as levels: all rows as they lie, the landmarks among them packed for distances
// and for gradients.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "cpu/context.h"
#include "cpu/landmark_rows.h"
#include "lpdm/ops.h"

namespace lpdm::cpu {

class LandmarkLevels : public LandmarkRows {
 public:
  LandmarkLevels(Context& context, const LandmarkSet& set);

  // The output must outlive the use of its levels.
  void prepare(const LocalLossLayer& layer);

  void pack(std::int64_t part) override;
  // NaN if an output, of the rows or of a landmark, is not finite.
  float distances(const RowRange& block, float* distances) override;
  void take_coefficients(const RowRange& block, const float* sums, float* coefficients) override;
  void gradient(const LandmarkPanel& panel) const override;

 private:
  const std::int16_t* pack_landmark(std::int64_t m);

  const LandmarkSet& set_;
  LocalLossLayer layer_;
  std::int64_t pitch_ = 0;  // levels from one row to the next: out padded to whole panels
  bool streamed_ = false;   // see LandmarkLevelGradient
  std::atomic<bool> finite_landmarks_ = true;
  std::vector<float> units_;              // (blocks), of the coefficients
  Scratch<std::int16_t> levels_;          // (N padded, pitch)
  Scratch<std::int32_t> landmark_words_;  // (words, stride)
  Scratch<std::int32_t> landmark_sums_;   // (stride)
  Scratch<std::int16_t> panels_;          // (level panels, M, kLevelPanelWidth)
};

}  // namespace lpdm::cpu
