#include "rl/value_head.h"

#include "rl/parameter_group.h"

namespace lpdm {

ValueHead::ValueHead(Backend& backend, Network& network, const Config& config)
    : backend_(backend),
      network_(network),
      learning_rate_(config.value.learning_rate),
      grad_clip_(config.head.grad_clip) {}

void ValueHead::loss(HeadActivations& heads, const Targets& targets) {
  backend_.value_loss({.rows = targets.rows,
                       .values = heads.values(),
                       .returns = targets.returns,
                       .old_values = targets.old_values,
                       .clip = targets.clip,
                       .delta = heads.value_delta(),
                       .loss = targets.loss});
  heads.value_gradient(targets.rows);
}

void ValueHead::step(const double* rate_factor) {
  Parameters& head = network_.value_head()->parameters();
  clip_adam_step(backend_, {head.slice(learning_rate_)}, grad_clip_, rate_factor, head.adam_step());
}

}  // namespace lpdm
