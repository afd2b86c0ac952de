// Where two rows may have the same output: the exception that the fast gradient loop leaves out.
//
// Distinct states rarely share a float, but some do (one pair in 2^23 or so), and saturated or dead
// units share theirs with many. A hash table per dimension finds them all in O(N·D).
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/context.h"
#include "cpu/pair_blocks.h"

namespace lpdm::cpu {

class TieMap {
 public:
  // Finds the ties among all rows, or (few kept rows: the search would cost more than it saves)
  // declares that they may be anywhere.
  void build(Context& context, const PairLayout& layout, const PackedBlocks& blocks);

  // ties[panel]: whether a row of one block and a row of the other may be equal in some dimension
  // of the panel. ties: (panels)
  void between(std::int64_t block, std::int64_t other, std::uint8_t* ties) const;

 private:
  struct Panel {
    bool everywhere = false;           // too many to tell apart
    std::vector<std::uint64_t> pairs;  // a bit for each pair of blocks
  };
  class Finder;

  static std::int64_t pair_bit(std::int64_t block, std::int64_t other);

  std::vector<Panel> panels_;
};

}  // namespace lpdm::cpu
