// The matrices of one tile of pairs, kTile × kTile each, as [row][column].
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/common/context.h"
#include "cpu/pairs/pairwise_tile.h"

namespace lpdm::cpu {

// A tile between a strip's block (columns) and another block (rows).
struct TilePlace {
  std::int64_t strip = 0;
  std::int64_t block = 0;
  std::int64_t task = 0;  // of its round
  int worker = 0;         // who works on it
};

struct PairTile {
  float* target = nullptr;           // T
  float* weights = nullptr;          // PairMask's, null: every pair counts
  float* distances = nullptr;        // of a layer's outputs
  float* coefficients = nullptr;     // of a layer's gradient
  float* input_distances = nullptr;  // of a layer's input; error propagation only
};

// Room for one tile per worker.
class WorkerTiles {
 public:
  explicit WorkerTiles(Context& context) {
    for (int worker = 0; worker < context.pool.size(); ++worker) {
      memory_.emplace_back(context.memory);
    }
  }

  PairTile get(int worker, bool weighted, bool propagated) {
    constexpr std::int64_t kSize = kTile * kTile;
    float* next =
        memory_[static_cast<std::size_t>(worker)].get((3 + weighted + propagated) * kSize);
    const auto take = [&next] {
      float* matrix = next;
      next += kSize;
      return matrix;
    };
    return {.target = take(),
            .weights = weighted ? take() : nullptr,
            .distances = take(),
            .coefficients = take(),
            .input_distances = propagated ? take() : nullptr};
  }

 private:
  std::vector<Scratch<float>> memory_;
};

}  // namespace lpdm::cpu
