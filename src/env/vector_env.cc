#include "lpdm/vector_env.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "lpdm/error.h"

namespace lpdm {

namespace {

// A task is worth handing to another thread if it takes about this long.
constexpr double kTaskSeconds = 5e-6;
// More tasks than one come in multiples of this, of equal size, so that 2, 4 or 8 threads have
// equal shares.
constexpr std::int64_t kEvenTasks = 8;
// So many rows are checked in about the time that it takes to share work.
constexpr std::int64_t kRowsPerCheck = 512;

std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

std::int64_t size_of(const auto& container) { return static_cast<std::int64_t>(container.size()); }

bool all_finite(std::span<const float> values) {
  float probe = 0.0F;  // NaN as soon as a value is not finite; without branches
  for (const float value : values) probe += value * 0.0F;
  return probe == 0.0F;
}

bool is_action_index(float value, float count) {
  const bool within = (value >= 0.0F) & (value < count);
  return within & (static_cast<float>(static_cast<std::int32_t>(within ? value : 0.0F)) == value);
}

// Without branches, so that several are looked at at once; so are the two below.
bool all_action_indices(std::span<const float> values, float count) {
  bool good = true;
  for (const float value : values) good &= is_action_index(value, count);
  return good;
}

bool all_set(std::span<const std::uint8_t> flags) {
  std::uint8_t least = 1;
  for (const std::uint8_t flag : flags) least = std::min(least, flag);
  return least != 0;
}

bool consecutive(std::span<const std::int64_t> rows) {
  bool good = true;
  std::int64_t expected = rows.front();
  for (const std::int64_t e : rows) good &= e == expected++;
  return good;
}

std::vector<std::unique_ptr<Environment>> make_instances(const std::string& id,
                                                         const EnvironmentOptions& options,
                                                         std::int64_t number) {
  std::vector<std::unique_ptr<Environment>> instances;
  for (std::int64_t e = 0; e < number; ++e) instances.push_back(make_environment(id, options));
  return instances;
}

}  // namespace

struct VectorEnv::Impl {
  Impl(std::vector<std::unique_ptr<Environment>> instances, std::int64_t max_episode_steps,
       ThreadPool& thread_pool);

  bool can_step(std::int64_t e) const;
  bool can_step(std::int64_t first, std::int64_t last) const;
  void check_range(std::int64_t first, std::int64_t last) const;
  void check_rows();
  [[noreturn]] void refuse_row(std::int64_t e) const;
  [[noreturn]] void refuse_action(std::int64_t e) const;
  void step_rows(std::int64_t first, std::int64_t last);
  void settle_row(std::int64_t e);
  void end_diverged(std::int64_t e, std::span<const float> before);
  void start_next_episode(std::int64_t e);
  void reset_row(std::int64_t e, RandomStream random, std::span<float> observation);
  std::int64_t cut(std::int64_t rows) const;
  std::int64_t prepare(std::span<const std::int64_t> rows, const Buffers& memory,
                       const NextEpisode* next);

  const EnvironmentSpec& spec() const { return environments.front()->spec(); }
  std::int64_t count() const { return size_of(environments); }
  template <class T>
  std::span<T> row(std::span<T> matrix, std::int64_t e) const {
    return {matrix.data() + e * observation_size, index(observation_size)};
  }
  std::span<const float> action_row(std::int64_t e) const {
    return {buffers.actions.data() + e * action_width, index(action_width)};
  }
  std::pair<std::int64_t, std::int64_t> part_of(std::int64_t part, std::int64_t rows_per_part) {
    return {part * rows_per_part, std::min((part + 1) * rows_per_part, size_of(stepped))};
  }

  ThreadPool& pool;
  std::vector<std::unique_ptr<Environment>> environments;
  std::int64_t action_width = 0;
  std::int64_t choices = 0;  // number of discrete actions; 0: they are continuous
  std::int64_t observation_size = 0;
  std::int64_t limit = 0;          // steps per episode
  double step_cost = 0.0;          // [s]
  std::int64_t rows_per_task = 1;  // from the cost of a step alone, never from the threads
  std::vector<float> actions;
  std::vector<float> observations;
  std::vector<float> final_observations;
  std::vector<double> rewards;
  std::vector<std::uint8_t> terminated;
  std::vector<std::uint8_t> truncated;
  std::vector<std::uint8_t> diverged;
  std::vector<std::uint8_t> running;  // between reset and the end of the episode
  std::vector<std::int64_t> elapsed;

  // The step in progress.
  bool in_step = false;
  std::span<const std::int64_t> stepped;
  Buffers buffers;
  const NextEpisode* next_episode = nullptr;
  ThreadPool::Task step_task;  // members, because making one may allocate
  ThreadPool::Task check_task;
};

VectorEnv::Impl::Impl(std::vector<std::unique_ptr<Environment>> instances,
                      std::int64_t max_episode_steps, ThreadPool& thread_pool)
    : pool(thread_pool), environments(std::move(instances)) {
  if (environments.empty()) throw UsageError("at least 1 environment must be asked for, not 0");
  if (max_episode_steps < 0) {
    throw UsageError(fmt::format(
        "the step limit of {} must be at least 1, or 0 for the environment's own, not {}",
        spec().id, max_episode_steps));
  }
  action_width = spec().action.width();
  choices = spec().action.discrete ? spec().action.size : 0;
  observation_size = spec().observation_size;
  limit = max_episode_steps == 0 ? spec().max_episode_steps : max_episode_steps;
  step_cost = spec().step_cost;
  const std::size_t number = environments.size();
  actions.resize(number * index(action_width));
  observations.resize(number * index(observation_size));
  final_observations.resize(number * index(observation_size));
  rewards.resize(number);
  terminated.resize(number);
  truncated.resize(number);
  diverged.resize(number);
  running.resize(number);
  elapsed.resize(number);
  step_task = [this](std::int64_t part, int) {
    const auto [first, last] = part_of(part, rows_per_task);
    step_rows(first, last);
  };
  check_task = [this](std::int64_t part, int) {
    const auto [first, last] = part_of(part, kRowsPerCheck);
    check_range(first, last);
  };
}

bool VectorEnv::Impl::can_step(std::int64_t e) const {
  if (e < 0 || e >= count() || running[index(e)] == 0) return false;
  return choices > 0 ? is_action_index(buffers.actions[index(e)], static_cast<float>(choices))
                     : all_finite(action_row(e));
}

// The same of all environments from `first` to `last` - 1, which exist.
bool VectorEnv::Impl::can_step(std::int64_t first, std::int64_t last) const {
  const auto part = [&](auto values, std::int64_t width) {
    return values.subspan(index(first * width), index((last - first) * width));
  };
  if (!all_set(part(std::span(running), 1))) return false;
  const std::span<const float> asked = part(std::span<const float>(buffers.actions), action_width);
  return choices > 0 ? all_action_indices(asked, static_cast<float>(choices)) : all_finite(asked);
}

// Refuses the first of the rows that cannot be stepped.
void VectorEnv::Impl::check_range(std::int64_t first, std::int64_t last) const {
  const std::span<const std::int64_t> rows = stepped.subspan(index(first), index(last - first));
  if (rows.empty()) return;
  const bool exist = rows.front() >= 0 && rows.back() < count() && consecutive(rows);
  if (exist && can_step(rows.front(), rows.back() + 1)) return;
  for (const std::int64_t e : rows) {
    if (!can_step(e)) refuse_row(e);
  }
}

void VectorEnv::Impl::refuse_row(std::int64_t e) const {
  if (e < 0 || e >= count()) {
    throw Error(fmt::format("there is no environment {} among {} of {}", e, count(), spec().id));
  }
  if (running[index(e)] != 0) refuse_action(e);
  throw Error(fmt::format(
      "environment {} of {} has no running episode: reset it before it is stepped", e, spec().id));
}

void VectorEnv::Impl::refuse_action(std::int64_t e) const {
  const std::span<const float> action = action_row(e);
  const auto bad = std::ranges::find_if_not(action, [](float a) { return std::isfinite(a); });
  if (bad == action.end()) {
    throw NumericalError(
        fmt::format("{}, environment {}: action {} at step {} of the episode is not one of 0 to {}",
                    spec().id, e, action[0], elapsed[index(e)] + 1, spec().action.size - 1));
  }
  throw NumericalError(fmt::format(
      "{}, environment {}: action[{}] at step {} of the episode is {}, expected a finite number: "
      "lower the learning rate if the policy has diverged",
      spec().id, e, bad - action.begin(), elapsed[index(e)] + 1, *bad));
}

// Refuses a step before anything has moved.
void VectorEnv::Impl::check_rows() {
  const std::int64_t rows = size_of(stepped);
  if (rows <= kRowsPerCheck) {
    check_task(0, 0);
  } else {
    pool.parallel_for((rows + kRowsPerCheck - 1) / kRowsPerCheck, check_task);
  }
}

// Rows per task of a step of so many rows: one task of what is too short to share, else a multiple
// of kEvenTasks, or fewer tasks of a row each.
std::int64_t VectorEnv::Impl::cut(std::int64_t rows) const {
  const auto worth =
      static_cast<std::int64_t>(static_cast<double>(rows) * step_cost / kTaskSeconds);
  if (worth <= 1) return std::max<std::int64_t>(1, rows);
  const std::int64_t tasks = (worth + kEvenTasks - 1) / kEvenTasks * kEvenTasks;
  return (rows + tasks - 1) / tasks;
}

// Sets up a step and returns its number of tasks.
std::int64_t VectorEnv::Impl::prepare(std::span<const std::int64_t> rows, const Buffers& memory,
                                      const NextEpisode* next) {
  if (in_step) throw Error(fmt::format("{}: a step was begun within another", spec().id));
  stepped = rows;
  buffers = memory;
  next_episode = next;
  check_rows();
  rows_per_task = cut(size_of(rows));
  return (size_of(rows) + rows_per_task - 1) / rows_per_task;
}

void VectorEnv::Impl::reset_row(std::int64_t e, RandomStream random, std::span<float> observation) {
  environments[index(e)]->reset(random);
  environments[index(e)]->observe(observation);
  running[index(e)] = 1;
  elapsed[index(e)] = 0;
  if (all_finite(observation)) return;
  const auto bad = std::ranges::find_if_not(observation, [](float v) { return std::isfinite(v); });
  throw NumericalError(fmt::format(
      "{}, environment {}: observation[{}] at the start of an episode is {}, expected a finite "
      "number: check env.options, the reset noise above all",
      spec().id, e, bad - observation.begin(), *bad));
}

// The simulation of environment e broke down in this step.
void VectorEnv::Impl::end_diverged(std::int64_t e, std::span<const float> before) {
  std::ranges::copy(before, row(buffers.after, e).begin());
  rewards[index(e)] = 0.0;
  terminated[index(e)] = 0;
  truncated[index(e)] = 1;
  diverged[index(e)] = 1;
}

void VectorEnv::Impl::start_next_episode(std::int64_t e) {
  if (next_episode == nullptr) return;
  const std::optional<RandomStream> random = (*next_episode)(e);
  if (!random) return;
  const std::span<float> observation = row(buffers.after, e);
  std::ranges::copy(observation, row(std::span(final_observations), e).begin());
  reset_row(e, *random, observation);
}

// Two passes: the first is little but the environments' own arithmetic, so that the processor can
// overlap one with the next.
void VectorEnv::Impl::step_rows(std::int64_t first, std::int64_t last) {
  for (std::int64_t i = first; i < last; ++i) {
    const std::int64_t e = stepped[index(i)];
    const StepResult result = environments[index(e)]->step(action_row(e));
    rewards[index(e)] = result.reward;
    terminated[index(e)] = result.terminated ? 1 : 0;
  }
  for (std::int64_t i = first; i < last; ++i) settle_row(stepped[index(i)]);
}

// Writes the observation after a step and settles whether the episode goes on.
void VectorEnv::Impl::settle_row(std::int64_t e) {
  const Environment& environment = *environments[index(e)];
  const std::span<float> after = row(buffers.after, e);
  std::span<const float> before = row(buffers.before, e);
  if (before.data() == after.data()) {
    const std::span<float> kept = row(std::span(final_observations), e);
    std::ranges::copy(before, kept.begin());
    before = kept;
  }
  environment.observe(after);
  const bool out_of_time = ++elapsed[index(e)] >= limit;
  truncated[index(e)] = out_of_time ? 1 : 0;
  diverged[index(e)] = 0;
  if (!all_finite(after) || !std::isfinite(rewards[index(e)]) || environment.diverged()) {
    end_diverged(e, before);
  } else if (terminated[index(e)] == 0 && !out_of_time) {
    return;
  }
  running[index(e)] = 0;
  start_next_episode(e);
}

VectorEnv::VectorEnv(const std::string& id, const EnvironmentOptions& options, std::int64_t count,
                     std::int64_t max_episode_steps, ThreadPool& pool)
    : VectorEnv(make_instances(id, options, count), max_episode_steps, pool) {}

VectorEnv::VectorEnv(std::vector<std::unique_ptr<Environment>> instances,
                     std::int64_t max_episode_steps, ThreadPool& pool)
    : impl_(std::make_unique<Impl>(std::move(instances), max_episode_steps, pool)) {}

VectorEnv::~VectorEnv() {
  if (!impl_->in_step) return;
  try {
    end_step();  // the pool must not touch what is about to be released
  } catch (const std::exception&) {
    // Whoever left the step unfinished has an error of its own under way.
  }
}

const EnvironmentSpec& VectorEnv::spec() const { return impl_->spec(); }
std::int64_t VectorEnv::count() const { return impl_->count(); }
std::int64_t VectorEnv::max_episode_steps() const { return impl_->limit; }

void VectorEnv::reset(std::int64_t e, RandomStream random) {
  Impl& impl = *impl_;
  if (e < 0 || e >= count()) impl.refuse_row(e);
  impl.rewards[index(e)] = 0.0;
  impl.terminated[index(e)] = 0;
  impl.truncated[index(e)] = 0;
  impl.diverged[index(e)] = 0;
  impl.reset_row(e, random, impl.row(std::span(impl.observations), e));
}

void VectorEnv::step(std::span<const std::int64_t> environments) {
  step(environments, own_buffers());
}

void VectorEnv::step(std::span<const std::int64_t> environments, const Buffers& buffers,
                     const NextEpisode* next_episode) {
  const std::int64_t tasks = impl_->prepare(environments, buffers, next_episode);
  impl_->pool.parallel_for(tasks, impl_->step_task);
}

void VectorEnv::begin_step(std::span<const std::int64_t> environments, const Buffers& buffers,
                           const NextEpisode* next_episode) {
  impl_->pool.start(impl_->prepare(environments, buffers, next_episode), impl_->step_task);
  impl_->in_step = true;
}

void VectorEnv::end_step() {
  if (std::exchange(impl_->in_step, false)) impl_->pool.finish();
}

VectorEnv::Buffers VectorEnv::own_buffers() {
  return {impl_->actions, impl_->observations, impl_->observations};
}

std::span<float> VectorEnv::actions() { return impl_->actions; }
std::span<const float> VectorEnv::observations() const { return impl_->observations; }
std::span<const float> VectorEnv::final_observations() const { return impl_->final_observations; }
std::span<const double> VectorEnv::rewards() const { return impl_->rewards; }
std::span<const std::uint8_t> VectorEnv::terminated() const { return impl_->terminated; }
std::span<const std::uint8_t> VectorEnv::truncated() const { return impl_->truncated; }
std::span<const std::uint8_t> VectorEnv::diverged() const { return impl_->diverged; }
std::span<const std::int64_t> VectorEnv::elapsed() const { return impl_->elapsed; }

}  // namespace lpdm
