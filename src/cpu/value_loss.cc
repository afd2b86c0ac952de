#include "cpu/value_loss.h"

#include <algorithm>

namespace lpdm::cpu {

void value_loss(Context&, const ValueLoss& op) {
  const std::int64_t rows = *op.rows.count;
  const double share = 1.0 / static_cast<double>(rows);
  double loss = 0.0;
  for (std::int64_t i = 0; i < rows; ++i) {
    const double error = static_cast<double>(op.values[i]) - op.returns[i];
    double squared = error * error;
    double gradient = 2.0 * error;
    if (op.clip > 0.0) {
      const double old = op.old_values[i];
      const double kept = std::clamp<double>(op.values[i], old - op.clip, old + op.clip);
      const double kept_error = kept - op.returns[i];
      if (kept_error * kept_error > squared) {  // then V itself has been clipped
        squared = kept_error * kept_error;
        gradient = 0.0;
      }
    }
    loss += squared * share;
    op.delta[i] = static_cast<float>(gradient * share);
  }
  *op.loss = loss;
}

}  // namespace lpdm::cpu
