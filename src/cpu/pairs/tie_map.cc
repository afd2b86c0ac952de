#include "cpu/pairs/tie_map.h"

#include <algorithm>
#include <bit>

namespace lpdm::cpu {

std::int64_t TieMap::pair_bit(std::int64_t block, std::int64_t other) const {
  const auto [low, high] = std::minmax(block, other);
  return first_bit_[static_cast<std::size_t>(high)] + low;
}

// Returns the number of bits.
std::int64_t TieMap::place_bits(const PairLayout& layout) {
  first_bit_.clear();
  std::int64_t bits = 0;
  for (std::int64_t block = 0; block < layout.blocks(); ++block) {
    first_bit_.push_back(bits - layout.group_begin(block));
    bits += block + 1 - layout.group_begin(block);
  }
  return bits;
}

// Marks one panel, dimension by dimension: open addressing over the values' bits, equal values
// chained. A long chain (a saturated unit) ends the search for the whole panel.
class TieMap::Finder {
 public:
  Finder(const TieMap& map, const PairLayout& layout, const PackedBlocks& blocks, Panel& panel)
      : map_(map),
        layout_(layout),
        blocks_(blocks),
        panel_(panel),
        bits_(std::bit_width(static_cast<std::uint64_t>(layout.rows())) + kSpareBits),
        slots_(std::size_t{1} << bits_),
        chain_(static_cast<std::size_t>(layout.positions())) {}

  void search(std::int64_t first_dim, std::int64_t end_dim) {
    for (std::int64_t d = first_dim; d < end_dim && !panel_.everywhere; ++d) {
      dim_base_ += static_cast<std::uint32_t>(layout_.positions());
      for (std::int64_t block = 0; block < layout_.blocks() && !panel_.everywhere; ++block) {
        const float* values = blocks_.panel(block).values + d * kTile;
        group_base_ = dim_base_ + static_cast<std::uint32_t>(layout_.group_begin(block) * kTile);
        for (std::int64_t r = 0; r < layout_.block_rows(block); ++r) {
          insert(values[r], static_cast<std::uint32_t>(block * kTile + r));
        }
      }
    }
  }

 private:
  static constexpr int kSpareBits = 3;  // at most an eighth of the slots are taken
  static constexpr int kLongestChain = 32;

  // Positions are stored with a base that grows from dimension to dimension, so that the slots of
  // the one before are free without being cleared; likewise those of the groups before.
  struct Slot {
    std::uint32_t value_bits = 0;
    std::uint32_t last = 0;  // base + position of the latest row with this value
  };
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  void insert(float value, std::uint32_t position) {
    const auto value_bits = std::bit_cast<std::uint32_t>(value + 0.0F);  // −0 equals 0
    std::size_t at = (value_bits * 0x9E3779B1U) >> (32 - bits_);
    while (slots_[at].last >= group_base_) {
      if (slots_[at].value_bits == value_bits) {
        const std::uint32_t last = slots_[at].last - dim_base_;
        mark_chain(last, position);
        chain_[position] = last;
        slots_[at].last = dim_base_ + position;
        return;
      }
      at = (at + 1) & (slots_.size() - 1);
    }
    chain_[position] = kNone;
    slots_[at] = {value_bits, dim_base_ + position};
  }

  void mark_chain(std::uint32_t last, std::uint32_t position) {
    int length = 0;
    for (std::uint32_t p = last; p != kNone; p = chain_[p]) {
      const std::int64_t bit = map_.pair_bit(position / kTile, p / kTile);
      panel_.pairs[static_cast<std::size_t>(bit / 64)] |= std::uint64_t{1} << (bit % 64);
      if (++length == kLongestChain) {
        panel_.everywhere = true;
        return;
      }
    }
  }

  const TieMap& map_;
  const PairLayout& layout_;
  const PackedBlocks& blocks_;
  Panel& panel_;
  int bits_;
  std::uint32_t dim_base_ = 0;
  std::uint32_t group_base_ = 0;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> chain_;
};

void TieMap::build(Context& context, const PairLayout& layout, const PackedBlocks& blocks) {
  const std::int64_t panels = panels_of(blocks.dim());
  panels_.resize(static_cast<std::size_t>(panels));
  constexpr std::int64_t kMost = std::int64_t{1} << 27;  // kPanelWidth bases fit 32 bits
  const bool few = layout.kept_blocks() == 1 || layout.longest_group() == 1;
  const bool search = !few && layout.positions() < kMost;
  const std::int64_t bits = search ? place_bits(layout) : 0;
  context.pool.parallel_for(panels, [&](std::int64_t p, int) {
    Panel& panel = panels_[static_cast<std::size_t>(p)];
    panel.everywhere = !search;
    if (!search) return;
    panel.pairs.assign(static_cast<std::size_t>(bits / 64 + 1), 0);
    Finder(*this, layout, blocks, panel)
        .search(p * kPanelWidth, std::min(blocks.dim(), (p + 1) * kPanelWidth));
  });
}

std::vector<std::uint8_t> TieMap::between(std::int64_t block, std::int64_t other,
                                          std::int64_t first, std::int64_t count) const {
  std::vector<std::uint8_t> ties(static_cast<std::size_t>(count));
  for (std::size_t p = 0; p < ties.size(); ++p) {
    const Panel& panel = panels_[static_cast<std::size_t>(first) + p];
    const std::int64_t bit = panel.everywhere ? 0 : pair_bit(block, other);
    const bool marked = panel.everywhere ||
                        (panel.pairs[static_cast<std::size_t>(bit / 64)] >> (bit % 64) & 1) != 0;
    ties[p] = marked ? 1 : 0;
  }
  return ties;
}

}  // namespace lpdm::cpu
