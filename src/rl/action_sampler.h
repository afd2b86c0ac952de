// From the head's output to an action: categorical over logits, or Gaussian around the mean.
#pragma once

#include <span>

#include "lpdm/environment.h"
#include "lpdm/random.h"

namespace lpdm {

// head: (space.size) logits or means; std: (space.size), of a Gaussian; action: (space.width()).
void sample_action(const ActionSpace& space, std::span<const double> std,
                   std::span<const float> head, RandomStream random, std::span<float> action);

// The most likely action: the first largest logit, or the mean.
void most_likely_action(const ActionSpace& space, std::span<const float> head,
                        std::span<float> action);

}  // namespace lpdm
