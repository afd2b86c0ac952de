#include "cpu/ops/generalized_advantage.h"

#include <vector>

namespace lpdm::cpu {

void generalized_advantage(Context&, const GeneralizedAdvantage& op) {
  const std::int64_t rows = op.horizon * op.count;
  std::int64_t end = 0;  // one past the last episode end among the rows still to come
  for (std::int64_t i = 0; i < rows; ++i) end += (op.terminated[i] | op.truncated[i]) != 0 ? 1 : 0;
  const float* finals = op.values + rows + op.count;
  std::vector<double> later(static_cast<std::size_t>(op.count), 0.0);  // A of the next step
  for (std::int64_t i = rows - 1; i >= 0; --i) {
    double& advantage = later[static_cast<std::size_t>(i % op.count)];
    double next = op.values[i + op.count];
    if ((op.terminated[i] | op.truncated[i]) != 0) {
      --end;
      next = op.terminated[i] != 0 ? 0.0 : finals[end];
      advantage = 0.0;
    }
    const double value = op.values[i];
    const double error = op.rewards[i] + op.discount * next - value;
    advantage = error + op.discount * op.lambda * advantage;
    op.advantages[i] = static_cast<float>(advantage);
    op.returns[i] = static_cast<float>(advantage + value);
  }
}

}  // namespace lpdm::cpu
