// How the pairwise kernels came to look as they do: each step checked against float64, then timed.
//
// Forward, all distances of N rows of D values: a thread per pair; tiles in shared memory; 8×8
// pairs in a thread's registers (what passes 1 and 2 do); the same in fixed point and in halves.
// Gradient, Σ_j c_ij sign(y_i − y_j): by comparison; by saturated differences of ranks.
//
// Runs on a GPU, and under the execution shim, where only the checks mean something.
#include <cuda_runtime.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "common/checks.h"
#include "common/context.h"
#include "common/launch.h"
#include "common/rows.h"
#include "pairs/column_order.h"
#include "pairs/pack_rows.h"
#include "pairs/target_tile.cuh"

namespace lpdm::cuda {
namespace {

constexpr int kSide = 16;  // of the tiles of the second step

// ---- forward: to (n, n) -------------------------------------------------------------------------

__global__ void pair_per_thread(const float* y, int n, int dim, float* to) {
  const int j = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  const int i = static_cast<int>(blockIdx.y * blockDim.y + threadIdx.y);
  if (i >= n || j >= n) return;
  float sum = 0.0F;
  for (int d = 0; d < dim; ++d) {
    sum += fabsf(y[std::int64_t{i} * dim + d] - y[std::int64_t{j} * dim + d]);
  }
  to[std::int64_t{i} * n + j] = sum;
}

__global__ void shared_tiles(const float* y, int n, int dim, float* to) {
  __shared__ float rows[kSide][kSide + 1], columns[kSide][kSide + 1];
  const int x = static_cast<int>(threadIdx.x), row = static_cast<int>(threadIdx.y);
  const int i = static_cast<int>(blockIdx.y) * kSide, j = static_cast<int>(blockIdx.x) * kSide;
  float sum = 0.0F;
  for (int first = 0; first < dim; first += kSide) {
    const int d = first + x;
    rows[row][x] = i + row < n && d < dim ? y[std::int64_t{i + row} * dim + d] : 0.0F;
    columns[row][x] = j + row < n && d < dim ? y[std::int64_t{j + row} * dim + d] : 0.0F;
    __syncthreads();
    for (int k = 0; k < kSide; ++k) sum += fabsf(rows[row][k] - columns[x][k]);
    __syncthreads();
  }
  if (i + row < n && j + x < n) to[std::int64_t{i + row} * n + j + x] = sum;
}

template <class Arithmetic>
__global__ void __launch_bounds__(kTileThreads, kTileBlocks)
    register_tiles(PackedRows y, int n, float* to) {
  __shared__ DistanceStages stages;
  const TilePlace place;
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.y) * kTileRows;
  const std::int64_t j = static_cast<std::int64_t>(blockIdx.x) * kTileColumns;
  Fragment distances;
  distance_tile<Arithmetic>(y, i, y, j, stages, distances);
#pragma unroll
  for (int r = 0; r < kOwn; ++r) {
#pragma unroll
    for (int c = 0; c < kOwn; ++c) {
      const std::int64_t row = i + place.row(r), column = j + place.column(c);
      if (row < n && column < n) to[row * n + column] = distances[r][c];
    }
  }
}

// ---- gradient: to (n, dim), coefficients (n, n)
// ---------------------------------------------------

__global__ void gradient_by_sign(const float* c, const float* y, int n, int dim, float* to) {
  const int d = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  const int i = static_cast<int>(blockIdx.y);
  if (d >= dim) return;
  const float own = y[std::int64_t{i} * dim + d];
  float sum = 0.0F;
  for (int j = 0; j < n; ++j) {
    const float other = y[std::int64_t{j} * dim + d];
    sum += own > other ? c[std::int64_t{i} * n + j] : own < other ? -c[std::int64_t{i} * n + j] : 0;
  }
  to[std::int64_t{i} * dim + d] = sum;
}

__global__ void gradient_by_rank(const float* c, OrderedRows ranks, int n, int dim, float* to) {
  const int d = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  const int i = static_cast<int>(blockIdx.y);
  if (d >= dim) return;
  const float own = ranks.values[i * ranks.width + d] + 0.5F;
  float sum = 0.0F, coefficients = 0.0F;
  for (int j = 0; j < n; ++j) {
    const float coefficient = c[std::int64_t{i} * n + j];
    sum = __fmaf_rn(coefficient, __saturatef(own - ranks.values[j * ranks.width + d]), sum);
    coefficients += coefficient;
  }
  to[std::int64_t{i} * dim + d] = 2.0F * sum - coefficients;
}

// ---- checks and timing --------------------------------------------------------------------------

struct Problem {
  int n, dim;
  std::vector<float> y;           // (n, dim), in [−1, 1]
  std::vector<double> distances;  // (n, n)
  std::vector<double> gradient;   // (n, dim), with the distances as coefficients
};

Problem make_problem(int n, int dim) {
  Problem problem{n, dim, {}, {}, {}};
  std::uint32_t state = 1;
  for (int k = 0; k < n * dim; ++k) {
    state = state * 1664525U + 1013904223U;
    problem.y.push_back(static_cast<float>(state >> 8) / 8388608.0F - 1.0F);
  }
  problem.distances.assign(static_cast<std::size_t>(n) * n, 0.0);
  problem.gradient.assign(problem.y.size(), 0.0);
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < n; ++j) {
      double& distance = problem.distances[static_cast<std::size_t>(i) * n + j];
      for (int d = 0; d < dim; ++d) {
        distance += std::abs(static_cast<double>(problem.y[i * dim + d]) - problem.y[j * dim + d]);
      }
      for (int d = 0; d < dim; ++d) {
        const float own = problem.y[i * dim + d], other = problem.y[j * dim + d];
        problem.gradient[i * dim + d] += distance * ((own > other) - (own < other));
      }
    }
  }
  return problem;
}

template <class T>
T* on_device(const std::vector<T>& values) {
  T* memory = nullptr;
  check(cudaMalloc(&memory, values.size() * sizeof(T)), "an allocation");
  check(cudaMemcpy(memory, values.data(), values.size() * sizeof(T), cudaMemcpyHostToDevice),
        "a copy");
  check(cudaDeviceSynchronize(), "a copy");  // before work on streams that do not wait for it
  return memory;
}

// Largest deviation, over the largest expected magnitude.
double deviation(const float* memory, const std::vector<double>& expected) {
  std::vector<float> found(expected.size());
  check(cudaMemcpy(found.data(), memory, found.size() * sizeof(float), cudaMemcpyDeviceToHost),
        "a copy");
  double largest = 0.0, worst = 0.0;
  for (std::size_t k = 0; k < found.size(); ++k) {
    largest = std::max(largest, std::abs(expected[k]));
    worst = std::max(worst, std::abs(found[k] - expected[k]));
    if (std::isnan(found[k])) return NAN;
  }
  return worst / largest;
}

class Ladder {
 public:
  Ladder(Context& context, const Problem& problem, int repeats)
      : context_(context), problem_(problem), repeats_(repeats) {
    check(cudaEventCreate(&start_), "an event");
    check(cudaEventCreate(&end_), "an event");
  }

  // run() enqueues the step; its result has to be within `tolerance` of `expected`.
  template <class Run>
  void step(const char* name, float* to, const std::vector<double>& expected, double tolerance,
            const Run& run) {
    check(cudaMemsetAsync(to, 0xFF, expected.size() * sizeof(float), context_.stream),
          "clearing memory");
    run();
    check(cudaStreamSynchronize(context_.stream), name);
    const double off = deviation(to, expected);
    check(cudaEventRecord(start_, context_.stream), "an event");
    for (int k = 0; k < repeats_; ++k) run();
    check(cudaEventRecord(end_, context_.stream), "an event");
    check(cudaEventSynchronize(end_), name);
    float milliseconds = 0.0F;
    check(cudaEventElapsedTime(&milliseconds, start_, end_), "an event");
    const double pair_dims = static_cast<double>(problem_.n) * problem_.n * problem_.dim * repeats_;
    const bool good = off <= tolerance;
    std::printf("%-42s %9.3f ms %10.3g pair-dims/s   off by %.1e %s\n", name,
                milliseconds / repeats_, pair_dims / (1e-3 * milliseconds), off,
                good ? "" : "WRONG");
    failed_ = failed_ || !good;
  }
  bool failed() const { return failed_; }

 private:
  Context& context_;
  const Problem& problem_;
  int repeats_;
  cudaEvent_t start_ = nullptr, end_ = nullptr;
  bool failed_ = false;
};

template <class Numbers>
void tile_step(Ladder& ladder, Context& context, const PairSide& side, const Problem& problem,
               const float* y, Arithmetic arithmetic, const char* name, double tolerance,
               float* to) {
  const PackedRows packed = pack_rows(context, side, y, problem.dim, Metric::kL1, arithmetic);
  const auto across = static_cast<unsigned>(ceil_div(problem.n, kTileColumns));
  const auto down = static_cast<unsigned>(ceil_div(problem.n, kTileRows));
  ladder.step(name, to, problem.distances, tolerance, [&] {
    launch(register_tiles<Numbers>, {.grid = dim3(across, down), .block = dim3(kTileThreads)},
           context.stream, packed, problem.n, to);
  });
}

int run(int n, int dim, int repeats) {
  const Problem problem = make_problem(n, dim);
  Shared shared;
  check(cudaDeviceGetAttribute(&shared.device.multiprocessors, cudaDevAttrMultiProcessorCount, 0),
        "a question about the GPU");
  Context context(shared);
  Ladder ladder(context, problem, repeats);
  const float* y = on_device(problem.y);
  const std::int64_t* count = on_device(std::vector<std::int64_t>{n});
  const PairSide side{.count = count, .capacity = n};
  float* to = on_device(std::vector<float>(std::max(problem.distances.size(), problem.y.size())));
  const auto tiles = static_cast<unsigned>(ceil_div(n, kSide));
  const LaunchShape squares{.grid = dim3(tiles, tiles), .block = dim3(kSide, kSide)};
  ladder.step("forward, a thread per pair", to, problem.distances, 1e-5,
              [&] { launch(pair_per_thread, squares, context.stream, y, n, dim, to); });
  ladder.step("forward, tiles in shared memory", to, problem.distances, 1e-5,
              [&] { launch(shared_tiles, squares, context.stream, y, n, dim, to); });
  tile_step<Fp32L1>(ladder, context, side, problem, y, Arithmetic::kFp32,
                    "forward, 8x8 pairs a thread", 1e-5, to);
  tile_step<Fixed>(ladder, context, side, problem, y, Arithmetic::kFixed,
                   "forward, 8x8 in fixed point", 1e-5, to);
  tile_step<Half2>(ladder, context, side, problem, y, Arithmetic::kHalf2, "forward, 8x8 in halves",
                   5e-3, to);
  const float* coefficients =
      on_device(std::vector<float>(problem.distances.begin(), problem.distances.end()));
  const LaunchShape rows{
      .grid = dim3(static_cast<unsigned>(ceil_div(dim, kBlockThreads)), static_cast<unsigned>(n)),
      .block = dim3(kBlockThreads)};
  ladder.step("gradient, by comparison", to, problem.gradient, 1e-5,
              [&] { launch(gradient_by_sign, rows, context.stream, coefficients, y, n, dim, to); });
  const OrderedRows ranks = order_columns(context, side, y, dim, Metric::kL1);
  ladder.step("gradient, by ranks", to, problem.gradient, 1e-5, [&] {
    launch(gradient_by_rank, rows, context.stream, coefficients, ranks, n, dim, to);
  });
  return ladder.failed() ? 1 : 0;
}

}  // namespace
}  // namespace lpdm::cuda

// ladder [rows] [dimensions] [repetitions]
int main(int count, char** arguments) {
  const auto number = [&](int k, int otherwise) {
    return count > k ? std::atoi(arguments[k]) : otherwise;
  };
  try {
    return lpdm::cuda::run(number(1, 2048), number(2, 128), number(3, 20));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}
