#include "rl/half_steps.h"

namespace lpdm {

bool steps_in_halves(Halves halves, const VectorEnv& environments, int threads) {
  // Below this cost of a step the policy takes longer than the environments, and is better shared
  // out among the threads itself.
  constexpr double kMinStepCost = 10e-6;  // [s]
  if (environments.count() < 2) return false;
  if (halves != Halves::kAuto) return halves == Halves::kOn;
  return threads > 1 && environments.spec().step_cost >= kMinStepCost;
}

}  // namespace lpdm
