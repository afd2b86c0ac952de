#include "cpu/landmarks.h"

#include <algorithm>
#include <set>

#include "lpdm/random.h"

namespace lpdm::cpu {

// Floyd's algorithm: for each r in [N − M, N) draw t in [0, r] and take it, or r if t is taken.
// Every subset is equally likely, in O(M log M).
void draw_landmarks(Context&, const DrawLandmarks& op) {
  const std::int64_t rows = *op.rows.count;
  const std::int64_t count = std::min(op.landmarks, rows);
  RandomStream random(op.seed, {.purpose = StreamPurpose::kLandmarks,
                                .step = static_cast<std::uint32_t>(*op.iteration)});
  std::set<std::int64_t> chosen;
  for (std::int64_t r = rows - count; r < rows; ++r) {
    const auto drawn = static_cast<std::int64_t>(random.uniform() * static_cast<double>(r + 1));
    if (!chosen.insert(drawn).second) chosen.insert(r);
  }
  std::copy(chosen.begin(), chosen.end(), op.selected);
  *op.selected_count = count;
}

}  // namespace lpdm::cpu
