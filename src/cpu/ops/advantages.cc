#include "cpu/ops/advantages.h"

#include "cpu/common/standardize.h"

namespace lpdm::cpu {

void advantages(Context&, const Advantages& op) {
  const std::int64_t rows = *op.rows.count;
  for (std::int64_t i = 0; i < rows; ++i) {
    op.advantages[i] = op.returns[i] - (op.values != nullptr ? op.values[i] : 0.0F);
  }
  if (op.normalize) standardize(op.advantages, rows);
}

}  // namespace lpdm::cpu
