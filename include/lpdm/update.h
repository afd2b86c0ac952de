// What an update of the network is asked for, and what it reports.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace lpdm {

// A hidden layer's state of health before the update; the paper's failure signatures are a mean
// distance near 0 (collapse) and a saturated share near 1.
struct LayerDiagnostics {
  double loss = 0.0;           // the local loss, also where the layer does not learn by it
  double correlation = 0.0;    // of T with D̄_Y
  double mean_distance = 0.0;  // of D̄_Y, over all kept entries
  double mean_abs = 0.0;       // of y
  double saturated = 0.0;      // share of |y| > 0.99
  double gradient_norm = 0.0;  // before the clip; 0 for frozen layers
};

// Of PPO, means over an iteration's mini-batches.
struct PpoReport {
  double kl = 0.0;             // mean divergence from the policy that collected the steps [nat]
  double entropy = 0.0;        // of the policy [nat]
  double clip_fraction = 0.0;  // share of rows whose gradient the clip has cut off
  std::int64_t epochs = 0;     // made; fewer than asked for if algorithm.ppo.kl_stop ended them
};

// A few rows of a batch, evenly spread over it, as the network saw them before the update.
struct RowSample {
  std::int64_t rows = 0;
  std::vector<float> observations;               // (rows, in)
  std::vector<std::vector<float>> outputs = {};  // per hidden layer (rows, out)
};

struct UpdateReport {
  double policy_loss = 0.0;          // before the step; PPO: mean over the mini-batches
  std::optional<double> value_loss;  // likewise, where there is a value head
  std::optional<PpoReport> ppo;
  std::vector<LayerDiagnostics> layers;  // empty unless asked for
  std::optional<RowSample> sample = {};  // with the diagnostics, if run.tensorboard
  // What the ops took in the device's own time, without copies and checks; not measured by PPO.
  double device_seconds = 0.0;
};

struct UpdateOptions {
  bool diagnostics = false;
  double rate_factor = 1.0;  // multiplies all learning rates
  // Landmark rows to use instead of drawn ones (tests, `lpdm loss`).
  std::optional<std::vector<std::int64_t>> landmarks = {};
};

}  // namespace lpdm
