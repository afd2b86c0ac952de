// Outputs of tanh as 16-bit levels (backend.arithmetic fixed): twice as many of them in a vector.
//
// A level is the output in units of 1/32767, met to half of one. Sums of levels are exact:
// distances made of them do not depend on the order of addition.
#pragma once

#include <cstdint>

#include "cpu/common/context.h"
#include "lpdm/ops.h"

namespace lpdm::cpu {

inline constexpr float kLargestLevel = 32767.0F;
inline constexpr float kLevelStep = 1.0F / kLargestLevel;
// Levels are kept in panels of so many dimensions for the gradient: one AVX-512 vector.
inline constexpr std::int64_t kLevelPanelWidth = 32;
// Dimensions whose levels a 32-bit sum is sure to hold twice.
inline constexpr std::int64_t kMostLevelDims = std::int64_t{1} << 14;

// Rows of outputs (rows, dim) as levels: dim of each, then zeros up to `stride`, a multiple of
// kLevelPanelWidth, and each row's sum. Returns whether all outputs are finite; the levels of those
// that are not mean nothing.
bool to_levels(const float* output, std::int64_t rows, std::int64_t dim, std::int64_t stride,
               std::int16_t* levels, std::int32_t* sums);

// Words of two levels, row by row → word by word: to (words, rows). rows: a multiple of 4; levels:
// (rows, stride), with words up to the next multiple of 4 readable
void transpose_words(const std::int16_t* levels, std::int64_t rows, std::int64_t stride,
                     std::int64_t words, std::int32_t* to);

inline std::int64_t level_panels_of(std::int64_t dim) { return ceil_div(dim, kLevelPanelWidth); }
// Words, of two levels each as they lie in a row: those of dimensions 2w and 2w + 1.
inline std::int64_t level_words_of(std::int64_t dim) { return ceil_div(dim, 2); }

// Whether a layer's pairs are worked out in levels.
inline bool uses_levels(const Context& context, const LocalLoss& op, const LocalLossLayer& layer) {
  return context.fixed && op.target.metric == Metric::kL1 && op.target_rule == TargetRule::kInput &&
         layer.activation == Activation::kTanh && layer.out <= kMostLevelDims;
}

}  // namespace lpdm::cpu
