#include "rl/policy_head.h"

#include "rl/parameter_group.h"

namespace lpdm {

PolicyHead::PolicyHead(Backend& backend, Network& network, const ActionSpace& action,
                       const Config& config)
    : backend_(backend),
      network_(network),
      action_(action),
      head_(config.head),
      objective_{.clip = config.algorithm.ppo.clip,
                 .kl_weight = config.algorithm.ppo.kl_weight,
                 .entropy_weight = config.algorithm.ppo.entropy_weight},
      std_(config.policy.std.value_or(config.policy.initial_std)) {
  if (network.log_std() != nullptr) old_log_std_ = DeviceArray<float>(backend, action.size);
}

void PolicyHead::reinforce_loss(const Rows& rows, HeadActivations& heads, const float* actions,
                                const float* weights, double* loss) {
  if (action_.discrete) {
    backend_.categorical_loss({.rows = rows,
                               .actions_count = action_.size,
                               .logits = heads.policy(),
                               .actions = actions,
                               .weights = weights,
                               .delta = heads.policy_delta(),
                               .loss = loss});
  } else {
    Parameters* log_std = network_.log_std();
    backend_.gaussian_loss({.rows = rows,
                            .dimensions = action_.size,
                            .std = std_,
                            .log_std = log_std != nullptr ? log_std->value() : nullptr,
                            .log_std_gradient = log_std != nullptr ? log_std->gradient() : nullptr,
                            .mean = heads.policy(),
                            .actions = actions,
                            .weights = weights,
                            .delta = heads.policy_delta(),
                            .loss = loss});
  }
}

void PolicyHead::ppo_loss(HeadActivations& heads, const PpoBatch& batch) {
  if (action_.discrete) {
    backend_.ppo_categorical_loss({.rows = batch.rows,
                                   .actions_count = action_.size,
                                   .logits = heads.policy(),
                                   .old_logits = batch.old_outputs,
                                   .actions = batch.actions,
                                   .advantages = batch.advantages,
                                   .objective = objective_,
                                   .delta = heads.policy_delta(),
                                   .statistics = batch.statistics});
  } else {
    Parameters* log_std = network_.log_std();
    backend_.ppo_gaussian_loss(
        {.rows = batch.rows,
         .dimensions = action_.size,
         .std = std_,
         .log_std = log_std != nullptr ? log_std->value() : nullptr,
         .old_log_std = log_std != nullptr ? old_log_std_.data() : nullptr,
         .log_std_gradient = log_std != nullptr ? log_std->gradient() : nullptr,
         .mean = heads.policy(),
         .old_mean = batch.old_outputs,
         .actions = batch.actions,
         .advantages = batch.advantages,
         .objective = objective_,
         .delta = heads.policy_delta(),
         .statistics = batch.statistics});
  }
}

void PolicyHead::remember_std() {
  if (network_.log_std() != nullptr) old_log_std_.write(network_.log_std()->values());
}

void PolicyHead::step(std::vector<ParameterSlice> shared, const double* rate_factor) {
  const double rate = head_.learning_rate;
  Parameters& head = network_.head().parameters();
  shared.push_back(head.slice(rate));
  if (network_.log_std() != nullptr) shared.push_back(network_.log_std()->slice(rate));
  clip_adam_step(backend_, shared, head_.grad_clip, rate_factor, head.adam_step());
}

}  // namespace lpdm
