#include "cpu/ops/landmarks.h"

#include <algorithm>

#include "cpu/landmarks/reservoir.h"

namespace lpdm::cpu {

void draw_landmarks(Context&, const DrawLandmarks& op) {
  Reservoir drawn(op.seed, *op.iteration, op.landmarks);
  drawn.grow(*op.rows.count);
  std::copy_n(drawn.places(), drawn.count(), op.selected);
  *op.selected_count = drawn.count();
}

}  // namespace lpdm::cpu
