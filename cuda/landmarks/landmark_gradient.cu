// A warp has 16 rows and 128 dimensions, 16 × 4 entries of the gradient in each thread's registers,
// and goes from landmark to landmark: the direction of a pair is formed once and used for both of
// its ends. The landmarks' end stands in shared memory, where one warp after the other adds to it:
// in each of four phases every warp has a quarter of the landmarks to itself.
//
// For l1 the direction of y against a landmark's value v is step = saturate(scale · y + offset),
// one instruction: with u the distance from v to its nearest neighbour among floats, scale = 1 / 2u
// and offset = ½ − scale · v. That is ½ at v, and 1 above and 0 below it already at its neighbours,
// exactly: scale is a power of two, and offset, a multiple of ½ below 2²³, is a float. The one
// exception is v = −2ᵏ, whose offset would need another bit; blocks that have such a value take one
// more instruction. Σ c · sign = 2 Σ c · step − Σ c.
#include <algorithm>
#include <type_traits>

#include "common/activation.h"
#include "common/intrinsics.h"
#include "common/launch.h"
#include "common/rows.h"
#include "landmarks/landmark_gradient.h"
#include "pairs/listed_maxima.cuh"
#include "pairs/pair_tile.cuh"

namespace lpdm::cuda {

namespace {

constexpr int kLanes = 32;
constexpr int kWarps = kTileThreads / kLanes;
constexpr int kWarpRows = kGradientRows / kWarps;
constexpr int kRowQuads = kWarpRows / kQuad;
constexpr int kSliceDims = kLanes * kQuad;   // of a block
constexpr int kGroups = kLanes / kRowQuads;  // of lanes, that form coefficients
constexpr int kBlocks = 2;                   // on a multiprocessor
constexpr unsigned kAllLanes = 0xFFFFFFFFU;

int padded_landmarks(int landmarks) {
  return static_cast<int>(ceil_div(landmarks, kWarps)) * kWarps;
}

// What a block keeps in shared memory, for a multiple of kWarps landmarks.
struct GradientMemory {
  float4* scales;        // (landmarks, kLanes)
  float4* offsets;       // likewise
  float4* ends;          // likewise
  float4* coefficients;  // (landmarks, kRowQuads) of the running warp

  __device__ GradientMemory(float4* memory, int landmarks)
      : scales(memory),
        offsets(scales + landmarks * kLanes),
        ends(offsets + landmarks * kLanes),
        coefficients(ends + landmarks * kLanes +
                     static_cast<int>(threadIdx.x) / kLanes * landmarks * kRowQuads) {}
};

// How y lies to a landmark's value: above 1, at ½, below 0.
struct Step {
  __device__ static float of(float y, float scale, float offset) {
    return __saturatef(__fmaf_rn(y, scale, offset));
  }
};
// The same where the table has (1, −v).
struct ExactStep {
  static constexpr float kLarge = 1.7014118e38F;  // 2¹²⁷
  __device__ static float of(float y, float scale, float offset) {
    return __saturatef(__fmaf_rn(__fmaf_rn(y, scale, offset), kLarge, 0.5F));
  }
};
struct Difference {
  __device__ static float of(float y, float scale, float offset) {
    return __fmaf_rn(y, scale, offset);
  }
};

constexpr unsigned kExponent = 0x7F800000U, kMantissa = 0x007FFFFFU;

// Whether a value's step takes two instructions.
__device__ bool needs_exact_step(float value) {
  const unsigned bits = __float_as_uint(value);
  return value < 0.0F && (bits & kMantissa) == 0 && (bits & kExponent) != 0;
}

// 1 / 2u. Differences below 2⁻¹²⁸ are none.
__device__ float step_scale(float value) {
  constexpr int kShift = 23;
  const unsigned bits = __float_as_uint(value);
  // 2ᵏ has its nearest neighbour below it, at half the distance of that above.
  const int finer = (bits & kMantissa) == 0 ? 1 : 0;
  const int exponent = 276 - static_cast<int>((bits & kExponent) >> kShift) + finer;
  return __uint_as_float(static_cast<unsigned>(min(exponent, 254)) << kShift);
}

// The landmarks' values as directions take them; dimensions and landmarks that there are not are
// equal to nothing. Returns whether ExactStep is to be used.
__device__ bool fill_tables(const LandmarkPairs& pairs, const LocalLossLayer& layer, Metric metric,
                            int landmarks, const GradientMemory& memory) {
  const std::int64_t d = static_cast<std::int64_t>(blockIdx.y) * kSliceDims + threadIdx.x;
  auto* scales = reinterpret_cast<float*>(memory.scales) + threadIdx.x;
  auto* offsets = reinterpret_cast<float*>(memory.offsets) + threadIdx.x;
  auto* ends = reinterpret_cast<float*>(memory.ends) + threadIdx.x;
  const auto value_of = [&](int m) {
    return m < *pairs.landmark_count && d < layer.out
               ? layer.output[pairs.landmarks[m] * layer.out + d]
               : 0.0F;
  };
  bool exact = metric == Metric::kL2;
  for (int m = 0; m < landmarks; ++m) {
    const float value = value_of(m);
    const float scale = step_scale(value);
    scales[m * kSliceDims] = scale;
    offsets[m * kSliceDims] = __fmaf_rn(-scale, value, 0.5F);
    ends[m * kSliceDims] = 0.0F;
    exact = exact || needs_exact_step(value);
  }
  if (__syncthreads_or(exact ? 1 : 0) == 0) return false;
  for (int m = 0; m < landmarks; ++m) {
    scales[m * kSliceDims] = 1.0F;
    offsets[m * kSliceDims] = -value_of(m);
  }
  __syncthreads();
  return true;
}

// What turns T and D of a pair into its coefficient.
struct CoefficientRule {
  Metric metric;
  float target, distance;  // weights, the layer's factor included
  float maximum, of_maximum;

  __device__ CoefficientRule(const LayerState& state, Metric of_metric) : metric(of_metric) {
    // Twice: Σ c · sign = 2 (Σ c · step − ½ Σ c).
    const double factor = (metric == Metric::kL1 ? 2.0 : 1.0) * state.factor;
    target = static_cast<float>(factor * state.weights.target);
    distance = static_cast<float>(factor * state.weights.distance);
    maximum = state.weights.maximum;
    of_maximum = static_cast<float>(factor * state.maximum_coefficient);
  }
  // Equal rows, a row and itself among them, have no direction.
  __device__ float of(float t, float d) const {
    float coefficient = __fmaf_rn(-distance, d, __fmul_rn(target, t));
    if (of_maximum != 0.0F && d == maximum) coefficient += of_maximum;
    if (metric == Metric::kL2) coefficient = __fdiv_rn(coefficient, d);
    return d > 0.0F ? coefficient : 0.0F;
  }
};

__device__ float4 operator+(float4 a, float4 b) {
  return make_float4(a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w);
}

__device__ float sum_of(float4 quad) { return (quad.x + quad.y) + (quad.z + quad.w); }

// Forms the coefficients of the warp's rows. Returns their sums over all landmarks, for four rows:
// those of quad lane % kRowQuads.
__device__ float4 form_coefficients(const LandmarkPairs& pairs, const CoefficientRule& rule,
                                    const float* target, const float* distances,
                                    std::int64_t first_row, int landmarks,
                                    const GradientMemory& memory) {
  const int lane = static_cast<int>(threadIdx.x) % kLanes;
  const int quad = lane % kRowQuads;
  const auto count = static_cast<int>(*pairs.landmark_count);
  float4 sums = make_float4(0.0F, 0.0F, 0.0F, 0.0F);
  for (int m = lane / kRowQuads; m < landmarks; m += kGroups) {
    float4 c = make_float4(0.0F, 0.0F, 0.0F, 0.0F);
    if (m < count) {
      const std::int64_t at = m * pairs.stride + first_row + quad * kQuad;
      const float4 t = *reinterpret_cast<const float4*>(target + at);
      const float4 d = *reinterpret_cast<const float4*>(distances + at);
      c = make_float4(rule.of(t.x, d.x), rule.of(t.y, d.y), rule.of(t.z, d.z), rule.of(t.w, d.w));
    }
    memory.coefficients[m * kRowQuads + quad] = c;
    sums = sums + c;
  }
  for (int step = kRowQuads; step < kLanes; step *= 2) {
    sums = sums + make_float4(__shfl_xor_sync(kAllLanes, sums.x, step),
                              __shfl_xor_sync(kAllLanes, sums.y, step),
                              __shfl_xor_sync(kAllLanes, sums.z, step),
                              __shfl_xor_sync(kAllLanes, sums.w, step));
  }
  __syncwarp();
  return sums;
}

using Entries = float[kWarpRows][kQuad];

// One landmark's share of the gradient of the warp's rows, and theirs of its own.
template <class Direction>
__device__ __forceinline__ void add_landmark(const GradientMemory& memory, int m, int lane,
                                             const Entries& values, Entries& gradient) {
  const float4 scale = memory.scales[m * kLanes + lane];
  const float4 offset = memory.offsets[m * kLanes + lane];
  float4 end = memory.ends[m * kLanes + lane];
#pragma unroll
  for (int q = 0; q < kRowQuads; ++q) {
    const float4 of_quad = memory.coefficients[m * kRowQuads + q];
    const float coefficients[kQuad] = {of_quad.x, of_quad.y, of_quad.z, of_quad.w};
#pragma unroll
    for (int k = 0; k < kQuad; ++k) {
      const float c = coefficients[k];
      const float(&y)[kQuad] = values[q * kQuad + k];
      float(&sum)[kQuad] = gradient[q * kQuad + k];
      const float x = Direction::of(y[0], scale.x, offset.x);
      const float z = Direction::of(y[1], scale.y, offset.y);
      const float v = Direction::of(y[2], scale.z, offset.z);
      const float w = Direction::of(y[3], scale.w, offset.w);
      sum[0] = __fmaf_rn(c, x, sum[0]), end.x = __fmaf_rn(c, x, end.x);
      sum[1] = __fmaf_rn(c, z, sum[1]), end.y = __fmaf_rn(c, z, end.y);
      sum[2] = __fmaf_rn(c, v, sum[2]), end.z = __fmaf_rn(c, v, end.z);
      sum[3] = __fmaf_rn(c, w, sum[3]), end.w = __fmaf_rn(c, w, end.w);
    }
  }
  memory.ends[m * kLanes + lane] = end;
}

// All landmarks, of which each warp has a quarter to itself at a time.
template <class Direction>
__device__ __forceinline__ void add_landmarks(const GradientMemory& memory, int landmarks,
                                              const Entries& values, Entries& gradient) {
  const int lane = static_cast<int>(threadIdx.x) % kLanes;
  const int warp = static_cast<int>(threadIdx.x) / kLanes;
  const int quarter = landmarks / kWarps;
  for (int phase = 0; phase < kWarps; ++phase) {
    const int first = (phase + warp) % kWarps * quarter;
    for (int m = first; m < first + quarter; ++m) {
      add_landmark<Direction>(memory, m, lane, values, gradient);
    }
    __syncthreads();
  }
}

// The quads of its warp's rows that a thread has.
struct OwnQuads {
  std::int64_t first_row, d;
  __device__ bool contain(std::int64_t rows, std::int64_t dim, int r) const {
    return first_row + r < rows && d < dim;
  }
  __device__ std::int64_t at(std::int64_t pitch, int r) const {
    return (first_row + r) * pitch + d;
  }
};

__device__ __forceinline__ void load_values(const OwnQuads& own, std::int64_t rows,
                                            const RowQuads& output, Entries& values) {
#pragma unroll
  for (int r = 0; r < kWarpRows; ++r) {
    const float4 quad =
        load_quad(output.data + own.at(output.pitch, r), own.contain(rows, output.pitch, r));
    values[r][0] = quad.x, values[r][1] = quad.y, values[r][2] = quad.z, values[r][3] = quad.w;
  }
}

// Rows from N up to the batch's capacity become zero.
__device__ __forceinline__ void store_delta(const OwnQuads& own, std::int64_t rows,
                                            std::int64_t capacity, const LocalLossLayer& layer,
                                            bool in_quads, const Entries& values,
                                            const Entries& gradient) {
#pragma unroll
  for (int r = 0; r < kWarpRows; ++r) {
    if (!own.contain(capacity, layer.out, r)) break;
    float delta[kQuad];
#pragma unroll
    for (int k = 0; k < kQuad; ++k) {
      delta[k] = gradient[r][k] * delta_slope(layer, values[r][k]);
      if (own.first_row + r >= rows) delta[k] = 0.0F;
    }
    float* to = layer.delta + own.at(layer.out, r);
    if (in_quads) {
      *reinterpret_cast<float4*>(to) = make_float4(delta[0], delta[1], delta[2], delta[3]);
      continue;
    }
#pragma unroll
    for (int k = 0; k < kQuad; ++k) {
      if (own.d + k < layer.out) to[k] = delta[k];
    }
  }
}

// A block's part of the landmarks' ends. coefficient_sums: of the running thread, over its warp's
// rows, for the landmarks lane and lane + kLanes.
__device__ void store_ends(const LandmarkPairs& pairs, std::int64_t dim, int landmarks,
                           const GradientMemory& memory, const float (&coefficient_sums)[2],
                           const LandmarkEnds& to) {
  const int thread = static_cast<int>(threadIdx.x);
  __syncwarp();  // the warp's coefficients have been read
  auto* of_warp = reinterpret_cast<float*>(memory.coefficients);
  for (int k = 0; k < 2; ++k) {
    const int m = thread % kLanes + k * kLanes;
    if (m < landmarks) of_warp[m] = coefficient_sums[k];
  }
  __syncthreads();
  const std::int64_t part = static_cast<std::int64_t>(blockIdx.x) * pairs.landmark_capacity;
  const std::int64_t d = static_cast<std::int64_t>(blockIdx.y) * kSliceDims + thread;
  const auto* ends = reinterpret_cast<const float*>(memory.ends) + thread;
  const auto count = static_cast<int>(*pairs.landmark_count);
  for (int m = 0; d < dim && m < count; ++m) to.sums[(part + m) * dim + d] = ends[m * kSliceDims];
  if (blockIdx.y != 0 || thread >= count) return;
  const auto* of_warps = reinterpret_cast<const float*>(memory.ends + landmarks * kLanes) + thread;
  float sum = 0.0F;
  for (int w = 0; w < kWarps; ++w) sum += of_warps[w * landmarks * kWarpRows];
  to.coefficient_sums[part + thread] = sum;
}

// Grid: parts of the rows × slices of the dimensions. in_quads: delta is written 16 bytes at a
// time.
template <Metric kMetric>
__global__ void __launch_bounds__(kTileThreads, kBlocks)
    landmark_gradient_kernel(LandmarkPairs pairs, const float* target, const float* distances,
                             RowQuads output, LocalLossLayer layer, const LayerState* state,
                             LandmarkEnds ends, bool in_quads) {
  const std::int64_t rows = *pairs.row_count;
  const auto landmarks = static_cast<int>(ceil_div(*pairs.landmark_count, kWarps)) * kWarps;
  const GradientMemory memory(dynamic_shared<float4>(), landmarks);
  const bool exact = fill_tables(pairs, layer, kMetric, landmarks, memory);
  const CoefficientRule rule(*state, kMetric);
  const int lane = static_cast<int>(threadIdx.x) % kLanes;
  const int warp = static_cast<int>(threadIdx.x) / kLanes;
  OwnQuads own{0, static_cast<std::int64_t>(blockIdx.y) * kSliceDims + lane * kQuad};
  float coefficient_sums[2] = {};
  const std::int64_t tiles = ceil_div(pairs.row_capacity, kGradientRows);
  for (std::int64_t tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
    own.first_row = tile * kGradientRows + warp * kWarpRows;
    Entries values, gradient = {};
    load_values(own, rows, output, values);
    if (tile * kGradientRows < rows) {
      const float4 row_sums =
          form_coefficients(pairs, rule, target, distances, own.first_row, landmarks, memory);
      if constexpr (kMetric == Metric::kL1) {
        const float of_rows[kQuad] = {row_sums.x, row_sums.y, row_sums.z, row_sums.w};
#pragma unroll
        for (int r = 0; r < kWarpRows; ++r) {
          const float start = -0.5F * __shfl_sync(kAllLanes, of_rows[r % kQuad], r / kQuad);
#pragma unroll
          for (int k = 0; k < kQuad; ++k) gradient[r][k] = start;
        }
#pragma unroll
        for (int k = 0; k < 2; ++k) {
          const int m = lane + k * kLanes;
          if (m >= landmarks) break;
          for (int q = 0; q < kRowQuads; ++q) {
            coefficient_sums[k] += sum_of(memory.coefficients[m * kRowQuads + q]);
          }
        }
        if (exact) {
          add_landmarks<ExactStep>(memory, landmarks, values, gradient);
        } else {
          add_landmarks<Step>(memory, landmarks, values, gradient);
        }
      } else {
        add_landmarks<Difference>(memory, landmarks, values, gradient);
      }
    }
    store_delta(own, rows, pairs.row_capacity, layer, in_quads, values, gradient);
  }
  store_ends(pairs, layer.out, landmarks, memory, coefficient_sums, ends);
}

}  // namespace

std::size_t landmark_gradient_bytes(int landmarks) {
  constexpr std::size_t kBytes = sizeof(float4) * (3 * kLanes + kWarps * kRowQuads);
  return static_cast<std::size_t>(padded_landmarks(landmarks)) * kBytes;
}

LandmarkEnds add_landmark_gradient(Context& context, const LandmarkPairs& pairs,
                                   const LandmarkTarget& target, const float* distances,
                                   const RowQuads& output, const LocalLossLayer& layer,
                                   const LayerOptions& options, const LayerState* state) {
  const std::int64_t slices = ceil_div(layer.out, kSliceDims);
  const std::int64_t tiles = ceil_div(pairs.row_capacity, kGradientRows);
  // All at once: each has tables to fill and ends to leave behind.
  const std::int64_t wanted = ceil_div(kBlocks * context.device.multiprocessors, slices);
  const auto parts = static_cast<int>(std::clamp<std::int64_t>(wanted, 1, tiles));
  const std::int64_t of_parts = std::int64_t{parts} * pairs.landmark_capacity;
  const LandmarkEnds ends{context.scratch<float>(of_parts * layer.out),
                          context.scratch<float>(of_parts), parts};
  const bool in_quads =
      layer.out % kQuad == 0 && reinterpret_cast<std::uintptr_t>(layer.delta) % sizeof(float4) == 0;
  const LaunchShape shape{.grid = dim3(static_cast<unsigned>(parts), static_cast<unsigned>(slices)),
                          .block = dim3(kTileThreads),
                          .shared_bytes = landmark_gradient_bytes(pairs.landmark_capacity)};
  launch(options.metric == Metric::kL2 ? landmark_gradient_kernel<Metric::kL2>
                                       : landmark_gradient_kernel<Metric::kL1>,
         shape, context.stream, pairs, target.entries, distances, output, layer, state, ends,
         in_quads);
  return ends;
}

}  // namespace lpdm::cuda
