#include "lpdm/vector_env.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "lpdm/error.h"

namespace lpdm {

namespace {

// A task is worth handing to another thread if it takes about this long.
constexpr double kTaskSeconds = 20e-6;

std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

bool all_finite(std::span<const float> values) {
  bool finite = true;  // without an early exit, so that the compiler can vectorise it
  for (const float value : values) finite &= std::isfinite(value);
  return finite;
}

bool is_action_index(float value, std::int64_t count) {
  return value >= 0.0F && value < static_cast<float>(count) && value == std::floor(value);
}

}  // namespace

struct VectorEnv::Impl {
  Impl(const std::string& environment_id, const EnvironmentOptions& options, std::int64_t number,
       std::int64_t max_episode_steps, ThreadPool& thread_pool);

  void check_ready(std::span<const std::int64_t> rows) const;
  [[noreturn]] void refuse_action(std::int64_t e) const;
  [[noreturn]] void refuse_result(std::int64_t e) const;
  void step_row(std::int64_t e);
  void observe_row(std::int64_t e);
  void step_rows(std::int64_t first, std::int64_t last);

  std::span<const float> action_row(std::int64_t e) const {
    return std::span(actions).subspan(index(e * action_width), index(action_width));
  }
  std::span<float> observation_row(std::int64_t e) {
    return std::span(observations).subspan(index(e * observation_size), index(observation_size));
  }

  ThreadPool& pool;
  std::vector<std::unique_ptr<Environment>> environments;
  std::int64_t action_width = 0;
  std::int64_t observation_size = 0;
  std::int64_t limit = 0;          // steps per episode
  std::int64_t rows_per_task = 1;  // from the cost of a step alone, never from the threads
  std::vector<float> actions;
  std::vector<float> observations;
  std::vector<double> rewards;
  std::vector<std::uint8_t> terminated;
  std::vector<std::uint8_t> truncated;
  std::vector<std::uint8_t> running;  // between reset and the end of the episode
  std::vector<std::int64_t> elapsed;
  std::span<const std::int64_t> stepped;  // the rows of the step in progress
  ThreadPool::Task task;                  // a member, because making one may allocate
};

VectorEnv::Impl::Impl(const std::string& environment_id, const EnvironmentOptions& options,
                      std::int64_t number, std::int64_t max_episode_steps, ThreadPool& thread_pool)
    : pool(thread_pool) {
  if (number < 1) {
    throw UsageError(fmt::format("at least 1 environment must be asked for, not {}", number));
  }
  if (max_episode_steps < 0) {
    throw UsageError(fmt::format(
        "the step limit of {} must be at least 1, or 0 for the environment's own, not {}",
        environment_id, max_episode_steps));
  }
  for (std::int64_t e = 0; e < number; ++e) {
    environments.push_back(make_environment(environment_id, options));
  }
  const EnvironmentSpec& spec = environments.front()->spec();
  action_width = spec.action.width();
  observation_size = spec.observation_size;
  limit = max_episode_steps == 0 ? spec.max_episode_steps : max_episode_steps;
  rows_per_task =
      std::max<std::int64_t>(1, static_cast<std::int64_t>(kTaskSeconds / spec.step_cost));
  actions.resize(index(number * action_width));
  observations.resize(index(number * observation_size));
  rewards.resize(index(number));
  terminated.resize(index(number));
  truncated.resize(index(number));
  running.resize(index(number));
  elapsed.resize(index(number));
  task = [this](std::int64_t number_of_task, int) {
    const std::int64_t first = number_of_task * rows_per_task;
    step_rows(first, std::min(first + rows_per_task, static_cast<std::int64_t>(stepped.size())));
  };
}

// Refuses a step before anything has moved.
void VectorEnv::Impl::check_ready(std::span<const std::int64_t> rows) const {
  const ActionSpace& space = environments.front()->spec().action;
  const std::int64_t number = static_cast<std::int64_t>(environments.size());
  for (const std::int64_t e : rows) {
    if (e < 0 || e >= number) {
      throw Error(fmt::format("there is no environment {} among {} of {}", e, number,
                              environments.front()->spec().id));
    }
    if (running[index(e)] == 0) {
      throw Error(
          fmt::format("environment {} of {} has no running episode: reset it before it is "
                      "stepped",
                      e, environments.front()->spec().id));
    }
    const bool valid =
        space.discrete ? is_action_index(actions[index(e)], space.size) : all_finite(action_row(e));
    if (!valid) refuse_action(e);
  }
}

void VectorEnv::Impl::refuse_action(std::int64_t e) const {
  const EnvironmentSpec& spec = environments[index(e)]->spec();
  const std::span<const float> action = action_row(e);
  const auto bad = std::ranges::find_if_not(action, [](float a) { return std::isfinite(a); });
  if (bad == action.end()) {
    throw NumericalError(
        fmt::format("{}, environment {}: action {} at step {} of the episode is not one of 0 to {}",
                    spec.id, e, action[0], elapsed[index(e)] + 1, spec.action.size - 1));
  }
  throw NumericalError(fmt::format(
      "{}, environment {}: action[{}] at step {} of the episode is {}, expected a finite number: "
      "lower the learning rate if the policy has diverged",
      spec.id, e, bad - action.begin(), elapsed[index(e)] + 1, *bad));
}

void VectorEnv::Impl::refuse_result(std::int64_t e) const {
  const std::size_t start = index(e * observation_size);
  const std::span<const float> row =
      std::span(observations).subspan(start, index(observation_size));
  const auto bad = std::ranges::find_if_not(row, [](float value) { return std::isfinite(value); });
  const bool reward_is_bad = bad == row.end();
  throw NumericalError(fmt::format(
      "{}, environment {}: {} at step {} of the episode is {}, so the simulation has diverged: "
      "lower the policy's std or the learning rate",
      environments[index(e)]->spec().id, e,
      reward_is_bad ? "the reward" : fmt::format("observation[{}]", bad - row.begin()),
      elapsed[index(e)], reward_is_bad ? rewards[index(e)] : static_cast<double>(*bad)));
}

void VectorEnv::Impl::observe_row(std::int64_t e) {
  const std::span<float> row = observation_row(e);
  environments[index(e)]->observe(row);
  if (!all_finite(row) || !std::isfinite(rewards[index(e)])) refuse_result(e);
}

void VectorEnv::Impl::step_row(std::int64_t e) {
  const StepResult result = environments[index(e)]->step(action_row(e));
  const bool out_of_time = ++elapsed[index(e)] >= limit;
  rewards[index(e)] = result.reward;
  terminated[index(e)] = result.terminated ? 1 : 0;
  truncated[index(e)] = out_of_time ? 1 : 0;
  running[index(e)] = result.terminated || out_of_time ? 0 : 1;
  observe_row(e);
}

void VectorEnv::Impl::step_rows(std::int64_t first, std::int64_t last) {
  for (std::int64_t i = first; i < last; ++i) step_row(stepped[index(i)]);
}

VectorEnv::VectorEnv(const std::string& id, const EnvironmentOptions& options, std::int64_t count,
                     std::int64_t max_episode_steps, ThreadPool& pool)
    : impl_(std::make_unique<Impl>(id, options, count, max_episode_steps, pool)) {}

VectorEnv::~VectorEnv() = default;

const EnvironmentSpec& VectorEnv::spec() const { return impl_->environments.front()->spec(); }

std::int64_t VectorEnv::count() const {
  return static_cast<std::int64_t>(impl_->environments.size());
}

std::int64_t VectorEnv::max_episode_steps() const { return impl_->limit; }

void VectorEnv::reset(std::int64_t e, RandomStream random) {
  Impl& impl = *impl_;
  if (e < 0 || e >= count()) {
    throw Error(fmt::format("there is no environment {} among {} of {}", e, count(), spec().id));
  }
  impl.environments[index(e)]->reset(random);
  impl.rewards[index(e)] = 0.0;
  impl.terminated[index(e)] = 0;
  impl.truncated[index(e)] = 0;
  impl.running[index(e)] = 1;
  impl.elapsed[index(e)] = 0;
  impl.observe_row(e);
}

void VectorEnv::step(std::span<const std::int64_t> environments) {
  Impl& impl = *impl_;
  impl.check_ready(environments);
  impl.stepped = environments;
  const std::int64_t rows = static_cast<std::int64_t>(environments.size());
  if (rows <= impl.rows_per_task || impl.pool.size() == 1) {
    impl.step_rows(0, rows);  // not worth waking anybody
  } else {
    impl.pool.parallel_for((rows + impl.rows_per_task - 1) / impl.rows_per_task, impl.task);
  }
}

std::span<float> VectorEnv::actions() { return impl_->actions; }
std::span<const float> VectorEnv::observations() const { return impl_->observations; }
std::span<const double> VectorEnv::rewards() const { return impl_->rewards; }
std::span<const std::uint8_t> VectorEnv::terminated() const { return impl_->terminated; }
std::span<const std::uint8_t> VectorEnv::truncated() const { return impl_->truncated; }
std::span<const std::int64_t> VectorEnv::elapsed() const { return impl_->elapsed; }

}  // namespace lpdm
