#include "rl/normalizer.h"

#include <algorithm>
#include <cmath>

#include "lpdm/error.h"

namespace lpdm {

namespace {

constexpr double kEpsilon = 1e-8;

double inverse_deviation(const RunningMoments& moments, std::size_t column) {
  return moments.count() == 0 ? 1.0 : 1.0 / std::sqrt(moments.variance(column) + kEpsilon);
}

MomentsState moments_state(const RunningMoments& moments) {
  return {.count = moments.count(),
          .mean = {moments.mean().begin(), moments.mean().end()},
          .squares = {moments.squares().begin(), moments.squares().end()}};
}

RunningMoments moments_of(const MomentsState& state, std::size_t width) {
  if (state.mean.size() != width || state.squares.size() != width || state.count < 0) {
    throw Error("the normalisation to be restored does not fit the environment");
  }
  return {state.count, state.mean, state.squares};
}

}  // namespace

Normalizer::Normalizer(const Config& config, std::int64_t observation_size)
    : observations_(config.env.normalize_observations),
      rewards_(config.env.normalize_rewards),
      discount_(config.algorithm.discount),
      total_{RunningMoments(observation_size), RunningMoments(1)},
      shift_(static_cast<std::size_t>(observation_size)),
      scale_(static_cast<std::size_t>(observation_size), 1.0) {}

void Normalizer::normalize(std::span<const float> raw, std::span<float> normalized) const {
  if (!observations_) {
    if (raw.data() != normalized.data()) std::ranges::copy(raw, normalized.begin());
    return;
  }
  const std::size_t width = shift_.size();
  for (std::size_t row = 0; row < raw.size(); row += width) {
    for (std::size_t d = 0; d < width; ++d) {
      const double value = (raw[row + d] - shift_[d]) * scale_[d];
      normalized[row + d] = static_cast<float>(std::clamp(value, -kLimit, kLimit));
    }
  }
}

float Normalizer::normalize_reward(double reward) const {
  if (!rewards_) return static_cast<float>(reward);
  return static_cast<float>(std::clamp(reward * reward_scale_, -kLimit, kLimit));
}

SequenceMoments Normalizer::make_sequence() const {
  return {RunningMoments(static_cast<std::int64_t>(shift_.size())), RunningMoments(1)};
}

void Normalizer::note(SequenceMoments& sequence, std::span<const float> observation) const {
  if (observations_) sequence.observations.add(observation);
}

void Normalizer::note_reward(SequenceMoments& sequence, double& discounted, double reward) const {
  if (!rewards_) return;
  discounted = discount_ * discounted + reward;
  sequence.returns.add(discounted);
}

void Normalizer::merge(const SequenceMoments& sequence) {
  total_.observations.merge(sequence.observations);
  total_.returns.merge(sequence.returns);
}

void Normalizer::refresh() {
  for (std::size_t d = 0; d < shift_.size(); ++d) {
    shift_[d] = total_.observations.mean()[d];
    scale_[d] = inverse_deviation(total_.observations, d);
  }
  reward_scale_ = inverse_deviation(total_.returns, 0);
}

NormalizationState Normalizer::state() const {
  NormalizationState state;
  if (observations_) state.observations = moments_state(total_.observations);
  if (rewards_) state.returns = moments_state(total_.returns);
  return state;
}

void Normalizer::restore(const NormalizationState& state) {
  if (state.observations.has_value() != observations_ || state.returns.has_value() != rewards_) {
    throw Error("the normalisation to be restored is not that of this run's config");
  }
  if (observations_) total_.observations = moments_of(*state.observations, shift_.size());
  if (rewards_) total_.returns = moments_of(*state.returns, 1);
  refresh();
}

}  // namespace lpdm
