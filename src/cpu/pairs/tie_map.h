// Where two rows may have the same output: the exception that the fast gradient loop leaves out.
//
// Distinct states rarely share a float, but some do (one pair in 2^23 or so), and saturated or dead
// units share theirs with many. A hash table per dimension finds them all in O(N·D).
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/common/context.h"
#include "cpu/pairs/pair_blocks.h"

namespace lpdm::cpu {

class TieMap {
 public:
  // Finds the ties among the rows of each group, or (few kept rows or small groups: the search
  // would cost more than it saves) declares that they may be anywhere.
  void build(Context& context, const PairLayout& layout, const PackedBlocks& blocks);

  // Per panel of [first, first + count): whether a row of one block and a row of the other may be
  // equal in some dimension of it.
  std::vector<std::uint8_t> between(std::int64_t block, std::int64_t other, std::int64_t first,
                                    std::int64_t count) const;

 private:
  struct Panel {
    bool everywhere = false;           // too many to tell apart
    std::vector<std::uint64_t> pairs;  // a bit for each pair of blocks of one group
  };
  class Finder;

  std::int64_t place_bits(const PairLayout& layout);
  std::int64_t pair_bit(std::int64_t block, std::int64_t other) const;

  std::vector<Panel> panels_;
  // Per block: where its bits with the blocks of its group up to itself begin, less the first of
  // these blocks.
  std::vector<std::int64_t> first_bit_;
};

}  // namespace lpdm::cpu
