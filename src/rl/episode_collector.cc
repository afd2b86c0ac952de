#include "rl/episode_collector.h"

#include <algorithm>

#include "rl/action_sampler.h"

namespace lpdm {

EpisodeCollector::EpisodeCollector(Backend& host, VectorEnv& environments, InferenceNetwork& policy,
                                   const Config& config)
    : environments_(environments),
      policy_(policy),
      std_(config.policy.std),
      seed_(config.run.seed),
      episode_of_(static_cast<std::size_t>(environments.count())),
      device_input_(host, environments.count() * environments.spec().observation_size),
      device_output_(host, environments.count() * environments.spec().action.size) {}

std::span<const Episode> EpisodeCollector::play(std::int64_t first, std::int64_t count,
                                                const PlayMode& mode) {
  mode_ = mode;
  first_ = first;
  count_ = count;
  if (static_cast<std::int64_t>(episodes_.size()) < count) {
    episodes_.resize(static_cast<std::size_t>(count));
  }
  playing_.clear();
  for (std::int64_t e = 0; e < std::min(count, environments_.count()); ++e) {
    playing_.push_back(e);
    start(e, e);
  }
  while (!playing_.empty()) {
    choose_actions();
    environments_.step(playing_);
    record_step();
  }
  return {episodes_.data(), static_cast<std::size_t>(count)};
}

void EpisodeCollector::start(std::int64_t environment, std::int64_t episode) {
  episode_of_[static_cast<std::size_t>(environment)] = episode;
  Episode& fresh = episodes_[static_cast<std::size_t>(episode)];
  fresh.observations.clear();
  fresh.actions.clear();
  fresh.rewards.clear();
  fresh.return_sum = 0.0;
  environments_.reset(
      environment, RandomStream(seed_, {.purpose = mode_.reset,
                                        .episode = static_cast<std::uint32_t>(first_ + episode)}));
}

// Writes the rows of environments_.actions() for the playing environments and notes what was seen.
void EpisodeCollector::choose_actions() {
  const ActionSpace& space = environments_.spec().action;
  const auto rows = static_cast<std::int64_t>(playing_.size());
  const auto width = static_cast<std::size_t>(environments_.spec().observation_size);
  const auto head = static_cast<std::size_t>(space.size);
  policy_input_.clear();
  for (const std::int64_t e : playing_) {
    const auto row =
        environments_.observations().subspan(static_cast<std::size_t>(e) * width, width);
    policy_input_.insert(policy_input_.end(), row.begin(), row.end());
  }
  device_input_.write(policy_input_);
  policy_.run(rows, device_input_.data(), device_output_.data());
  policy_output_.resize(static_cast<std::size_t>(rows) * head);
  device_output_.read(std::span<float>(policy_output_));
  for (std::size_t p = 0; p < playing_.size(); ++p) {
    const auto e = static_cast<std::size_t>(playing_[p]);
    const auto action_width = static_cast<std::size_t>(space.width());
    const auto action = environments_.actions().subspan(e * action_width, action_width);
    const std::span<const float> output(policy_output_.data() + p * head, head);
    Episode& episode = episodes_[static_cast<std::size_t>(episode_of_[e])];
    if (mode_.deterministic) {
      most_likely_action(space, output, action);
    } else {
      sample_action(
          space, std_, output,
          RandomStream(seed_, {.purpose = mode_.action,
                               .episode = static_cast<std::uint32_t>(first_ + episode_of_[e]),
                               .step = static_cast<std::uint32_t>(episode.length())}),
          action);
    }
    const auto seen = policy_input_.begin() + static_cast<std::ptrdiff_t>(p * width);
    episode.observations.insert(episode.observations.end(), seen,
                                seen + static_cast<std::ptrdiff_t>(width));
    episode.actions.insert(episode.actions.end(), action.begin(), action.end());
  }
}

// Notes rewards and ends; an environment whose episode ended starts its next one, if there is one.
void EpisodeCollector::record_step() {
  std::erase_if(playing_, [this](std::int64_t environment) {
    const auto e = static_cast<std::size_t>(environment);
    Episode& episode = episodes_[static_cast<std::size_t>(episode_of_[e])];
    episode.rewards.push_back(static_cast<float>(environments_.rewards()[e]));
    episode.return_sum += environments_.rewards()[e];
    episode.terminated = environments_.terminated()[e] != 0;
    episode.truncated = environments_.truncated()[e] != 0;
    if (!episode.terminated && !episode.truncated) return false;
    const std::int64_t next = episode_of_[e] + environments_.count();
    if (next >= count_) return true;
    start(environment, next);
    return false;
  });
}

}  // namespace lpdm
