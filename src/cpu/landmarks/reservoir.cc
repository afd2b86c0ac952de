#include "cpu/landmarks/reservoir.h"

#include <numeric>

namespace lpdm::cpu {

Reservoir::Reservoir(std::uint64_t seed, std::int64_t iteration, std::int64_t places)
    : random_(seed, {.purpose = StreamPurpose::kLandmarks,
                     .step = static_cast<std::uint32_t>(iteration)}),
      places_(static_cast<std::size_t>(places)) {
  std::iota(places_.begin(), places_.end(), 0);
}

void Reservoir::grow(std::int64_t rows) {
  const auto size = static_cast<std::int64_t>(places_.size());
  for (std::int64_t row = std::max(rows_, size); row < rows; ++row) {
    const std::int64_t place = draw_below(random_.next_u32(), row + 1);
    if (place < size) places_[static_cast<std::size_t>(place)] = row;
  }
  rows_ = std::max(rows_, rows);
}

}  // namespace lpdm::cpu
