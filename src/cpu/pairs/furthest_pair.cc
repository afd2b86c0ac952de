#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "cpu/pairs/pair_blocks.h"

namespace lpdm::cpu {

namespace {

constexpr std::int64_t kStarts = 8;  // rows whose distances are computed together
constexpr int kMaxSweeps = 8;        // in practice two or three suffice
// More starts find the maximum more often; these cost about a fiftieth of a pass over all pairs.
constexpr std::int64_t kRowsPerStart = 256;

struct Furthest {
  float distance = 0.0F;
  std::int64_t position = 0;
};

// Distances of up to kStarts query rows of a group to all its rows, and for each query the furthest
// kept one.
class Sweep {
 public:
  Sweep(Context& context, const PairLayout& layout, const PackedBlocks& blocks, Metric metric,
        const PairMeasure& measure = {})
      : context_(context),
        layout_(layout),
        blocks_(blocks),
        metric_(metric),
        measure_(measure),
        panel_memory_(context.memory),
        word_memory_(context.memory),
        found_(static_cast<std::size_t>(layout.longest_group())) {}

  std::array<Furthest, kStarts> from(const std::vector<std::int64_t>& queries) {
    const BlockPanel panel = gather(queries);
    const std::int64_t first = layout_.group_begin(queries.front() / kTile);
    const std::int64_t count = layout_.group_end(first) - first;
    context_.pool.parallel_for(count, [&](std::int64_t k, int) {
      const std::int64_t block = first + k;
      alignas(kAlignment) float distances[kStarts * kTile];
      distance_tile(metric_, panel, kStarts, blocks_.panel(block), blocks_.dim(), distances);
      found_[static_cast<std::size_t>(k)] = furthest_in_block(queries, block, distances);
    });
    std::array<Furthest, kStarts> best{};
    for (std::int64_t k = 0; k < count; ++k) {
      const auto& block = found_[static_cast<std::size_t>(k)];
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
    if (!blocks_.in_levels()) {
      float* values = panel_memory_.get((dim + 1) * kTile);
      float* sums = values + dim * kTile;
      for_each_query(queries, [&](std::int64_t q, const BlockPanel& from, std::int64_t row) {
        for (std::int64_t d = 0; d < dim; ++d) values[d * kTile + q] = from.values[d * kTile + row];
        sums[q] = from.sums[row];
      });
      return {.values = values, .sums = sums, .levels = {}};
    }
    const std::int64_t count = level_words_of(dim);
    std::int32_t* words = word_memory_.get((count + 1) * kTile);
    std::int32_t* sums = words + count * kTile;
    for_each_query(queries, [&](std::int64_t q, const BlockPanel& from, std::int64_t row) {
      const LevelBlock& levels = from.levels;
      for (std::int64_t w = 0; w < count; ++w) words[w * kTile + q] = levels.words[w * kTile + row];
      sums[q] = levels.sums[row];
    });
    return {.levels = {words, sums, blocks_.panel(0).levels.step}};
  }

  // run(q, panel, row): where query q lies, of which there are kStarts, the last one repeated.
  template <class Run>
  void for_each_query(const std::vector<std::int64_t>& queries, const Run& run) const {
    for (std::int64_t q = 0; q < kStarts; ++q) {
      const std::int64_t position =
          queries[std::min(static_cast<std::size_t>(q), queries.size() - 1)];
      run(q, blocks_.panel(position / kTile), position % kTile);
    }
  }

  std::array<Furthest, kStarts> furthest_in_block(const std::vector<std::int64_t>& queries,
                                                  std::int64_t block, const float* distances) {
    std::array<Furthest, kStarts> best{};
    for (std::size_t q = 0; q < queries.size(); ++q) {
      const std::int64_t columns =
          layout_.kept(queries[q]) ? layout_.block_rows(block) : layout_.block_kept(block);
      for (std::int64_t c = 0; c < columns; ++c) {
        float distance = distances[static_cast<std::int64_t>(q) * kTile + c];
        if (measure_.shifts != nullptr) {
          distance = measure_.scale * distance + measure_.shifts[queries[q]] +
                     measure_.shifts[block * kTile + c];
        }
        if (distance > best[q].distance) best[q] = {distance, block * kTile + c};
      }
    }
    return best;
  }

  Context& context_;
  const PairLayout& layout_;
  const PackedBlocks& blocks_;
  Metric metric_;
  PairMeasure measure_;
  Scratch<float> panel_memory_;
  Scratch<std::int32_t> word_memory_;
  std::vector<std::array<Furthest, kStarts>> found_;  // by block of the group
};

// Kept rows of a group; they are its first ones.
std::int64_t kept_rows(const PairLayout& layout, std::int64_t begin) {
  std::int64_t kept = 0;
  for (std::int64_t block = begin; block < layout.group_end(begin); ++block) {
    kept += layout.block_kept(block);
  }
  return kept;
}

void add_pairs(const std::vector<std::int64_t>& queries, const std::array<Furthest, kStarts>& found,
               std::vector<FoundPair>& pairs) {
  for (std::size_t q = 0; q < queries.size(); ++q) {
    if (found[q].distance > 0.0F) {
      pairs.push_back({found[q].distance, queries[q], found[q].position});
    }
  }
}

// From rows to the rows furthest from them and on from there, until all have been asked before.
// pairs: where all that were met are added, if not null.
float climb(Sweep& sweep, std::vector<std::int64_t> queries, std::set<std::int64_t>& seen,
            std::vector<FoundPair>* pairs) {
  float largest = 0.0F;
  for (int count = 0; count < kMaxSweeps && !queries.empty(); ++count) {
    const std::array<Furthest, kStarts> found = sweep.from(queries);
    if (pairs != nullptr) add_pairs(queries, found, *pairs);
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

// From rows evenly spread over the first `rows` from `begin` on. pairs: as climb's.
float climb_from(Sweep& sweep, std::int64_t begin, std::int64_t rows, std::int64_t starts,
                 std::vector<FoundPair>* pairs) {
  std::set<std::int64_t> seen;
  float largest = 0.0F;
  for (std::int64_t first = 0; first < starts; first += kStarts) {
    std::vector<std::int64_t> queries;
    for (std::int64_t start = first; start < std::min(starts, first + kStarts); ++start) {
      const std::int64_t position = begin + start * rows / starts;
      if (seen.insert(position).second) queries.push_back(position);
    }
    if (!queries.empty())
      largest = std::max(largest, climb(sweep, std::move(queries), seen, pairs));
  }
  return largest;
}

float furthest_in_group(Sweep& sweep, const PairLayout& layout, std::int64_t begin) {
  const std::int64_t kept = kept_rows(layout, begin);
  return climb_from(sweep, begin * kTile, kept, std::max(kStarts, kept / kRowsPerStart), nullptr);
}

// Of groups that are one block each: all their pairs are looked at, many groups at once.
float largest_within_blocks(Context& context, const PairLayout& layout, const PackedBlocks& blocks,
                            Metric metric) {
  std::vector<float> largest(static_cast<std::size_t>(layout.blocks()), 0.0F);
  context.pool.parallel_for(layout.blocks(), [&](std::int64_t block, int) {
    const std::int64_t rows = layout.block_rows(block);
    if (layout.group_end(block) - layout.group_begin(block) > 1 || rows == 1) return;
    alignas(kAlignment) float distances[kTile * kTile];
    distance_tile(metric, blocks.panel(block), rows, blocks.panel(block), blocks.dim(), distances);
    float& found = largest[static_cast<std::size_t>(block)];
    for (std::int64_t r = 0; r < rows; ++r) {
      const float* row = distances + r * kTile;
      found = std::max(found, *std::max_element(row, row + layout.block_kept(block)));
    }
  });
  return *std::max_element(largest.begin(), largest.end());
}

}  // namespace

float furthest_pair(Context& context, const PairLayout& layout, const PackedBlocks& blocks,
                    Metric metric) {
  Sweep sweep(context, layout, blocks, metric);
  float largest = largest_within_blocks(context, layout, blocks, metric);
  for (std::int64_t begin = 0; begin < layout.blocks(); begin = layout.group_end(begin)) {
    if (layout.group_end(begin) - begin == 1) continue;
    largest = std::max(largest, furthest_in_group(sweep, layout, begin));
  }
  return largest;
}

std::vector<FoundPair> furthest_pairs(Context& context, const PairLayout& layout,
                                      const PackedBlocks& blocks, Metric metric,
                                      const PairMeasure& measure) {
  constexpr std::int64_t kMostStarts = 1024;
  Sweep sweep(context, layout, blocks, metric, measure);
  std::vector<FoundPair> pairs;
  climb_from(sweep, 0, layout.rows(), std::min(layout.rows(), kMostStarts), &pairs);
  return pairs;
}

}  // namespace lpdm::cpu
