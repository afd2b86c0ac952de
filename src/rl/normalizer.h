// Normalisation of observations and rewards by what the run has seen so far.
//
//   observation  (o - mean) / sqrt(variance + 1e-8), clipped to [-10, 10]
//   reward       r / sqrt(variance of the discounted return + 1e-8), clipped to [-10, 10]
//
// The discounted return of a step is R <- discount R + r, starting from 0 with every episode.
// The statistics are frozen while a batch is collected: iteration k uses those of the batches up to
// iteration k - 1, the first iteration changes nothing but the clip. Evaluation uses them and does
// not add to them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lpdm/config.h"
#include "lpdm/trainer.h"
#include "rl/running_moments.h"

namespace lpdm {

// What one sequence of steps (an episode, or an environment's part of a rollout) adds to the
// statistics. Sequences are merged in the order of their numbers, not of their ends.
struct SequenceMoments {
  RunningMoments observations;  // that an action was chosen for, before normalisation
  RunningMoments returns;       // discounted, after each step
};

class Normalizer {
 public:
  static constexpr double kLimit = 10.0;  // of the absolute value of what is normalised

  Normalizer(const Config& config, std::int64_t observation_size);

  bool observations() const { return observations_; }
  bool rewards() const { return rewards_; }

  // raw, normalized: (rows, observation_size); may be the same memory.
  void normalize(std::span<const float> raw, std::span<float> normalized) const;
  float normalize_reward(double reward) const;
  // (observation_size): a normalised observation is (raw - shift) * scale, clipped to ±kLimit.
  std::span<const double> shift() const { return shift_; }
  std::span<const double> scale() const { return scale_; }

  SequenceMoments make_sequence() const;
  // Notes an observation or a reward of the sequence; nothing unless it is to be normalised.
  // discounted: R of the running episode.
  void note(SequenceMoments& sequence, std::span<const float> observation) const;
  void note_reward(SequenceMoments& sequence, double& discounted, double reward) const;

  // Adds to the statistics, between batches.
  void merge(const SequenceMoments& sequence);
  void refresh();  // after the last merge of a batch

  NormalizationState state() const;
  // Throws Error unless it is a state of the same settings and sizes.
  void restore(const NormalizationState& state);

 private:
  bool observations_;
  bool rewards_;
  double discount_;
  SequenceMoments total_;
  std::vector<double> shift_;  // (observation_size)
  std::vector<double> scale_;  // (observation_size)
  double reward_scale_ = 1.0;
};

}  // namespace lpdm
