// Collects a fixed number of steps from every environment with the current policy.
//
// Episodes that end are followed by the next one in place; the last ones go on in the next call.
// The random draws of an episode belong to (seed, environment, its number there), those of an
// action also to its step in the episode, so the horizon changes nothing but where calls end, and
// neither threads nor halves change anything. No allocation per step, once the ends and the longest
// episode have had room.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lpdm/batch.h"
#include "lpdm/config.h"
#include "lpdm/random.h"
#include "lpdm/trainer.h"
#include "lpdm/vector_env.h"
#include "rl/normalizer.h"
#include "rl/rollout_policy.h"

namespace lpdm {

class HorizonCollector {
 public:
  // Borrows all but the config. in_halves: see half_steps.h; the policy must then work beside the
  // pool. The environments are this collector's alone.
  HorizonCollector(VectorEnv& environments, RolloutPolicy& policy, const Normalizer& normalizer,
                   const Config& config, std::int64_t horizon, bool in_halves);

  // The rollout is valid until the next call.
  const HorizonRollout& collect();
  // What the next collect goes on with, per environment; empty before the first.
  RolloutState running_episodes() const;
  // Goes on with these by replaying them. Throws Error if they do not fit the environments.
  void restore(const RolloutState& episodes);

  // What the latest rollout adds to the normaliser, per environment.
  std::span<const SequenceMoments> moments() const { return moments_; }

  // The parts of collect, called by run_half_steps.
  bool running(int half) const;
  void choose(int half);
  void begin(int half);
  void end() { environments_.end_step(); }
  void record(int half);

 private:
  // A running episode.
  struct Course {
    std::uint32_t episode = 0;
    std::int64_t length = 0;
    double return_sum = 0.0;
    double discounted = 0.0;     // return so far, for the normaliser
    std::vector<float> actions;  // (length, action width), for running_episodes
  };

  RandomStream reset_stream(std::int64_t e) const;
  void start_first_episodes();
  void prepare();
  std::span<const std::int64_t> rows_of(int half) const;
  VectorEnv::Buffers buffers_at(std::int64_t step);
  void record_end(std::int64_t e, std::int64_t row);
  void replay(std::int64_t e, const RunningEpisode& running);

  VectorEnv& environments_;
  RolloutPolicy& policy_;
  const Normalizer& normalizer_;
  std::uint64_t seed_;
  bool in_halves_;
  bool started_ = false;
  std::int64_t observation_size_;
  std::int64_t action_width_;
  std::int64_t head_;
  HorizonRollout rollout_;
  VectorEnv::NextEpisode next_episode_;
  std::vector<std::int64_t> rows_;        // 0 .. count - 1
  std::int64_t step_of_[2] = {0, 0};      // next step of each half
  std::vector<Course> courses_;           // per environment
  std::vector<SequenceMoments> moments_;  // per environment
  std::vector<float> raw_;                // (count, observation_size), if they are normalised
};

}  // namespace lpdm
