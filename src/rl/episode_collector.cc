#include "rl/episode_collector.h"

#include <algorithm>
#include <optional>

#include "lpdm/error.h"
#include "rl/half_steps.h"

namespace lpdm {

namespace {

std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

// Row `i` of a matrix.
auto row_of(auto&& matrix, std::int64_t i, std::int64_t width) {
  return std::span(matrix).subspan(index(i * width), index(width));
}

void append(std::vector<float>& to, std::span<const float> row) {
  to.insert(to.end(), row.begin(), row.end());
}

}  // namespace

EpisodeCollector::EpisodeCollector(VectorEnv& environments, RolloutPolicy& policy,
                                   const Normalizer& normalizer, const Config& config,
                                   bool in_halves)
    : environments_(environments),
      policy_(policy),
      normalizer_(normalizer),
      seed_(config.run.seed),
      in_halves_(in_halves),
      episode_of_(index(environments.count())) {
  next_episode_ = [this](std::int64_t e) -> std::optional<RandomStream> {
    const std::int64_t next = episode_of_[index(e)] + environments_.count();
    if (next >= count_) return std::nullopt;
    return reset_stream(next);
  };
}

std::span<const Episode> EpisodeCollector::play(std::int64_t first, std::int64_t count,
                                                const PlayMode& mode) {
  if (mode.rows != nullptr) {
    if (environments_.count() != 1)
      throw Error("the rows of several environments do not interleave");
  }
  std::optional<RolloutRows::Playing> playing;
  if (mode.rows != nullptr) playing.emplace(*mode.rows);
  mode_ = mode;
  first_ = first;
  count_ = count;
  if (static_cast<std::int64_t>(episodes_.size()) < count) episodes_.resize(index(count));
  for (std::int64_t k = 0; k < count; ++k) clear(episodes_[index(k)]);
  for (Half& half : halves_) half.playing.clear();
  const std::int64_t used = std::min(count, environments_.count());
  const std::int64_t first_half = in_halves_ ? (used + 1) / 2 : used;
  for (std::int64_t e = 0; e < used; ++e) {
    halves_[e < first_half ? 0 : 1].playing.push_back(e);
    episode_of_[index(e)] = e;
    environments_.reset(e, reset_stream(e));
  }
  run_half_steps(*this);
  return {episodes_.data(), index(count)};
}

Episode& EpisodeCollector::episode_in(std::int64_t environment) {
  return episodes_[index(episode_of_[index(environment)])];
}

RandomStream EpisodeCollector::reset_stream(std::int64_t episode) const {
  return RandomStream(
      seed_, {.purpose = mode_.reset, .episode = static_cast<std::uint32_t>(first_ + episode)});
}

void EpisodeCollector::clear(Episode& episode) const {
  episode.observations.clear();
  episode.actions.clear();
  episode.rewards.clear();
  episode.return_sum = 0.0;
  episode.discounted = 0.0;
  episode.moments = normalizer_.make_sequence();
}

// Writes the actions of the playing environments and notes what was seen.
void EpisodeCollector::choose(int half) {
  Half& group = halves_[index(half)];
  const std::int64_t width = environments_.spec().observation_size;
  const std::int64_t head = environments_.spec().action.size;
  group.input.clear();
  for (const std::int64_t e : group.playing) {
    const auto observation = row_of(environments_.observations(), e, width);
    normalizer_.note(episode_in(e).moments, observation);
    append(group.input, observation);
  }
  normalizer_.normalize(group.input, group.input);
  group.output.resize(group.playing.size() * index(head));
  if (mode_.rows != nullptr) {
    policy_.run(group.input, group.output, *mode_.rows);
  } else {
    policy_.run(group.input, group.output);
  }
  std::int64_t row = 0;
  for (const std::int64_t e : group.playing) {
    choose_action(e, row_of(group.input, row, width), row_of(group.output, row, head));
    ++row;
  }
}

void EpisodeCollector::choose_action(std::int64_t environment, std::span<const float> observation,
                                     std::span<const float> output) {
  const auto action =
      row_of(environments_.actions(), environment, environments_.spec().action.width());
  Episode& episode = episode_in(environment);
  if (mode_.deterministic) {
    policy_.most_likely(output, action);
  } else {
    policy_.sample(output,
                   {.purpose = mode_.action,
                    .episode = static_cast<std::uint32_t>(first_ + episode_of_[index(environment)]),
                    .step = static_cast<std::uint32_t>(episode.length())},
                   action);
  }
  append(episode.observations, observation);
  append(episode.actions, action);
}

void EpisodeCollector::begin(int half) {
  const std::span<const std::int64_t> playing = halves_[index(half)].playing;
  if (in_halves_) {
    environments_.begin_step(playing, environments_.own_buffers(), &next_episode_);
  } else {
    environments_.step(playing, environments_.own_buffers(), &next_episode_);
  }
}

// Notes rewards and ends; an environment whose episode ended goes on with its next one, if there is
// one.
void EpisodeCollector::record(int half) {
  std::erase_if(halves_[index(half)].playing, [this](std::int64_t environment) {
    const std::size_t e = index(environment);
    Episode& episode = episode_in(environment);
    const double reward = environments_.rewards()[e];
    normalizer_.note_reward(episode.moments, episode.discounted, reward);
    episode.rewards.push_back(normalizer_.normalize_reward(reward));
    episode.return_sum += reward;
    episode.terminated = environments_.terminated()[e] != 0;
    episode.truncated = environments_.truncated()[e] != 0;
    episode.diverged = environments_.diverged()[e] != 0;
    if (!episode.terminated && !episode.truncated) return false;
    const bool another_follows = episode_of_[e] + environments_.count() < count_;
    record_end(environment, another_follows);
    episode_of_[e] += environments_.count();
    return !another_follows;
  });
}

// The next episode's first observation has taken the place of the final one, if one follows.
void EpisodeCollector::record_end(std::int64_t environment, bool another_follows) {
  const std::int64_t width = environments_.spec().observation_size;
  const auto seen =
      row_of(another_follows ? environments_.final_observations() : environments_.observations(),
             environment, width);
  std::vector<float>& final_observation = episode_in(environment).final_observation;
  final_observation.assign(seen.begin(), seen.end());
  normalizer_.normalize(final_observation, final_observation);
}

}  // namespace lpdm
