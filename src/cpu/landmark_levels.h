// A layer's outputs as levels, arranged for landmark pairs: all rows as they lie, the landmarks
// packed for distances and for gradients.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/context.h"
#include "cpu/landmark_level_gradient.h"
#include "cpu/level_distance.h"

namespace lpdm::cpu {

class LandmarkLevels {
 public:
  explicit LandmarkLevels(Context& context);

  // The rows index[0 … count) of the layer's output are the landmarks; stride: count padded. The
  // output must outlive the use of its levels.
  void prepare(const LocalLossLayer& layer, std::int64_t rows, const std::int64_t* index,
               std::int64_t count, std::int64_t stride);

  // Works out the levels of the rows [first, first + count), up to kDistanceRows of them, and their
  // distances (count, stride) to all landmarks: NaN if an output, of theirs or of a landmark, is
  // not finite. Returns the largest.
  float distances(std::int64_t first, std::int64_t count, float* distances);

  // What the gradient of up to kLevelGradientRows rows from `first` on needs of the levels.
  LandmarkLevelGradient gradient(std::int64_t first, std::int64_t count) const;

 private:
  void pack_landmarks(const std::int64_t* index);

  const float* output_ = nullptr;
  std::int64_t dim_ = 0;
  std::int64_t pitch_ = 0;  // levels from one row to the next: dim padded to whole panels
  std::int64_t count_ = 0;
  std::int64_t stride_ = 0;
  bool finite_landmarks_ = true;
  Scratch<std::int16_t> row_levels_;      // (rows padded, pitch)
  Scratch<std::int32_t> landmark_words_;  // (words, stride)
  Scratch<std::int32_t> landmark_sums_;   // (stride)
  Scratch<std::int16_t> panels_;          // (level panels, M, kLevelPanelWidth)
};

}  // namespace lpdm::cpu
