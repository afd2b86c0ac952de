// Reading the reward of a custom environment's definition.
#pragma once

#include <mujoco/mujoco.h>

#include <string>
#include <vector>

#include "env/json_field.h"
#include "env/mjcf_plan.h"

namespace lpdm {

// The terms in the list `key` of the definition, none if it is left out. Throws UsageError naming
// the term and what does not fit.
std::vector<RewardTerm> read_reward_terms(const JsonField& definition, const std::string& key,
                                          const mjModel& model);

}  // namespace lpdm
