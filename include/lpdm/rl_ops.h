// The arguments of the backend ops of reinforcement learning: returns, advantages, and the losses
// of policy and value. See ops.h for the conventions.
#pragma once

#include <cstdint>

#include "lpdm/rows.h"

namespace lpdm {

// ---- returns and advantages ---------------------------------------------------------------------

// Discounted returns-to-go within each episode; if asked, minus the mean of all rows and over their
// population standard deviation + 1e-8.
struct DiscountedReturns {
  Rows rows;
  const float* rewards = nullptr;              // (N)
  const std::int64_t* episode_ends = nullptr;  // (episodes), one past each episode's last row
  const std::int64_t* episode_count = nullptr;
  double discount = 0.99;
  bool normalize = true;
  // (N + episodes): V of each row, then of each episode's final observation; null: no bootstrapping
  const float* values = nullptr;
  const std::uint8_t* bootstrap =
      nullptr;               // (episodes), non-zero: the return goes on with V(final)
  float* returns = nullptr;  // (N)
};

// advantages = returns − values; if asked, minus their mean and over their population standard
// deviation + 1e-8.
struct Advantages {
  Rows rows;
  const float* returns = nullptr;  // (N)
  const float* values = nullptr;   // (N); null: 0
  bool normalize = true;
  float* advantages = nullptr;  // (N); may be `returns`
};

// Generalised advantage estimation (Schulman et al. 2016) over a rollout of `horizon` steps of
// `count` environments; row t · count + e is step t of environment e.
//   δ = r + discount · V(next) − V,   A = δ + discount · lambda · A(next) within the episode
// V(next) is 0 after a termination, that of the final observation after a truncation. lambda 1 is
// the return minus V, lambda 0 the one-step TD error. returns = A + V.
struct GeneralizedAdvantage {
  std::int64_t horizon = 0;
  std::int64_t count = 0;
  const float* rewards = nullptr;            // (horizon, count)
  const std::uint8_t* terminated = nullptr;  // (horizon, count)
  const std::uint8_t* truncated = nullptr;   // (horizon, count)
  // ((horizon + 1) · count + ends): V of each row, of what the next rollout starts from, and of the
  // final observations of the episodes that ended, in the order of their rows
  const float* values = nullptr;
  double discount = 0.99;
  double lambda = 0.95;
  float* advantages = nullptr;  // (horizon, count)
  float* returns = nullptr;     // (horizon, count)
};

// destination[i] = source[index[i]]
struct GatherRows {
  Rows rows;
  std::int64_t width = 0;
  const float* source = nullptr;        // (any, width)
  const std::int64_t* index = nullptr;  // (N)
  float* destination = nullptr;         // (N, width)
};

// ---- policy gradient ----------------------------------------------------------------------------

// loss = −mean(log π(a|s) · weight); delta = ∂loss/∂(head output)
struct CategoricalLoss {
  Rows rows;
  std::int64_t actions_count = 0;  // A
  const float* logits = nullptr;   // (N, A)
  const float* actions = nullptr;  // (N), indices
  const float* weights = nullptr;  // (N), returns or advantages
  float* delta = nullptr;          // (N, A)
  double* loss = nullptr;
};

struct GaussianLoss {
  Rows rows;
  std::int64_t dimensions = 0;  // A
  double std = 1.0;
  const float* log_std = nullptr;     // (A), learned, in place of std; null: std
  float* log_std_gradient = nullptr;  // (A), where it is learned
  const float* mean = nullptr;        // (N, A)
  const float* actions = nullptr;     // (N, A)
  const float* weights = nullptr;     // (N)
  float* delta = nullptr;             // (N, A)
  double* loss = nullptr;
};

// ---- proximal policy optimisation ---------------------------------------------------------------

// Schulman et al. 2017, with ρ = π(a|s) / π_old(a|s):
//   loss = −mean(min(ρ A, clamp(ρ, 1 − clip, 1 + clip) A)) + kl_weight · mean KL(π_old ‖ π)
//          − entropy_weight · mean H(π)
struct PpoObjective {
  double clip = 0.2;
  double kl_weight = 0.0;
  double entropy_weight = 0.0;
};

struct PpoLossStatistics {
  double surrogate = 0.0;      // the first term
  double kl = 0.0;             // mean KL(π_old ‖ π)
  double entropy = 0.0;        // mean H(π) [nat]
  double clip_fraction = 0.0;  // share of rows whose gradient the clip has cut off
};

struct PpoCategoricalLoss {
  Rows rows;
  std::int64_t actions_count = 0;     // A
  const float* logits = nullptr;      // (N, A)
  const float* old_logits = nullptr;  // (N, A)
  const float* actions = nullptr;     // (N), indices
  const float* advantages = nullptr;  // (N)
  PpoObjective objective;
  float* delta = nullptr;  // (N, A)
  PpoLossStatistics* statistics = nullptr;
};

struct PpoGaussianLoss {
  Rows rows;
  std::int64_t dimensions = 0;  // A
  double std = 1.0;
  const float* log_std = nullptr;      // (A), learned, in place of std; null: std
  const float* old_log_std = nullptr;  // (A), that of π_old; with log_std
  float* log_std_gradient = nullptr;   // (A), where it is learned
  const float* mean = nullptr;         // (N, A)
  const float* old_mean = nullptr;     // (N, A)
  const float* actions = nullptr;      // (N, A)
  const float* advantages = nullptr;   // (N)
  PpoObjective objective;
  float* delta = nullptr;  // (N, A)
  PpoLossStatistics* statistics = nullptr;
};

// loss = mean((V − R)²), or, with a clip, the mean of the larger of that and (V' − R)², where V' is
// V kept within `clip` of its old value. delta = ∂loss/∂V.
struct ValueLoss {
  Rows rows;
  const float* values = nullptr;      // (N), V
  const float* returns = nullptr;     // (N), R
  const float* old_values = nullptr;  // (N), with a clip
  double clip = 0.0;                  // 0: off
  float* delta = nullptr;             // (N)
  double* loss = nullptr;
};

}  // namespace lpdm
