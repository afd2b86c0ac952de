#include "cpu/landmarks.h"

#include <algorithm>
#include <bit>
#include <vector>

#include "lpdm/random.h"

namespace lpdm::cpu {

namespace {

// Some of the rows of a batch, as bits.
class RowSubset {
 public:
  explicit RowSubset(std::int64_t rows)
      : words_(static_cast<std::size_t>(ceil_div(rows, kBits)), 0) {}

  // False if it was there.
  bool insert(std::int64_t row) {
    std::uint64_t& word = words_[static_cast<std::size_t>(row / kBits)];
    const std::uint64_t bit = std::uint64_t{1} << (row % kBits);
    const bool is_new = (word & bit) == 0;
    word |= bit;
    return is_new;
  }
  // In ascending order.
  void list(std::int64_t* rows) const {
    for (std::size_t w = 0; w < words_.size(); ++w) {
      for (std::uint64_t rest = words_[w]; rest != 0; rest &= rest - 1) {
        *rows++ = static_cast<std::int64_t>(w) * kBits + std::countr_zero(rest);
      }
    }
  }

 private:
  static constexpr std::int64_t kBits = 64;
  std::vector<std::uint64_t> words_;
};

}  // namespace

// Floyd's algorithm: for each r in [N − M, N) draw t in [0, r] and take it, or r if t is taken.
// Every subset is equally likely.
void draw_landmarks(Context&, const DrawLandmarks& op) {
  const std::int64_t rows = *op.rows.count;
  const std::int64_t count = std::min(op.landmarks, rows);
  RandomStream random(op.seed, {.purpose = StreamPurpose::kLandmarks,
                                .step = static_cast<std::uint32_t>(*op.iteration)});
  RowSubset chosen(rows);
  for (std::int64_t r = rows - count; r < rows; ++r) {
    const auto drawn = static_cast<std::int64_t>(random.uniform() * static_cast<double>(r + 1));
    if (!chosen.insert(drawn)) chosen.insert(r);
  }
  chosen.list(op.selected);
  *op.selected_count = count;
}

}  // namespace lpdm::cpu
