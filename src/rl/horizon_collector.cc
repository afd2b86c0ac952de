#include "rl/horizon_collector.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "lpdm/error.h"
#include "rl/half_steps.h"

namespace lpdm {

namespace {

std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

// `count` rows of `width` from row `first` on.
template <class Matrix>
auto rows_in(Matrix&& matrix, std::int64_t first, std::int64_t count, std::int64_t width) {
  return std::span(matrix).subspan(index(first * width), index(count * width));
}

}  // namespace

HorizonCollector::HorizonCollector(VectorEnv& environments, RolloutPolicy& policy,
                                   const Normalizer& normalizer, const Config& config,
                                   std::int64_t horizon, bool in_halves)
    : environments_(environments),
      policy_(policy),
      normalizer_(normalizer),
      seed_(config.run.seed),
      in_halves_(in_halves),
      observation_size_(environments.spec().observation_size),
      action_width_(environments.spec().action.width()),
      head_(environments.spec().action.size),
      rows_(index(environments.count())),
      courses_(index(environments.count())),
      moments_(index(environments.count()), normalizer.make_sequence()) {
  rollout_.horizon = horizon;
  rollout_.count = environments.count();
  const std::size_t rows = index(rollout_.rows());
  rollout_.observations.resize((rows + rows_.size()) * index(observation_size_));
  rollout_.actions.resize(rows * index(action_width_));
  rollout_.policy_outputs.resize(rows * index(head_));
  rollout_.rewards.resize(rows);
  rollout_.terminated.resize(rows);
  rollout_.truncated.resize(rows);
  if (normalizer.observations()) raw_.resize(rows_.size() * index(observation_size_));
  std::iota(rows_.begin(), rows_.end(), 0);
  next_episode_ = [this](std::int64_t e) {
    ++courses_[index(e)].episode;
    return reset_stream(e);
  };
}

RandomStream HorizonCollector::reset_stream(std::int64_t e) const {
  return RandomStream(seed_, {.purpose = StreamPurpose::kEnvironmentReset,
                              .index = static_cast<std::uint32_t>(e),
                              .episode = courses_[index(e)].episode});
}

void HorizonCollector::start_first_episodes() {
  for (const std::int64_t e : rows_) environments_.reset(e, reset_stream(e));
  std::vector<float>& to = normalizer_.observations() ? raw_ : rollout_.observations;
  std::ranges::copy(environments_.observations(), to.begin());
  started_ = true;
}

// Goes on where the latest call ended.
void HorizonCollector::prepare() {
  if (!started_) {
    start_first_episodes();
  } else if (!normalizer_.observations()) {
    const auto last =
        rows_in(rollout_.observations, rollout_.rows(), rollout_.count, observation_size_);
    std::ranges::copy(last, rollout_.observations.begin());
  }
  rollout_.ends.clear();
  rollout_.final_observations.clear();
  rollout_.diverged = 0;
  for (SequenceMoments& moments : moments_) {
    moments.observations.clear();
    moments.returns.clear();
  }
  step_of_[0] = step_of_[1] = 0;
}

const HorizonRollout& HorizonCollector::collect() {
  prepare();
  run_half_steps(*this);
  if (normalizer_.observations()) {
    normalizer_.normalize(
        raw_, rows_in(rollout_.observations, rollout_.rows(), rollout_.count, observation_size_));
  }
  return rollout_;
}

RolloutState HorizonCollector::running_episodes() const {
  RolloutState episodes;
  if (!started_) return episodes;
  for (const Course& course : courses_) episodes.push_back({course.episode, course.actions});
  return episodes;
}

void HorizonCollector::restore(const RolloutState& episodes) {
  if (episodes.empty()) return;
  if (episodes.size() != rows_.size()) {
    throw Error(fmt::format("{} running episodes were given for {} environments", episodes.size(),
                            rows_.size()));
  }
  for (const std::int64_t e : rows_) replay(e, episodes[index(e)]);
  std::vector<float>& to = normalizer_.observations() ? raw_ : rollout_.observations;
  // Without normalisation prepare takes the last block of observations as the first.
  const std::int64_t block = normalizer_.observations() ? 0 : rollout_.rows();
  std::ranges::copy(environments_.observations(),
                    to.begin() + static_cast<std::ptrdiff_t>(block * observation_size_));
  started_ = true;
}

void HorizonCollector::replay(std::int64_t e, const RunningEpisode& running) {
  if (running.actions.size() % index(action_width_) != 0) {
    throw Error(fmt::format("a running episode's {} numbers are not whole actions of {} dimensions",
                            running.actions.size(), action_width_));
  }
  Course& course = courses_[index(e)];
  course = {.episode = running.episode, .actions = running.actions};
  environments_.reset(e, reset_stream(e));
  const auto action = rows_in(environments_.actions(), e, 1, action_width_);
  SequenceMoments unused = normalizer_.make_sequence();
  const auto width = static_cast<std::ptrdiff_t>(action_width_);
  for (auto taken = running.actions.begin(); taken != running.actions.end(); taken += width) {
    std::copy_n(taken, width, action.begin());
    environments_.step({&e, 1});
    if (environments_.terminated()[index(e)] != 0 || environments_.truncated()[index(e)] != 0) {
      throw Error(fmt::format(
          "episode {} of environment {} ended while it was replayed, though it was running when it "
          "was saved; go on with the program and MuJoCo version that saved it",
          running.episode, e));
    }
    const double reward = environments_.rewards()[index(e)];
    normalizer_.note_reward(unused, course.discounted, reward);
    course.return_sum += reward;
    ++course.length;
  }
}

std::span<const std::int64_t> HorizonCollector::rows_of(int half) const {
  const std::size_t first_half = in_halves_ ? (rows_.size() + 1) / 2 : rows_.size();
  const std::span<const std::int64_t> rows(rows_);
  return half == 0 ? rows.first(first_half) : rows.subspan(first_half);
}

bool HorizonCollector::running(int half) const {
  return !rows_of(half).empty() && step_of_[half] < rollout_.horizon;
}

void HorizonCollector::choose(int half) {
  const std::span<const std::int64_t> rows = rows_of(half);
  const auto count = static_cast<std::int64_t>(rows.size());
  const std::int64_t first = step_of_[half] * rollout_.count + rows.front();
  const auto observations = rows_in(rollout_.observations, first, count, observation_size_);
  if (normalizer_.observations()) {
    const auto raw = rows_in(raw_, rows.front(), count, observation_size_);
    for (const std::int64_t e : rows) {
      normalizer_.note(moments_[index(e)], rows_in(raw_, e, 1, observation_size_));
    }
    normalizer_.normalize(raw, observations);
  }
  const auto outputs = rows_in(rollout_.policy_outputs, first, count, head_);
  policy_.run(observations, outputs);
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t e = rows[index(i)];
    const Course& course = courses_[index(e)];
    policy_.sample(outputs.subspan(index(i * head_), index(head_)),
                   {.purpose = StreamPurpose::kAction,
                    .index = static_cast<std::uint32_t>(e),
                    .episode = course.episode,
                    .step = static_cast<std::uint32_t>(course.length)},
                   rows_in(rollout_.actions, first + i, 1, action_width_));
  }
}

VectorEnv::Buffers HorizonCollector::buffers_at(std::int64_t step) {
  const std::int64_t first = step * rollout_.count;
  const auto actions = rows_in(rollout_.actions, first, rollout_.count, action_width_);
  if (normalizer_.observations()) return {actions, raw_, raw_};
  return {
      actions, rows_in(rollout_.observations, first, rollout_.count, observation_size_),
      rows_in(rollout_.observations, first + rollout_.count, rollout_.count, observation_size_)};
}

void HorizonCollector::begin(int half) {
  const VectorEnv::Buffers buffers = buffers_at(step_of_[half]);
  if (in_halves_) {
    environments_.begin_step(rows_of(half), buffers, &next_episode_);
  } else {
    environments_.step(rows_of(half), buffers, &next_episode_);
  }
}

void HorizonCollector::record_end(std::int64_t e, std::int64_t row) {
  Course& course = courses_[index(e)];
  rollout_.ends.push_back({.row = row, .length = course.length, .return_sum = course.return_sum});
  rollout_.diverged += environments_.diverged()[index(e)];
  const auto width = static_cast<std::ptrdiff_t>(observation_size_);
  const auto seen = environments_.final_observations().begin() + e * width;
  std::vector<float>& finals = rollout_.final_observations;
  finals.insert(finals.end(), seen, seen + width);
  const auto row_span = std::span(finals).last(index(width));
  normalizer_.normalize(row_span, row_span);
  course.length = 0;  // of the next episode, which NextEpisode has counted
  course.return_sum = 0.0;
  course.discounted = 0.0;
  course.actions.clear();
}

void HorizonCollector::record(int half) {
  const std::int64_t first = step_of_[half]++ * rollout_.count;
  for (const std::int64_t e : rows_of(half)) {
    const std::size_t row = index(first + e);
    Course& course = courses_[index(e)];
    const double reward = environments_.rewards()[index(e)];
    normalizer_.note_reward(moments_[index(e)], course.discounted, reward);
    rollout_.rewards[row] = normalizer_.normalize_reward(reward);
    rollout_.terminated[row] = environments_.terminated()[index(e)];
    rollout_.truncated[row] = environments_.truncated()[index(e)];
    course.return_sum += reward;
    ++course.length;
    const auto action = rows_in(rollout_.actions, first + e, 1, action_width_);
    course.actions.insert(course.actions.end(), action.begin(), action.end());
    if (rollout_.terminated[row] != 0 || rollout_.truncated[row] != 0) {
      record_end(e, static_cast<std::int64_t>(row));
    }
  }
}

}  // namespace lpdm
