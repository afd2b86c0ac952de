#include "core/op_work.h"

#include <algorithm>

namespace lpdm {

namespace {

constexpr double kFloat = sizeof(float);

OpWork product(std::int64_t rows, std::int64_t in, std::int64_t out) {
  const auto n = static_cast<double>(rows);
  const auto i = static_cast<double>(in);
  const auto o = static_cast<double>(out);
  return {.bytes = kFloat * (n * i + n * o + i * o), .instructions = n * i * o};
}

// Distances to be formed in a symmetric pass, and entries whose gradient is to be added up.
struct PairCounts {
  double distances = 0.0;
  double entries = 0.0;
};

PairCounts pair_counts(const PairwiseTarget& target, std::int64_t rows) {
  const auto n = static_cast<double>(rows);
  if (target.landmarks == nullptr) return {.distances = n * n / 2, .entries = n * n};
  const std::int64_t most = target.landmark_capacity > 0 ? target.landmark_capacity : rows;
  const auto m = static_cast<double>(std::min(most, rows));
  return {.distances = n * m, .entries = 2 * n * m};
}

// Distances to so few landmarks are kept between the passes, and those of the inputs for all
// layers.
bool keeps_distances(const LocalLoss& op, std::int64_t rows) {
  constexpr double kFewLandmarks = 64;
  return op.target.landmarks != nullptr && op.target_rule == TargetRule::kInput &&
         pair_counts(op.target, rows).distances <= kFewLandmarks * static_cast<double>(rows);
}

}  // namespace

OpWork work_of(const DenseForward& op, std::int64_t rows) { return product(rows, op.in, op.out); }
OpWork work_of(const DenseGradient& op, std::int64_t rows) { return product(rows, op.in, op.out); }
OpWork work_of(const DenseInputGradient& op, std::int64_t rows) {
  return product(rows, op.in, op.out);
}

OpWork work_of(const TargetStatistics& op, std::int64_t rows) {
  const auto dim = static_cast<double>(op.target.dim);
  OpWork work{.bytes = kFloat * static_cast<double>(rows) * dim, .instructions = 0.0};
  if (op.target.low_rank == 0) work.instructions = 2 * pair_counts(op.target, rows).distances * dim;
  return work;
}

OpWork work_of(const LocalLoss& op, std::int64_t rows) {
  const auto n = static_cast<double>(rows);
  OpWork work;
  for (std::int64_t l = 0; l < op.layer_count; ++l) {
    const LocalLossLayer& layer = op.layers[l];
    const double touched = static_cast<double>(layer.out) * (layer.delta != nullptr ? 2 : 1);
    work.bytes += kFloat * n * (static_cast<double>(op.target.dim) + touched);
  }
  work.instructions =
      stage_work(op, rows, "pass 1").instructions + stage_work(op, rows, "pass 2").instructions;
  return work;
}

// Pass 1 forms both distances of a pair; pass 2 forms them again for every entry and adds up the
// gradient. Where distances are kept, pass 2 forms the direction of a pair and adds it to both
// ends.
OpWork stage_work(const LocalLoss& op, std::int64_t rows, const std::string& stage) {
  OpWork work;
  if (op.target.low_rank > 0) return work;
  const PairCounts pairs = pair_counts(op.target, rows);
  const auto dim = static_cast<double>(op.target.dim);
  for (std::int64_t l = 0; l < op.layer_count; ++l) {
    const auto out = static_cast<double>(op.layers[l].out);
    if (keeps_distances(op, rows)) {
      const bool first = stage == "pass 1", second = stage == "pass 2";
      if (first) work.instructions += 2 * pairs.distances * out;
      if (second && op.layers[l].delta != nullptr) work.instructions += 3 * pairs.distances * out;
      continue;
    }
    if (stage == "pass 1") work.instructions += 2 * pairs.distances * (dim + out);
    if (stage == "pass 2" && op.layers[l].delta != nullptr) {
      work.instructions += 2 * pairs.entries * (dim + out + out);
    }
  }
  return work;
}

OpWork work_of(const ActivationStatistics& op, std::int64_t rows) {
  return {.bytes = kFloat * static_cast<double>(rows * op.out), .instructions = 0.0};
}

OpWork work_of(const ClipAdam& op) {
  constexpr double kPasses = 8;  // the gradient twice; value and two moments, read and written
  double size = 0.0;
  for (std::int64_t s = 0; s < op.slice_count; ++s) size += static_cast<double>(op.slices[s].size);
  return {.bytes = kFloat * kPasses * size, .instructions = 0.0};
}

OpWork work_of(const GatherRows& op, std::int64_t rows) {
  return {.bytes = 2 * kFloat * static_cast<double>(rows * op.width), .instructions = 0.0};
}

}  // namespace lpdm
