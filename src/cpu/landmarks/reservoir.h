// A uniform sample of the rows of a batch that grows: the draw of DrawLandmarks (lpdm/ops.h).
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "lpdm/random.h"

namespace lpdm::cpu {

class Reservoir {
 public:
  // places: at least 1
  Reservoir(std::uint64_t seed, std::int64_t iteration, std::int64_t places);

  // Takes in the rows below `rows`, as far as it has not yet.
  void grow(std::int64_t rows);

  std::int64_t count() const { return std::min(rows_, static_cast<std::int64_t>(places_.size())); }
  // (places): the rows drawn, of which count() are there.
  const std::int64_t* places() const { return places_.data(); }

 private:
  RandomStream random_;
  std::int64_t rows_ = 0;
  std::vector<std::int64_t> places_;
};

}  // namespace lpdm::cpu
