#include <string>

#include "common/rows.h"
#include "lpdm/error.h"
#include "ops/clip_adam.h"

namespace lpdm::cuda {

namespace {

constexpr int kMostSlices = 66;  // 64 hidden layers, the policy head, the standard deviations

// The slices as a kernel's argument. Chunks are counted through all of them.
struct Group {
  ParameterSlice slices[kMostSlices];
  unsigned first_chunk[kMostSlices + 1];  // of each slice, and one past the last
  int count = 0;
  double clip = 0.0;
  const double* rate_factor = nullptr;
  std::int64_t* step = nullptr;
};

Group group_of(const ClipAdam& op) {
  if (op.slice_count > kMostSlices) {
    throw Error("a group of " + std::to_string(op.slice_count) +
                " parameter slices was given to Adam, which takes " + std::to_string(kMostSlices));
  }
  Group group;
  group.count = static_cast<int>(op.slice_count);
  group.clip = op.clip;
  group.rate_factor = op.rate_factor;
  group.step = op.step;
  unsigned chunks = 0;
  for (int s = 0; s < group.count; ++s) {
    group.slices[s] = op.slices[s];
    group.first_chunk[s] = chunks;
    chunks += static_cast<unsigned>(ceil_div(op.slices[s].size, kChunk));
  }
  group.first_chunk[group.count] = chunks;
  return group;
}

__device__ int slice_of(const Group& group, unsigned chunk) {
  int s = 0;
  while (group.first_chunk[s + 1] <= chunk) ++s;
  return s;
}

// Calls run(i) for this block's parameters of its slice.
template <class Run>
__device__ void for_slice_items(const Group& group, int s, const Run& run) {
  const std::int64_t first = std::int64_t{blockIdx.x - group.first_chunk[s]} * kChunk;
  for (int k = 0; k < kItemsPerThread; ++k) {
    const std::int64_t i = first + std::int64_t{k} * kBlockThreads + threadIdx.x;
    if (i < group.slices[s].size) run(i);
  }
}

__global__ void square_kernel(Group group, double* squares) {
  const int s = slice_of(group, blockIdx.x);
  double sum = 0.0;
  for_slice_items(group, s, [&](std::int64_t i) {
    const double g = group.slices[s].gradient[i];
    sum += g * g;
  });
  sum = block_sum(sum);
  if (threadIdx.x != 0) return;
  squares[blockIdx.x] = sum;
  if (blockIdx.x == 0) ++*group.step;
}

__device__ double squared_norm(const Group& group, const double* squares, int s) {
  return sum_partials(squares + group.first_chunk[s],
                      group.first_chunk[s + 1] - group.first_chunk[s]);
}

// What all parameters of a slice share, as in src/cpu/ops/clip_adam.cc.
struct Factors {
  float gradient_scale, step_size, second_correction;
};

__device__ Factors factors_of(const Group& group, double norm, double learning_rate) {
  constexpr double kFirstDecay = 0.9;
  constexpr double kSecondDecay = 0.999;
  constexpr double kNormEpsilon = 1e-6;
  const double scale = group.clip > 0.0 ? fmin(1.0, group.clip / (norm + kNormEpsilon)) : 1.0;
  const double rate_factor = group.rate_factor != nullptr ? *group.rate_factor : 1.0;
  const auto step = static_cast<double>(*group.step);
  const double first_bias = 1.0 - pow(kFirstDecay, step);
  const double second_bias = 1.0 - pow(kSecondDecay, step);
  return {static_cast<float>(scale), static_cast<float>(rate_factor * learning_rate / first_bias),
          static_cast<float>(1.0 / sqrt(second_bias))};
}

__device__ void advance(const ParameterSlice& slice, const Factors& factors, std::int64_t i) {
  constexpr float kFirstDecay = 0.9F, kFirstRest = static_cast<float>(1.0 - 0.9);
  constexpr float kSecondDecay = 0.999F, kSecondRest = static_cast<float>(1.0 - 0.999);
  constexpr float kEpsilon = 1e-8F;
  const float g = slice.gradient[i] * factors.gradient_scale;
  const float m = fmaf(kFirstDecay, slice.first_moment[i], kFirstRest * g);
  const float v = fmaf(kSecondDecay, slice.second_moment[i], kSecondRest * (g * g));
  slice.first_moment[i] = m;
  slice.second_moment[i] = v;
  slice.value[i] -= factors.step_size * m / fmaf(sqrtf(v), factors.second_correction, kEpsilon);
}

__global__ void adam_kernel(Group group, const double* squares) {
  const double norm = sqrt(sum_partials(squares, group.first_chunk[group.count]));
  const int s = slice_of(group, blockIdx.x);
  const ParameterSlice& slice = group.slices[s];
  const double own = squared_norm(group, squares, s);
  if (blockIdx.x == group.first_chunk[s] && threadIdx.x == 0) *slice.gradient_norm = sqrt(own);
  const Factors factors = factors_of(group, norm, slice.learning_rate);
  for_slice_items(group, s, [&](std::int64_t i) { advance(slice, factors, i); });
}

}  // namespace

void clip_adam(Context& context, const ClipAdam& op) {
  const Group group = group_of(op);
  const unsigned chunks = group.first_chunk[group.count];
  auto* squares = context.scratch<double>(chunks);
  const LaunchShape shape{.grid = dim3(chunks), .block = dim3(kBlockThreads)};
  launch(square_kernel, shape, context.stream, group, squares);
  launch(adam_kernel, shape, context.stream, group, squares);
}

}  // namespace lpdm::cuda
