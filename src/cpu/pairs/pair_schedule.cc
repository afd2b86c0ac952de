#include "cpu/pairs/pair_schedule.h"

namespace lpdm::cpu {
namespace {

using Rounds = std::vector<std::vector<PairTask>>;

void add(Rounds& rounds, std::size_t round, const PairTask& task) {
  if (rounds.size() <= round) rounds.resize(round + 1);
  rounds[round].push_back(task);
}

// Few enough that a part's gradient is used again and again while it is in the cache, and enough
// for many threads.
std::vector<BlockRange> parts_of(const BlockRange& blocks) {
  constexpr std::int64_t kMostParts = 32;
  const std::int64_t size = blocks.end - blocks.first;
  const std::int64_t count = std::min(size, kMostParts);
  std::vector<BlockRange> parts;
  for (std::int64_t p = 0; p < count; ++p) {
    parts.push_back({blocks.first + size * p / count, blocks.first + size * (p + 1) / count});
  }
  return parts;
}

// Each part meets itself, then each other one once, as in a tournament: one stays in its place and
// the others move on around a circle.
void add_tournament(const std::vector<BlockRange>& parts, Rounds& rounds) {
  const std::size_t count = parts.size();
  for (const BlockRange& part : parts) add(rounds, 0, {part, part});
  if (count < 2) return;
  const std::size_t circle = (count + 1) / 2 * 2 - 1;  // with an empty place if count is odd
  for (std::size_t round = 0; round < circle; ++round) {
    for (std::size_t k = 0; k <= circle / 2; ++k) {
      const std::size_t one = k == 0 ? circle : (round + k) % circle;
      const std::size_t other = (round + circle - k) % circle;
      const auto [low, high] = std::minmax(one, other);
      if (high < count) add(rounds, round + 1, {parts[low], parts[high]});
    }
  }
}

// Each part of the one kind meets each of the other once, from round `first` on.
void add_meetings(const std::vector<BlockRange>& strips, const std::vector<BlockRange>& blocks,
                  std::size_t first, Rounds& rounds) {
  const std::size_t few = std::min(strips.size(), blocks.size());
  const std::size_t many = std::max(strips.size(), blocks.size());
  if (few == 0) return;
  for (std::size_t round = 0; round < many; ++round) {
    for (std::size_t k = 0; k < few; ++k) {
      const std::size_t shifted = (k + round) % many;
      const bool fewer_strips = strips.size() == few;
      add(rounds, first + round,
          {strips[fewer_strips ? k : shifted], blocks[fewer_strips ? shifted : k]});
    }
  }
}

}  // namespace

PairSchedule::PairSchedule(const PairLayout& layout) {
  Rounds rounds;
  for (std::int64_t begin = 0; begin < layout.kept_blocks(); begin = layout.group_end(begin)) {
    const std::int64_t end = layout.group_end(begin);
    const std::int64_t kept_end = std::min(end, layout.kept_blocks());
    const std::vector<BlockRange> kept = parts_of({begin, kept_end});
    add_tournament(kept, rounds);
    add_meetings(kept, parts_of({kept_end, end}), (kept.size() + 1) / 2 * 2, rounds);
  }
  round_begin_.push_back(0);
  for (const std::vector<PairTask>& round : rounds) {
    tasks_.insert(tasks_.end(), round.begin(), round.end());
    round_begin_.push_back(tasks_.size());
  }
}

}  // namespace lpdm::cpu
