// Many instances of one environment, stepped together on host threads.
//
// Contract: VectorEnv owns its instances and knows nothing of policies or batches. Row e of every
// matrix belongs to environment e. Nothing resets itself: after `terminated` or `truncated` the
// caller sees the final observation in the same row and decides when to call reset(e). Results do
// not depend on the number of threads. No allocation per step.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "lpdm/environment.h"
#include "lpdm/thread_pool.h"

namespace lpdm {

class VectorEnv {
 public:
  // count >= 1 environments. max_episode_steps: 0 for the environment's own limit.
  // The pool is shared and must outlive this object.
  VectorEnv(const std::string& id, const EnvironmentOptions& options, std::int64_t count,
            std::int64_t max_episode_steps, ThreadPool& pool);
  ~VectorEnv();

  const EnvironmentSpec& spec() const;
  std::int64_t count() const;
  std::int64_t max_episode_steps() const;

  // Starts a new episode in environment e and writes its first observation into row e.
  void reset(std::int64_t e, RandomStream random);

  // Steps the listed environments (all distinct, each within a running episode) with their rows of
  // actions(). Throws NumericalError naming environment, episode step and value when an action is
  // not finite (before anything is stepped) or when an observation or reward is not (a simulation
  // that diverged; other rows may have been stepped), and Error for an environment that waits for
  // reset.
  void step(std::span<const std::int64_t> environments);

  // (count, action.width()), to be filled in before step.
  std::span<float> actions();
  // (count, observation_size), of the latest reset or step; the final observation of an episode
  // too.
  std::span<const float> observations() const;
  std::span<const double> rewards() const;           // (count), of the latest step
  std::span<const std::uint8_t> terminated() const;  // (count)
  std::span<const std::uint8_t> truncated() const;   // (count); can be set together with terminated
  std::span<const std::int64_t> elapsed() const;     // (count), steps of the running episode

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lpdm
