// A layer's outputs as levels: all rows as they lie, the landmarks among them packed for distances
// and for gradients.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "cpu/common/context.h"
#include "cpu/landmarks/landmark_rows.h"
#include "lpdm/ops.h"

namespace lpdm::cpu {

class LandmarkLevels : public LandmarkRows {
 public:
  LandmarkLevels(Context& context, const LandmarkSet& set);

  // The output must outlive the use of its levels.
  void prepare(const LocalLossLayer& layer);

  void pack(std::int64_t part) override;
  // NaN if an output, of the rows or of a landmark, is not finite.
  void distances(const RowRange& block, float* distances) override;
  void renew(std::span<const std::int32_t> landmarks) override;
  void renew_distances(const RowRange& block, float* distances) const override;
  void take_coefficients(const RowRange& block, const float* sums, float* coefficients) override;
  void gradient(const LandmarkPanel& panel) const override;

 private:
  // Landmarks as distances read them.
  struct Words {
    explicit Words(MemoryCounter& memory) : levels(memory), sums(memory) {}
    std::int64_t stride = 0;
    Scratch<std::int32_t> levels;  // (words, stride)
    Scratch<std::int32_t> sums;    // (stride)
  };

  const std::int16_t* pack_landmark(std::int64_t m, std::int32_t* sum);
  void write_words(Words& words, std::int64_t first, std::int64_t count, std::int64_t end,
                   const std::int16_t* const* levels) const;
  void distances_to(const Words& words, const RowRange& rows, float* distances) const;

  const LandmarkSet& set_;
  LocalLossLayer layer_;
  std::int64_t pitch_ = 0;  // levels from one row to the next: out padded to whole panels
  bool streamed_ = false;   // see LandmarkLevelGradient
  std::atomic<bool> finite_landmarks_ = true;
  std::vector<std::uint8_t> finite_;   // (N padded / kDistanceRows)
  std::vector<float> units_;           // (blocks), of the coefficients
  std::vector<std::int32_t> renewed_;  // landmarks
  Scratch<std::int16_t> levels_;       // (N padded, pitch)
  Scratch<std::int32_t> sums_;         // (N padded)
  Words words_;                        // of all landmarks
  Words renewed_words_;                // of those in renewed_
  Scratch<std::int16_t> panels_;       // (level panels, M, kLevelPanelWidth)
};

}  // namespace lpdm::cpu
