// Many instances of one environment, stepped together on host threads.
//
// Contract: VectorEnv owns its instances and knows nothing of policies or batches. Row e of every
// matrix belongs to environment e. After `terminated` or `truncated` the caller sees the final
// observation in the same row and decides when to call reset(e), unless it has asked for the next
// episode to start in place. Results do not depend on the number of threads. No allocation per
// step. The methods belong to one thread; others work for it within a step only.
//
// A simulation that breaks down (MuJoCo says so, or an observation or reward is not finite) ends
// its episode like a truncation: `diverged` and `truncated` are set, `terminated` is not, the
// reward of the step is 0, and the observation is the one before the step. So nothing that is not
// finite ever leaves a VectorEnv.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lpdm/environment.h"
#include "lpdm/thread_pool.h"

namespace lpdm {

class VectorEnv {
 public:
  // The stream to reset environment e with, now that its episode has ended; none: it stays ended.
  // Called from the pool's threads, for different e at once.
  using NextEpisode = std::function<std::optional<RandomStream>(std::int64_t e)>;

  // Memory of the caller that one step works on, instead of actions() and observations(). It must
  // stay until the step has ended. `before` and `after` are the same memory or do not overlap.
  struct Buffers {
    std::span<const float> actions;  // (count, action.width())
    std::span<const float> before;   // (count, observation_size), the latest observations
    std::span<float> after;          // (count, observation_size), gets those after the step
  };

  // count >= 1 environments. max_episode_steps: 0 for the environment's own limit.
  // The pool is shared and must outlive this object.
  VectorEnv(const std::string& id, const EnvironmentOptions& options, std::int64_t count,
            std::int64_t max_episode_steps, ThreadPool& pool);
  // The same with instances of the caller's making, all of one kind.
  VectorEnv(std::vector<std::unique_ptr<Environment>> instances, std::int64_t max_episode_steps,
            ThreadPool& pool);
  ~VectorEnv();

  const EnvironmentSpec& spec() const;
  std::int64_t count() const;
  std::int64_t max_episode_steps() const;

  // Starts a new episode in environment e and writes its first observation into row e. Throws
  // NumericalError if that is not finite. Allowed during a step that does not list e.
  void reset(std::int64_t e, RandomStream random);

  // Steps the listed environments (all distinct, each within a running episode) with their rows of
  // actions(). Throws NumericalError naming environment, episode step and value when an action is
  // not finite, and Error for an environment that waits for reset, both before anything is stepped.
  void step(std::span<const std::int64_t> environments);
  // The same on memory of the caller's. Where an episode ends and `next_episode` gives a stream,
  // the next one starts at once: its first observation takes the place of the final one, which is
  // kept in final_observations().
  void step(std::span<const std::int64_t> environments, const Buffers& buffers,
            const NextEpisode* next_episode = nullptr);

  // step in two parts, so that the calling thread can do something else while the others work, such
  // as choosing the actions of other environments. end_step lends a hand and returns when all is
  // done. The arguments' targets must stay until then.
  void begin_step(std::span<const std::int64_t> environments, const Buffers& buffers,
                  const NextEpisode* next_episode = nullptr);
  void end_step();

  // actions() and observations(), for steps that only want a next_episode.
  Buffers own_buffers();
  // (count, action.width()), to be filled in before step.
  std::span<float> actions();
  // (count, observation_size), of the latest reset, or step without Buffers; the final observation
  // of an episode too.
  std::span<const float> observations() const;
  // (count, observation_size), where the latest step started the next episode in place.
  std::span<const float> final_observations() const;
  // Of the latest step, also where the next episode has started in place.
  std::span<const double> rewards() const;           // (count)
  std::span<const std::uint8_t> terminated() const;  // (count)
  std::span<const std::uint8_t> truncated() const;   // (count); can be set together with terminated
  std::span<const std::uint8_t> diverged() const;    // (count); set together with truncated
  std::span<const std::int64_t> elapsed() const;     // (count), steps of the running episode

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lpdm
