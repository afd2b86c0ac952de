#include "rl/action_sampler.h"

#include <algorithm>
#include <cmath>

namespace lpdm {

namespace {

// Inverse of the cumulative distribution at one uniform draw.
std::size_t sample_categorical(std::span<const float> logits, RandomStream& random) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  double total = 0.0;
  for (const float logit : logits) total += std::exp(logit - largest);
  double left = random.uniform() * total;
  for (std::size_t a = 0; a + 1 < logits.size(); ++a) {
    left -= std::exp(logits[a] - largest);
    if (left < 0.0) return a;
  }
  return logits.size() - 1;
}

}  // namespace

void sample_action(const ActionSpace& space, std::span<const double> std,
                   std::span<const float> head, RandomStream random, std::span<float> action) {
  if (space.discrete) {
    action[0] = static_cast<float>(sample_categorical(head, random));
    return;
  }
  for (std::size_t d = 0; d < head.size(); ++d) {
    action[d] = static_cast<float>(head[d] + std[d] * random.normal());
  }
}

void most_likely_action(const ActionSpace& space, std::span<const float> head,
                        std::span<float> action) {
  if (space.discrete) {
    action[0] = static_cast<float>(std::max_element(head.begin(), head.end()) - head.begin());
  } else {
    std::copy(head.begin(), head.end(), action.begin());
  }
}

}  // namespace lpdm
