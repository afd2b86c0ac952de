#include "cpu/ops/value_loss.h"

#include "core/value_error.h"

namespace lpdm::cpu {

void value_loss(Context&, const ValueLoss& op) {
  const std::int64_t rows = *op.rows.count;
  const double share = 1.0 / static_cast<double>(rows);
  double loss = 0.0;
  for (std::int64_t i = 0; i < rows; ++i) {
    const double old = op.clip > 0.0 ? op.old_values[i] : 0.0;
    const ValueError error = value_error(op.values[i], op.returns[i], old, op.clip);
    loss += error.squared * share;
    op.delta[i] = static_cast<float>(error.gradient * share);
  }
  *op.loss = loss;
}

}  // namespace lpdm::cpu
