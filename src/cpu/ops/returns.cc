#include "cpu/ops/returns.h"

#include "cpu/common/standardize.h"

namespace lpdm::cpu {

void discounted_returns(Context&, const DiscountedReturns& op) {
  const std::int64_t rows = *op.rows.count;
  std::int64_t first = 0;
  for (std::int64_t episode = 0; episode < *op.episode_count; ++episode) {
    const std::int64_t end = op.episode_ends[episode];
    const bool goes_on = op.values != nullptr && op.bootstrap[episode] != 0;
    double to_go = goes_on ? op.values[rows + episode] : 0.0;
    for (std::int64_t i = end - 1; i >= first; --i) {
      to_go = op.rewards[i] + op.discount * to_go;
      op.returns[i] = static_cast<float>(to_go);
    }
    first = end;
  }
  if (op.normalize) standardize(op.returns, rows);
}

}  // namespace lpdm::cpu
