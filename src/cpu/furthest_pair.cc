#include <algorithm>
#include <array>
#include <set>

#include "cpu/pair_blocks.h"

namespace lpdm::cpu {

namespace {

constexpr std::int64_t kStarts = 8;  // rows whose distances are computed together
constexpr int kMaxSweeps = 8;        // in practice two or three suffice

struct Furthest {
  float distance = 0.0F;
  std::int64_t position = 0;
};

// Distances of up to kStarts query rows to all rows, and for each query the furthest kept one.
class Sweep {
 public:
  Sweep(Context& context, const PairLayout& layout, const PackedBlocks& blocks, Metric metric)
      : context_(context),
        layout_(layout),
        blocks_(blocks),
        metric_(metric),
        panel_memory_(context.memory),
        found_(static_cast<std::size_t>(layout.blocks())) {}

  std::array<Furthest, kStarts> from(const std::vector<std::int64_t>& queries) {
    const BlockPanel panel = gather(queries);
    context_.pool.parallel_for(layout_.blocks(), [&](std::int64_t block, int) {
      alignas(kAlignment) float distances[kStarts * kTile];
      distance_tile(metric_, panel, kStarts, blocks_.panel(block), blocks_.dim(), distances);
      found_[static_cast<std::size_t>(block)] = furthest_in_block(queries, block, distances);
    });
    std::array<Furthest, kStarts> best{};
    for (const auto& block : found_) {
      for (std::size_t q = 0; q < queries.size(); ++q) {
        if (block[q].distance > best[q].distance) best[q] = block[q];
      }
    }
    return best;
  }

 private:
  // The queries as the first rows of a panel of their own.
  BlockPanel gather(const std::vector<std::int64_t>& queries) {
    const std::int64_t dim = blocks_.dim();
    float* values = panel_memory_.get((dim + 1) * kTile);
    float* sums = values + dim * kTile;
    for (std::int64_t q = 0; q < kStarts; ++q) {
      const std::int64_t position =
          queries[std::min(static_cast<std::size_t>(q), queries.size() - 1)];
      const BlockPanel from = blocks_.panel(position / kTile);
      for (std::int64_t d = 0; d < dim; ++d) {
        values[d * kTile + q] = from.values[d * kTile + position % kTile];
      }
      sums[q] = from.sums[position % kTile];
    }
    return {values, sums};
  }

  std::array<Furthest, kStarts> furthest_in_block(const std::vector<std::int64_t>& queries,
                                                  std::int64_t block, const float* distances) {
    std::array<Furthest, kStarts> best{};
    for (std::size_t q = 0; q < queries.size(); ++q) {
      const bool query_kept = queries[q] < layout_.kept();
      const std::int64_t columns =
          query_kept ? layout_.block_rows(block) : layout_.block_kept(block);
      for (std::int64_t c = 0; c < columns; ++c) {
        const float distance = distances[static_cast<std::int64_t>(q) * kTile + c];
        if (distance > best[q].distance) best[q] = {distance, block * kTile + c};
      }
    }
    return best;
  }

  Context& context_;
  const PairLayout& layout_;
  const PackedBlocks& blocks_;
  Metric metric_;
  Scratch<float> panel_memory_;
  std::vector<std::array<Furthest, kStarts>> found_;
};

}  // namespace

float furthest_pair(Context& context, const PairLayout& layout, const PackedBlocks& blocks,
                    Metric metric) {
  Sweep sweep(context, layout, blocks, metric);
  std::set<std::int64_t> seen;
  std::vector<std::int64_t> queries;
  for (std::int64_t start = 0; start < kStarts; ++start) {
    const std::int64_t position = start * layout.kept() / kStarts;
    if (seen.insert(position).second) queries.push_back(position);
  }
  float largest = 0.0F;
  for (int count = 0; count < kMaxSweeps && !queries.empty(); ++count) {
    const std::array<Furthest, kStarts> found = sweep.from(queries);
    const std::size_t asked = queries.size();
    queries.clear();
    for (std::size_t q = 0; q < asked; ++q) {
      largest = std::max(largest, found[q].distance);
      if (found[q].distance > 0.0F && seen.insert(found[q].position).second) {
        queries.push_back(found[q].position);
      }
    }
  }
  return largest;
}

}  // namespace lpdm::cpu
