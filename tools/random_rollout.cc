#include "random_rollout.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "lpdm/error.h"

namespace lpdm {
namespace {

constexpr std::uint64_t kSeed = 1;
constexpr std::int64_t kVerifiedSteps = 40;  // several episodes of CartPole and InvertedPendulum

std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

// As many steps as fit into a few megabytes: a long period, that still stays in the cache.
std::int64_t table_period(std::int64_t row) {
  return std::clamp<std::int64_t>((std::int64_t{1} << 18) / row, 16, 1024);
}

// FNV-1a over the values' bits.
void mix(std::uint64_t& hash, std::uint64_t bits) { hash = (hash ^ bits) * 0x100000001b3ULL; }

// One environment as a plain loop would step it.
class Single {
 public:
  Single(const std::string& id, std::int64_t env, std::int64_t limit)
      : environment_(make_environment(id)), env_(env), limit_(limit) {
    observation_.resize(index(environment_->spec().observation_size));
    reset();
  }

  void step(std::span<const float> action) {
    result_ = environment_->step(action);
    truncated_ = ++elapsed_ >= limit_;
    if (result_.terminated || truncated_) reset();
    environment_->observe(std::span<float>(observation_));
  }

  const StepResult& result() const { return result_; }
  bool truncated() const { return truncated_; }
  std::span<const float> observation() const { return observation_; }

 private:
  void reset() {
    RandomStream random = rollout_reset(env_, episode_++);
    environment_->reset(random);
    elapsed_ = 0;
  }

  std::unique_ptr<Environment> environment_;
  std::int64_t env_;
  std::int64_t limit_;
  std::int64_t episode_ = 0;
  std::int64_t elapsed_ = 0;
  StepResult result_;
  bool truncated_ = false;
  std::vector<float> observation_;
};

}  // namespace

ActionTable::ActionTable(const ActionSpace& space, std::int64_t envs)
    : row_(envs * space.width()),
      width_(space.width()),
      period_(table_period(row_)),
      values_(index(period_ * row_)) {
  for (std::int64_t e = 0; e < envs; ++e) {
    RandomStream random(
        kSeed, {.purpose = StreamPurpose::kBenchmark, .index = static_cast<std::uint32_t>(e)});
    for (std::int64_t step = 0; step < period_; ++step) {
      for (std::int64_t d = 0; d < width_; ++d) {
        float& value = values_[index(step * row_ + e * width_ + d)];
        value = space.discrete
                    ? static_cast<float>(std::floor(random.uniform(0.0, double(space.size))))
                    : static_cast<float>(random.uniform(space.low[index(d)], space.high[index(d)]));
      }
    }
  }
}

std::span<const float> ActionTable::at(std::int64_t step) const {
  return std::span(values_).subspan(index(step % period_ * row_), index(row_));
}

std::span<const float> ActionTable::at(std::int64_t step, std::int64_t env) const {
  return at(step).subspan(index(env * width_), index(width_));
}

RandomStream rollout_reset(std::int64_t env, std::int64_t episode) {
  return RandomStream(kSeed, {.purpose = StreamPurpose::kEnvironmentReset,
                              .index = static_cast<std::uint32_t>(env),
                              .episode = static_cast<std::uint32_t>(episode)});
}

RandomRollout::RandomRollout(const std::string& id, std::int64_t envs, int threads)
    : pool_(threads),
      environments_(id, {}, envs, 0, pool_),
      actions_(environments_.spec().action, envs),
      next_episode_([this](std::int64_t e) { return rollout_reset(e, ++episodes_[index(e)]); }),
      rows_(index(envs)),
      episodes_(index(envs)),
      observations_(index(actions_.period() * envs * environments_.spec().observation_size)) {
  std::iota(rows_.begin(), rows_.end(), 0);
  restart();
}

void RandomRollout::restart() {
  steps_ = 0;
  std::ranges::fill(episodes_, 0);
  for (const std::int64_t e : rows_) environments_.reset(e, rollout_reset(e, 0));
  std::ranges::copy(environments_.observations(), slot(0).begin());
}

std::span<const float> RandomRollout::slot(std::int64_t step) const {
  const std::size_t size = environments_.observations().size();
  return std::span(observations_).subspan(index(step % actions_.period()) * size, size);
}

std::span<float> RandomRollout::slot(std::int64_t step) {
  const std::size_t size = environments_.observations().size();
  return std::span(observations_).subspan(index(step % actions_.period()) * size, size);
}

void RandomRollout::step() {
  environments_.step(
      rows_, {.actions = actions_.at(steps_), .before = slot(steps_), .after = slot(steps_ + 1)},
      &next_episode_);
  ++steps_;
}

std::string verify_random_rollout(const std::string& id, std::int64_t envs, int threads) {
  RandomRollout rollout(id, envs, threads);
  const VectorEnv& vector = rollout.environments();
  std::vector<Single> singles;
  for (std::int64_t e = 0; e < envs; ++e) singles.emplace_back(id, e, vector.max_episode_steps());
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  const std::size_t width = index(vector.spec().observation_size);
  for (std::int64_t step = 0; step < kVerifiedSteps; ++step) {
    rollout.step();
    for (std::size_t e = 0; e < singles.size(); ++e) {
      Single& single = singles[e];
      single.step(rollout.actions().at(step, static_cast<std::int64_t>(e)));
      const auto observation = rollout.observations().subspan(e * width, width);
      const bool same = std::ranges::equal(observation, single.observation()) &&
                        vector.rewards()[e] == single.result().reward &&
                        (vector.terminated()[e] != 0) == single.result().terminated &&
                        (vector.truncated()[e] != 0) == single.truncated();
      if (!same) {
        throw Error(fmt::format(
            "bench rollout: environment {} of {} differs from the one stepped alone at step {}", e,
            id, step + 1));
      }
      for (const float value : observation) mix(hash, std::bit_cast<std::uint32_t>(value));
      mix(hash, std::bit_cast<std::uint64_t>(vector.rewards()[e]));
    }
  }
  return fmt::format("{:016x}", hash);
}

}  // namespace lpdm
