// For l1 the direction of a pair in a dimension is sign(y_i − y_j), which depends on the order of
// the values alone. With their ranks, saturate(rank_i + ½ − rank_j) is 1 above, ½ at and 0 below
// equality, exactly, whatever the values: one FADD.SAT; and Σ c · sign = 2 Σ c · step − Σ c.
#include "common/launch.h"
#include "pairs/dispatch.cuh"
#include "pairs/pair_gradient.h"
#include "pairs/stored_pairs.cuh"

namespace lpdm::cuda {

namespace {

constexpr int kStageColumns = 16;  // rows of `columns` brought into shared memory at once
constexpr int kOrderQuads = static_cast<int>(kOrderWidth) / kQuad;
constexpr int kLoads = kStageColumns * kOrderQuads / kTileThreads;
static_assert(kLoads * kTileThreads == kStageColumns * kOrderQuads);

struct OrderStages {
  float4 columns[2][kStageColumns][kOrderQuads];
};

// What lies in the same place is never needed at once.
struct GradientStages {
  float4 coefficients[kTileColumns][kTileRows / kQuad];  // swizzled, see coefficient_quad
  union Rest {
    OrderStages order;
    float row_sums[2][kTileRows];
    __device__ Rest() {}
  } rest;
};

union Shared {
  DistanceStages distances;
  GradientStages gradient;
  __device__ Shared() {}
};

// Where rows 4 quad .. 4 quad + 3 of a column lie: turned by the column, so that the threads of a
// warp, whose columns are 4 apart, write to different banks.
__device__ __forceinline__ int coefficient_quad(int column, int quad) {
  return quad ^ (column / kQuad % 8);
}

struct L1Direction {
  static constexpr float kEqual = 0.5F;
  __device__ static float of_own(float rank) { return rank + kEqual; }
  __device__ static void add(float& sum, float coefficient, float own, float other) {
    sum = __fmaf_rn(coefficient, __saturatef(own - other), sum);
  }
};

struct L2Direction {
  __device__ static float of_own(float value) { return value; }
  __device__ static void add(float& sum, float coefficient, float own, float other) {
    sum = __fmaf_rn(coefficient, own - other, sum);
  }
};

// E, times how often the pair counts, and the share of the maximum, for each entry of the tile;
// distances → coefficients.
__device__ void form_coefficients(const PairDomain& domain, const TileBounds& bounds,
                                  const EntryMasks& masks, const LayerState& state, Metric metric,
                                  const Fragment& target, Fragment& distances) {
  const ErrorWeights weights = state.weights;
  const float of_maximum = state.maximum_coefficient;
  const std::uint64_t counted = masks.pair & ~diagonal_mask(domain, bounds);
#pragma unroll
  for (int r = 0; r < kOwn; ++r) {
#pragma unroll
    for (int c = 0; c < kOwn; ++c) {
      const std::uint64_t bit = EntryMasks::bit(r, c);
      const float count = ((masks.kept_by_row & bit) != 0 ? 0.5F : 0.0F) +
                          ((masks.kept_by_column & bit) != 0 ? 0.5F : 0.0F);
      const float distance = distances[r][c];
      float coefficient =
          count * __fmaf_rn(-weights.distance, distance, __fmul_rn(weights.target, target[r][c]));
      if (distance == weights.maximum) coefficient += of_maximum;
      if (metric == Metric::kL2) coefficient = distance > 0.0F ? coefficient / distance : 0.0F;
      distances[r][c] = (counted & bit) != 0 ? coefficient : 0.0F;
    }
  }
}

__device__ void store_coefficients(const Fragment& coefficients, Shared& shared) {
  const TilePlace place;
#pragma unroll
  for (int c = 0; c < kOwn; ++c) {
    const int column = place.column(c);
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int quad = place.row_group * 2 + half;
      const int r = half * kQuad;
      shared.gradient.coefficients[column][coefficient_quad(column, quad)] =
          make_float4(coefficients[r][c], coefficients[r + 1][c], coefficients[r + 2][c],
                      coefficients[r + 3][c]);
    }
  }
}

// Of the thread's row, which is threadIdx.x % kTileRows, over the thread's half of the columns.
__device__ float half_row_sum(const Shared& shared) {
  const int row = static_cast<int>(threadIdx.x) % kTileRows;
  const int half = static_cast<int>(threadIdx.x) / kTileRows;
  float sum = 0.0F;
  for (int k = 0; k < kTileColumns / 2; ++k) {
    const int column = half * (kTileColumns / 2) + k;
    const auto* quad = reinterpret_cast<const float*>(
        &shared.gradient.coefficients[column][coefficient_quad(column, row / kQuad)]);
    sum += quad[row % kQuad];
  }
  return sum;
}

// The running thread's 8 rows × 8 dimensions of a chunk of kOrderWidth dimensions, as pairs of
// quads: dimensions 4 g .. and 64 + 4 g ...
__device__ std::int64_t own_offset(const TilePlace& place, std::int64_t first_row, int r, int half,
                                   std::int64_t width, std::int64_t first_dim) {
  return (first_row + place.row(r)) * width + first_dim + half * (kOrderWidth / 2) +
         place.column_group * kQuad;
}

// `from`: the thread's own place in the first row of a stage.
__device__ __forceinline__ void load_order(const float4* from, std::int64_t row_step,
                                           float4 (&carried)[kLoads]) {
#pragma unroll
  for (int k = 0; k < kLoads; ++k) carried[k] = from[k * (kStageColumns / kLoads) * row_step];
}

__device__ __forceinline__ void store_order(const float4 (&carried)[kLoads], int buffer,
                                            OrderStages& stages) {
#pragma unroll
  for (int k = 0; k < kLoads; ++k) {
    const int at = static_cast<int>(threadIdx.x) + k * kTileThreads;
    stages.columns[buffer][at / kOrderQuads][at % kOrderQuads] = carried[k];
  }
}

template <class Direction>
__device__ __forceinline__ void add_column(const Shared& shared, int buffer, int in_stage,
                                           int column, const TilePlace& place, const Fragment& own,
                                           Fragment& sums) {
  float coefficient[kOwn], other[kOwn];
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const float4 g =
        shared.gradient.coefficients[column][coefficient_quad(column, place.row_group * 2 + half)];
    const float4 o = shared.gradient.rest.order
                         .columns[buffer][in_stage][half * kColumnGroups + place.column_group];
    coefficient[half * kQuad] = g.x, coefficient[half * kQuad + 1] = g.y;
    coefficient[half * kQuad + 2] = g.z, coefficient[half * kQuad + 3] = g.w;
    other[half * kQuad] = o.x, other[half * kQuad + 1] = o.y;
    other[half * kQuad + 2] = o.z, other[half * kQuad + 3] = o.w;
  }
#pragma unroll
  for (int r = 0; r < kOwn; ++r) {
#pragma unroll
    for (int d = 0; d < kOwn; ++d) Direction::add(sums[r][d], coefficient[r], own[r][d], other[d]);
  }
}

// Adds a tile's columns to the gradient of its rows in the dimensions first_dim ...
template <class Direction>
__device__ __forceinline__ void add_chunk(const OrderedRows& rows, const OrderedRows& columns,
                                          const TileBounds& bounds, std::int64_t first_dim,
                                          bool fresh, float* part, Shared& shared) {
  const TilePlace place;
  Fragment own, sums;
#pragma unroll
  for (int r = 0; r < kOwn; ++r) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const float4 quad = *reinterpret_cast<const float4*>(
          rows.values + own_offset(place, bounds.first_row, r, half, rows.width, first_dim));
      own[r][half * kQuad] = Direction::of_own(quad.x);
      own[r][half * kQuad + 1] = Direction::of_own(quad.y);
      own[r][half * kQuad + 2] = Direction::of_own(quad.z);
      own[r][half * kQuad + 3] = Direction::of_own(quad.w);
    }
#pragma unroll
    for (int d = 0; d < kOwn; ++d) sums[r][d] = 0.0F;
  }
  const int used = static_cast<int>(
      min(static_cast<std::int64_t>(kTileColumns), bounds.columns - bounds.first_column));
  const int stage_count = (used + kStageColumns - 1) / kStageColumns;
  float4 carried[kLoads];
  const std::int64_t row_step = columns.width / kQuad;
  const auto* from =
      reinterpret_cast<const float4*>(columns.values + first_dim) +
      (bounds.first_column + static_cast<int>(threadIdx.x) / kOrderQuads) * row_step +
      static_cast<int>(threadIdx.x) % kOrderQuads;
  load_order(from, row_step, carried);
  store_order(carried, 0, shared.gradient.rest.order);
  __syncthreads();
  for (int s = 0; s < stage_count; ++s) {
    const bool more = s + 1 < stage_count;
    from += kStageColumns * row_step;
    if (more) load_order(from, row_step, carried);
#pragma unroll
    for (int k = 0; k < kStageColumns; ++k) {
      add_column<Direction>(shared, s % 2, k, s * kStageColumns + k, place, own, sums);
    }
    if (more) store_order(carried, (s + 1) % 2, shared.gradient.rest.order);
    __syncthreads();
  }
#pragma unroll
  for (int r = 0; r < kOwn; ++r) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      auto* at = reinterpret_cast<float4*>(
          part + own_offset(place, bounds.first_row, r, half, rows.width, first_dim));
      float4 total = fresh ? make_float4(0.0F, 0.0F, 0.0F, 0.0F) : *at;
      total.x += sums[r][half * kQuad];
      total.y += sums[r][half * kQuad + 1];
      total.z += sums[r][half * kQuad + 2];
      total.w += sums[r][half * kQuad + 3];
      *at = total;
    }
  }
}

// A split without tiles: nothing is added to its rows.
__device__ void write_zeros(const TileBounds& bounds, std::int64_t width, float* part) {
  float* first = part + bounds.first_row * width;
  for (std::int64_t k = threadIdx.x; k < kTileRows * width; k += kTileThreads) first[k] = 0.0F;
}

template <class InputArithmetic, class LayerArithmetic, class Direction, bool kChain>
__global__ void __launch_bounds__(kTileThreads, kChain ? 1 : kTileBlocks)
    pair_gradient_kernel(PairDomain domain, TargetView view, LayerView layer, Metric metric,
                         OrderedRows rows, OrderedRows columns, const LayerState* state,
                         GradientParts parts) {
  __shared__ Shared shared;
  TileWalk walk(domain, false);
  if (!walk.has_rows()) return;
  float* part = parts.sums + blockIdx.y * parts.stride * rows.width;
  float coefficient_sum = 0.0F;
  bool fresh = true;
  walk.for_tiles([&](const TileBounds& bounds) {
    {
      Fragment target, distances;
      EntryMasks masks;
      form_pairs<kChain, InputArithmetic, LayerArithmetic>(
          domain, view, layer, bounds, shared.distances, target, distances, masks);
      form_coefficients(domain, bounds, masks, *state, metric, target, distances);
      store_coefficients(distances, shared);
    }
    __syncthreads();
    coefficient_sum += half_row_sum(shared);
    for (std::int64_t dim = 0; dim < rows.width; dim += kOrderWidth) {
      add_chunk<Direction>(rows, columns, bounds, dim, fresh, part, shared);
    }
    fresh = false;
  });
  if (fresh) write_zeros(walk.bounds, rows.width, part);
  const int thread = static_cast<int>(threadIdx.x);
  shared.gradient.rest.row_sums[thread / kTileRows][thread % kTileRows] = coefficient_sum;
  __syncthreads();
  if (thread < kTileRows) {
    parts.coefficient_sums[blockIdx.y * parts.stride + walk.bounds.first_row + thread] =
        shared.gradient.rest.row_sums[0][thread] + shared.gradient.rest.row_sums[1][thread];
  }
}

}  // namespace

TileGrid gradient_grid(const PairDomain& domain, int multiprocessors) {
  return tile_grid(domain, multiprocessors);
}

GradientParts make_gradient_parts(Context& context, const TileGrid& grid, std::int64_t width) {
  GradientParts parts;
  parts.stride = grid.row_blocks * kTileRows;
  parts.splits = grid.splits;
  parts.sums = context.scratch<float>(grid.splits * parts.stride * width);
  parts.coefficient_sums = context.scratch<float>(grid.splits * parts.stride);
  return parts;
}

void add_pair_gradient(Context& context, const TileGrid& grid, const PairDomain& domain,
                       const TargetView& target, const LayerView& layer,
                       const LayerOptions& options, const OrderedRows& rows,
                       const OrderedRows& columns, const LayerState* state,
                       const GradientParts& parts) {
  dispatch_arithmetic(
      options.metric, layer.arithmetic, target.links > 0,
      [&](auto input, auto of_layer, auto chain) {
        using Input = typename decltype(input)::type;
        using Direction =
            std::conditional_t<std::is_same_v<Input, Fp32L2>, L2Direction, L1Direction>;
        launch(pair_gradient_kernel<Input, typename decltype(of_layer)::type, Direction,
                                    decltype(chain)::value>,
               {.grid = grid.grid(), .block = dim3(kTileThreads)}, context.stream, domain, target,
               layer, options.metric, rows, columns, state, parts);
      });
}

}  // namespace lpdm::cuda
