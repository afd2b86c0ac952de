#include "cpu/pairs/pair_mask.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>

#include "cpu/pairs/pairwise_error.h"

namespace lpdm::cpu {

// One row of T, held as the row `row` of consecutive tiles. A histogram over [0, 1] leaves only a
// few entries to be sorted out for a rank.
class PairMask::RowRanking {
 public:
  RowRanking(const float* tiles, std::int64_t row, std::int64_t count, std::int64_t self)
      : row_(tiles + row * kTile), count_(count), self_(self) {
    histogram_.fill(0);
    visit([this](float value, std::int64_t) { ++histogram_[bucket(value)]; });
  }

  struct Entry {
    float value = 0.0F;
    std::int64_t column = 0;
  };

  // The entry of rank `rank`, from 0, by (value, column).
  Entry at(std::int64_t rank) {
    std::size_t wanted = 0;
    while (rank >= histogram_[wanted]) rank -= histogram_[wanted++];
    keys_.clear();
    visit([&](float value, std::int64_t column) {
      if (bucket(value) == wanted) keys_.push_back(key(value, column));
    });
    const auto found = keys_.begin() + rank;
    std::nth_element(keys_.begin(), found, keys_.end());
    return {std::bit_cast<float>(static_cast<std::uint32_t>(*found >> 32)),
            static_cast<std::int64_t>(*found & 0xFFFFFFFFU)};
  }

 private:
  static constexpr std::size_t kBuckets = 512;

  template <class Visitor>
  void visit(const Visitor& visitor) const {
    for (std::int64_t first = 0; first < count_; first += kTile) {
      const float* values = row_ + first * kTile;
      const std::int64_t size = std::min(kTile, count_ - first);
      for (std::int64_t c = 0; c < size; ++c) {
        if (first + c != self_) visitor(values[c], first + c);
      }
    }
  }

  static std::size_t bucket(float value) {
    return value < 1.0F ? static_cast<std::size_t>(value * kBuckets) : kBuckets - 1;
  }

  // Orders as (value, column) does: the bits of floats from +0 on ascend with their value.
  static std::uint64_t key(float value, std::int64_t column) {
    const auto bits = std::bit_cast<std::uint32_t>(value + 0.0F);  // −0 becomes 0
    return std::uint64_t{bits} << 32 | static_cast<std::uint64_t>(column);
  }

  const float* row_;
  std::int64_t count_;
  std::int64_t self_;
  std::array<std::int64_t, kBuckets> histogram_;
  std::vector<std::uint64_t> keys_;
};

void PairMask::Limits::reset(std::int64_t size, float nothing_kept) {
  values.assign(static_cast<std::size_t>(size), nothing_kept);
  columns.assign(static_cast<std::size_t>(size), 0);
}

PairMask::PairMask(Context& context) : context_(context) {
  for (int worker = 0; worker < context.pool.size(); ++worker) {
    worker_rows_.emplace_back(context.memory);
  }
}

void PairMask::build(const PairLayout& layout, const InputTarget& input,
                     const TargetScales& scales) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  layout_ = &layout;
  closest_.reset(layout.blocks() * kTile, -kInfinity);
  furthest_.reset(layout.blocks() * kTile, kInfinity);
  const std::int64_t others = layout.rows() - 1;
  context_.pool.parallel_for(layout.blocks(), [&](std::int64_t block, int worker) {
    float* tiles =
        worker_rows_[static_cast<std::size_t>(worker)].get(layout.blocks() * kTile * kTile);
    for (std::int64_t strip = 0; strip < layout.blocks(); ++strip) {
      input.distances(strip, block, tiles + strip * kTile * kTile);
      input.normalize(strip, block, scales, tiles + strip * kTile * kTile);
    }
    for (std::int64_t r = 0; r < layout.block_rows(block); ++r) {
      const std::int64_t self = block * kTile + r;
      RowRanking ranking(tiles, r, layout.rows(), self);
      const auto limit = [&](Limits& limits, std::int64_t rank) {
        const RowRanking::Entry entry = ranking.at(rank);
        limits.values[static_cast<std::size_t>(self)] = entry.value;
        limits.columns[static_cast<std::size_t>(self)] = entry.column;
      };
      if (layout.closest() > 0) limit(closest_, layout.closest() - 1);
      if (layout.furthest() > 0) limit(furthest_, others - layout.furthest());
    }
  });
}

void PairMask::weigh(std::int64_t strip, std::int64_t block, const float* target,
                     float* weights) const {
  // Within the tile a limit's column counts from the tile's first one.
  const auto local = [](const Limits& limits, std::int64_t own, std::int64_t other,
                        float* columns) -> RankLimits {
    for (std::int64_t k = 0; k < kTile; ++k) {
      columns[k] = static_cast<float>(limits.columns[static_cast<std::size_t>(own * kTile + k)] -
                                      other * kTile);
    }
    return {limits.values.data() + own * kTile, columns};
  };
  alignas(kAlignment) float columns[4][kTile];
  const std::int64_t rows = layout_->block_rows(block);
  weight_tile({.rows = rows,
               .row_closest = local(closest_, block, strip, columns[0]),
               .row_furthest = local(furthest_, block, strip, columns[1]),
               .column_closest = local(closest_, strip, block, columns[2]),
               .column_furthest = local(furthest_, strip, block, columns[3]),
               .target = target,
               .weights = weights});
  if (strip != block) return;
  for (std::int64_t r = 0; r < rows; ++r) weights[r * kTile + r] = 0.0F;
}

}  // namespace lpdm::cpu
