// A warp has 16 rows and 128 dimensions, 16 × 4 entries of the gradient in each thread's registers,
// and goes from landmark to landmark: the direction of a pair is formed once and used for both of
// its ends. The landmarks' end stands in shared memory, where one warp after the other adds to it:
// in each of four phases every warp has a quarter of the landmarks to itself.
#include <algorithm>
#include <type_traits>

#include "common/activation.h"
#include "common/intrinsics.h"
#include "common/launch.h"
#include "common/rows.h"
#include "landmarks/landmark_coefficients.cuh"
#include "landmarks/landmark_gradient.h"
#include "landmarks/landmark_steps.cuh"
#include "landmarks/landmark_tables.cuh"
#include "pairs/listed_maxima.cuh"
#include "pairs/pair_tile.cuh"

namespace lpdm::cuda {

namespace {

constexpr int kBlocks = 2;  // on a multiprocessor
constexpr unsigned kAllLanes = 0xFFFFFFFFU;

int padded_landmarks(int landmarks) {
  return static_cast<int>(ceil_div(landmarks, kWarps)) * kWarps;
}

// How many rows a warp has: many for speed, few where there are not enough of them to keep all
// warps of the device busy.
constexpr int kManyRows = 16, kFewRows = 4;

template <int kWarpRows>
using Entries = float[kWarpRows][kQuad];

// The guidance of four rows; 0 from N on.
__device__ inline float4 shifts_of_rows(const LandmarkPairs& pairs, std::int64_t first) {
  const auto of = [&](std::int64_t row) {
    return row < *pairs.row_count ? shift_of_row(pairs, row) : 0.0F;
  };
  return make_float4(of(first), of(first + 1), of(first + 2), of(first + 3));
}

// Forms the coefficients of the warp's rows. Returns their sums over all landmarks, for four rows:
// those of quad lane % kRowQuads.
template <int kWarpRows>
__device__ __forceinline__ float4 form_coefficients(const LandmarkPairs& pairs, int count,
                                                    const CoefficientRule& rule,
                                                    const float* inputs, const float* distances,
                                                    std::int64_t first_row,
                                                    const GradientMemory<kWarpRows>& memory) {
  using Shape = WarpShape<kWarpRows>;
  const int lane = static_cast<int>(threadIdx.x) % kLanes;
  const int quad = lane % Shape::kRowQuads;
  // What pass 1 has not written, beyond the last row, is not to be read.
  const bool is_there = first_row + quad * kQuad < *pairs.row_count;
  const float4 shifts = shifts_of_rows(pairs, first_row + quad * kQuad);
  const std::int64_t first = lane / Shape::kRowQuads * pairs.stride + first_row + quad * kQuad;
  const auto* x = reinterpret_cast<const float4*>(inputs + first);
  const auto* d = reinterpret_cast<const float4*>(distances + first);
  const std::int64_t step = Shape::kGroups * pairs.stride / kQuad;
  float4* to = memory.coefficients + lane;
  float4 sums = make_float4(0.0F, 0.0F, 0.0F, 0.0F);
#pragma unroll 4
  for (int m = lane / Shape::kRowQuads; m < count; m += Shape::kGroups) {
    float4 c = make_float4(0.0F, 0.0F, 0.0F, 0.0F);
    if (is_there) c = rule.of(*x, *d, shifts, memory.shifts[m]);
    *to = c;
    sums = sums + c;
    x += step, d += step, to += kLanes;
  }
  for (int turn = Shape::kRowQuads; turn < kLanes; turn *= 2) {
    sums = sums + make_float4(__shfl_xor_sync(kAllLanes, sums.x, turn),
                              __shfl_xor_sync(kAllLanes, sums.y, turn),
                              __shfl_xor_sync(kAllLanes, sums.z, turn),
                              __shfl_xor_sync(kAllLanes, sums.w, turn));
  }
  __syncwarp();
  return sums;
}

// One landmark's share of the gradient of the warp's rows, and theirs of its own.
template <class Direction, int kWarpRows>
__device__ __forceinline__ void add_landmark(const GradientMemory<kWarpRows>& memory, int m,
                                             int lane, const Entries<kWarpRows>& values,
                                             Entries<kWarpRows>& gradient) {
  const float4 scale = memory.scales[m * kLanes + lane];
  const float4 offset = memory.offsets[m * kLanes + lane];
  float4 end = memory.ends[m * kLanes + lane];
#pragma unroll
  for (int q = 0; q < WarpShape<kWarpRows>::kRowQuads; ++q) {
    const float4 of_quad = memory.coefficients[m * WarpShape<kWarpRows>::kRowQuads + q];
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
template <class Direction, int kWarpRows>
__device__ __forceinline__ void add_landmarks(const GradientMemory<kWarpRows>& memory,
                                              int landmarks, const Entries<kWarpRows>& values,
                                              Entries<kWarpRows>& gradient) {
  const int lane = static_cast<int>(threadIdx.x) % kLanes;
  const int warp = static_cast<int>(threadIdx.x) / kLanes;
  const int quarter = landmarks / kWarps;
  for (int phase = 0; phase < kWarps; ++phase) {
    const int first = (phase + warp) % kWarps * quarter;
#pragma unroll 2
    for (int m = first; m < first + quarter; ++m) {
      add_landmark<Direction>(memory, m, lane, values, gradient);
    }
    __syncthreads();
  }
}

// The quad of dimensions that a thread has of its warp's rows.
struct OwnQuads {
  std::int64_t first_row;
  int d;

  // Beyond the last row it is that one again, and likewise beyond the last dimension: with
  // coefficients of zero nothing comes of it.
  template <int kWarpRows>
  __device__ __forceinline__ void load(std::int64_t rows, const RowQuads& from,
                                       Entries<kWarpRows>& values) const {
    const std::int64_t first = min(first_row, rows - 1);
    const auto last = static_cast<int>(min(rows - 1 - first, std::int64_t{kWarpRows}));
    const float* at = from.data + first * from.pitch + min(d, static_cast<int>(from.pitch) - kQuad);
#pragma unroll
    for (int r = 0; r < kWarpRows; ++r) {
      const float4 quad = *reinterpret_cast<const float4*>(at);
      values[r][0] = quad.x, values[r][1] = quad.y, values[r][2] = quad.z, values[r][3] = quad.w;
      if (r < last) at += from.pitch;
    }
  }

  template <int kWarpRows>
  __device__ __forceinline__ void store(std::int64_t capacity, const WritableQuads& to,
                                        const Entries<kWarpRows>& entries) const {
    const bool is_there = d < static_cast<int>(to.pitch);
    const auto rows =
        is_there ? static_cast<int>(min(capacity - first_row, std::int64_t{kWarpRows})) : 0;
    float* at = to.data + first_row * to.pitch + d;
#pragma unroll
    for (int r = 0; r < kWarpRows; ++r, at += to.pitch) {
      if (r < rows) {
        *reinterpret_cast<float4*>(at) =
            make_float4(entries[r][0], entries[r][1], entries[r][2], entries[r][3]);
      }
    }
  }
};

template <int kWarpRows>
__device__ __forceinline__ void set_all(Entries<kWarpRows>& entries, float value) {
#pragma unroll
  for (int r = 0; r < kWarpRows; ++r) {
#pragma unroll
    for (int k = 0; k < kQuad; ++k) entries[r][k] = value;
  }
}

template <Activation kActivation, int kWarpRows>
__device__ __forceinline__ void scale_by_slope(const Entries<kWarpRows>& values,
                                               Entries<kWarpRows>& gradient) {
#pragma unroll
  for (int r = 0; r < kWarpRows; ++r) {
#pragma unroll
    for (int k = 0; k < kQuad; ++k) gradient[r][k] *= activation_slope(kActivation, values[r][k]);
  }
}

// ∂L/∂y → delta.
template <int kWarpRows>
__device__ __forceinline__ void through_activation(const LocalLossLayer& layer,
                                                   const Entries<kWarpRows>& values,
                                                   Entries<kWarpRows>& gradient) {
  if (!layer.delta_through_activation) return;
  if (layer.activation == Activation::kTanh) scale_by_slope<Activation::kTanh>(values, gradient);
  if (layer.activation == Activation::kRelu) scale_by_slope<Activation::kRelu>(values, gradient);
}

// A block's part of the landmarks' ends. coefficient_sums: of the running thread, over its warp's
// rows, for the landmarks lane and lane + kLanes.
template <int kWarpRows>
__device__ void store_ends(const LandmarkPairs& pairs, std::int64_t dim, int landmarks,
                           const GradientMemory<kWarpRows>& memory,
                           const float (&coefficient_sums)[2], const LandmarkEnds& to) {
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

// l1: what the gradients of a warp's rows begin with, and this thread's share of the landmarks'
// coefficient sums.
template <int kWarpRows>
__device__ __forceinline__ void start_from_sums(float4 row_sums, int landmarks,
                                                const GradientMemory<kWarpRows>& memory,
                                                Entries<kWarpRows>& gradient,
                                                float (&coefficient_sums)[2]) {
  const int lane = static_cast<int>(threadIdx.x) % kLanes;
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
#pragma unroll
    for (int q = 0; q < WarpShape<kWarpRows>::kRowQuads; ++q) {
      coefficient_sums[k] += sum_of(memory.coefficients[m * WarpShape<kWarpRows>::kRowQuads + q]);
    }
  }
}

// Grid: parts of the rows × slices of the dimensions.
template <Metric kMetric, int kWarpRows>
__global__ void __launch_bounds__(kTileThreads, kBlocks)
    landmark_gradient_kernel(LandmarkPairs pairs, LandmarkTarget target, const float* distances,
                             RowQuads output, LocalLossLayer layer, const LayerState* state,
                             LandmarkEnds ends, WritableQuads delta) {
  const std::int64_t rows = *pairs.row_count;
  const auto count = static_cast<int>(*pairs.landmark_count);
  const int landmarks = (count + kWarps - 1) / kWarps * kWarps;
  const GradientMemory<kWarpRows> memory(dynamic_shared<float4>(), landmarks);
  const bool exact = fill_tables(pairs, layer, kMetric, landmarks, memory);
  const CoefficientRule rule(*state, *target.scales, kMetric);
  const int thread = static_cast<int>(threadIdx.x);
  OwnQuads own{0, static_cast<int>(blockIdx.y) * kSliceDims + thread % kLanes * kQuad};
  float coefficient_sums[2] = {};
  constexpr int kBlockRows = WarpShape<kWarpRows>::kBlockRows;
  const std::int64_t tiles = ceil_div(pairs.row_capacity, kBlockRows);
  for (std::int64_t tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
    own.first_row = tile * kBlockRows + thread / kLanes * kWarpRows;
    Entries<kWarpRows> gradient;
    if (tile * kBlockRows < rows) {
      Entries<kWarpRows> values;
      own.load(rows, output, values);
      const float4 row_sums =
          form_coefficients(pairs, count, rule, target.inputs, distances, own.first_row, memory);
      if constexpr (kMetric == Metric::kL2) {
        set_all(gradient, 0.0F);
        add_landmarks<Difference>(memory, landmarks, values, gradient);
      } else {
        start_from_sums(row_sums, landmarks, memory, gradient, coefficient_sums);
        if (exact) {
          add_landmarks<ExactStep>(memory, landmarks, values, gradient);
        } else {
          add_landmarks<Step>(memory, landmarks, values, gradient);
        }
      }
      through_activation(layer, values, gradient);
    } else {
      set_all(gradient, 0.0F);
    }
    own.store(pairs.row_capacity, delta, gradient);
  }
  store_ends(pairs, layer.out, landmarks, memory, coefficient_sums, ends);
}

}  // namespace

std::size_t landmark_gradient_bytes(int landmarks) {
  constexpr std::size_t kBytes =
      sizeof(float4) * (3 * kLanes + kWarps * WarpShape<kManyRows>::kRowQuads) +
      sizeof(std::int64_t) + sizeof(float);
  return static_cast<std::size_t>(padded_landmarks(landmarks)) * kBytes;
}

LandmarkEnds add_landmark_gradient(Context& context, const LandmarkPairs& pairs,
                                   const LandmarkTarget& target, const float* distances,
                                   const RowQuads& output, const LocalLossLayer& layer,
                                   const LayerOptions& options, const LayerState* state) {
  const std::int64_t slices = ceil_div(layer.out, kSliceDims);
  const auto tiles_of = [&](int block_rows) { return ceil_div(pairs.row_capacity, block_rows); };
  const bool few =
      2 * tiles_of(WarpShape<kManyRows>::kBlockRows) * slices <= context.device.multiprocessors;
  const std::int64_t tiles =
      tiles_of(few ? WarpShape<kFewRows>::kBlockRows : WarpShape<kManyRows>::kBlockRows);
  // All at once: each has tables to fill and ends to leave behind.
  const std::int64_t wanted = ceil_div(kBlocks * context.device.multiprocessors, slices);
  const auto parts = static_cast<int>(std::clamp<std::int64_t>(wanted, 1, tiles));
  const std::int64_t of_parts = std::int64_t{parts} * pairs.landmark_capacity;
  const LandmarkEnds ends{context.scratch<float>(of_parts * layer.out),
                          context.scratch<float>(of_parts), parts};
  const Rows rows{pairs.row_count, pairs.row_capacity};
  const WritableQuads delta = writable_quads(context, rows, layer.delta, layer.out);
  const LaunchShape shape{.grid = dim3(static_cast<unsigned>(parts), static_cast<unsigned>(slices)),
                          .block = dim3(kTileThreads),
                          .shared_bytes = landmark_gradient_bytes(pairs.landmark_capacity)};
  const auto enqueue = [&](auto kernel) {
    launch(kernel, shape, context.stream, pairs, target, distances, output, layer, state, ends,
           delta);
  };
  if (options.metric == Metric::kL2) {
    enqueue(few ? landmark_gradient_kernel<Metric::kL2, kFewRows>
                : landmark_gradient_kernel<Metric::kL2, kManyRows>);
  } else {
    enqueue(few ? landmark_gradient_kernel<Metric::kL1, kFewRows>
                : landmark_gradient_kernel<Metric::kL1, kManyRows>);
  }
  copy_back(context, rows, delta, layer.delta, layer.out);
  return ends;
}

}  // namespace lpdm::cuda
