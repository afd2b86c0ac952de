// Collects a fixed number of steps from every environment with the current policy.
//
// Episodes that end are followed by the next one in place; the last ones go on in the next call.
// The random draws of an episode belong to (seed, environment, its number there), those of an
// action also to its step in the episode, so the horizon changes nothing but where calls end, and
// neither threads nor halves change anything. No allocation per step, once the ends have had room.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lpdm/config.h"
#include "lpdm/random.h"
#include "lpdm/vector_env.h"
#include "rl/normalizer.h"
#include "rl/rollout_policy.h"

namespace lpdm {

// An episode that ended within a rollout.
struct EpisodeEnd {
  std::int64_t row = 0;     // of its last step
  std::int64_t length = 0;  // of the whole episode, earlier calls included
  double return_sum = 0.0;  // of the whole episode, undiscounted, before normalisation
};

// Row t * count + e is step t of environment e.
struct HorizonRollout {
  std::int64_t horizon = 0;
  std::int64_t count = 0;
  // (horizon + 1, count, observation_size): what the policy saw; the last block is where the next
  // call goes on, for bootstrapping episodes that have not ended.
  std::vector<float> observations;
  std::vector<float> actions;             // (horizon, count, action width)
  std::vector<float> policy_outputs;      // (horizon, count, head): logits or means
  std::vector<float> rewards;             // (horizon, count), normalised if the config says so
  std::vector<std::uint8_t> terminated;   // (horizon, count)
  std::vector<std::uint8_t> truncated;    // (horizon, count)
  std::vector<EpisodeEnd> ends;           // ascending rows
  std::vector<float> final_observations;  // (ends, observation_size), as the policy would see them
  std::int64_t diverged = 0;              // episodes that ended by a broken simulation

  std::int64_t rows() const { return horizon * count; }
};

class HorizonCollector {
 public:
  // Borrows all but the config. in_halves: see half_steps.h; the policy must then work beside the
  // pool. The environments are this collector's alone.
  HorizonCollector(VectorEnv& environments, RolloutPolicy& policy, const Normalizer& normalizer,
                   const Config& config, std::int64_t horizon, bool in_halves);

  // The rollout is valid until the next call.
  const HorizonRollout& collect();
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
    double discounted = 0.0;  // return so far, for the normaliser
  };

  RandomStream reset_stream(std::int64_t e) const;
  void start_first_episodes();
  void prepare();
  std::span<const std::int64_t> rows_of(int half) const;
  VectorEnv::Buffers buffers_at(std::int64_t step);
  void record_end(std::int64_t e, std::int64_t row);

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
