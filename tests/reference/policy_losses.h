// The losses of policy and value in float64, straight from their definitions, and gradients by
// central differences.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "lpdm/rl_ops.h"
#include "reference/local_loss.h"

namespace lpdm::reference {

// log π(a|s) of one row. outputs: logits or means; log_std empty: categorical, actions then hold
// one index.
struct PolicyRow {
  Values outputs;
  Values actions;
  Values log_std;
};
double log_probability(const PolicyRow& row);
double entropy(const PolicyRow& row);
double kl_divergence(const PolicyRow& from, const PolicyRow& to);  // KL(from ‖ to)

// Rows of (n, width) matrices.
struct PolicyBatch {
  std::int64_t n = 0;
  Values outputs;      // (n, outputs)
  Values old_outputs;  // (n, outputs); PPO
  Values actions;      // (n, width)
  Values weights;      // (n), returns or advantages
  Values log_std;      // (outputs); empty: categorical
  Values old_log_std;  // (outputs); PPO
};
double reinforce_loss(const PolicyBatch& batch);
struct PpoTerms {
  double surrogate = 0.0, kl = 0.0, entropy = 0.0;
  double total(const PpoObjective& objective) const;
};
PpoTerms ppo_loss(const PolicyBatch& batch, double clip);

double value_loss(const Values& values, const Values& returns, const Values& old_values,
                  double clip);

// ∂loss/∂x at x.
Values numerical_gradient(const std::function<double(const Values&)>& loss, const Values& x);

}  // namespace lpdm::reference
