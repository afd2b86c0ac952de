#include "rl/policy_player.h"

namespace lpdm {

PolicyPlayer::PolicyPlayer(Trainer& trainer)
    : policy_(trainer.backend(), trainer.network(), trainer.environment().action, trainer.config(),
              1, false),
      normalizer_(trainer.config(), trainer.environment().observation_size),
      input_(static_cast<std::size_t>(trainer.environment().observation_size)),
      output_(static_cast<std::size_t>(trainer.environment().action.size)) {
  policy_.refresh();
  normalizer_.restore(trainer.normalization());
}

std::span<const float> PolicyPlayer::run(std::span<const float> observation) {
  normalizer_.normalize(observation, input_);
  policy_.run(input_, output_);
  return output_;
}

void PolicyPlayer::most_likely(std::span<float> action) const {
  policy_.most_likely(output_, action);
}

void PolicyPlayer::sample(std::int64_t episode, std::int64_t step, std::span<float> action) const {
  policy_.sample(output_,
                 {.purpose = StreamPurpose::kEvaluationAction,
                  .episode = static_cast<std::uint32_t>(episode),
                  .step = static_cast<std::uint32_t>(step)},
                 action);
}

}  // namespace lpdm
