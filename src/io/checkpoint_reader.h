// A checkpoint's tensors as plain values, checked against the run that they are to go on with.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "io/safetensors.h"
#include "lpdm/network.h"
#include "lpdm/parameters.h"
#include "lpdm/trainer.h"

namespace lpdm {

// The value of the metadata's "format" in what this program writes.
inline constexpr const char* kCheckpointFormat = "lpdm-checkpoint-1";

// The names of the tensors that belong to no layer.
namespace checkpoint_names {
inline constexpr const char* kLogStd = "log_std";
inline constexpr const char* kProgress = "progress";
// The running statistics begin with these.
inline constexpr const char* kObservations = "normalization.observations";
inline constexpr const char* kReturns = "normalization.returns";
// The running episodes, one after another.
inline constexpr const char* kEpisodes = "rollout.episodes";
inline constexpr const char* kSizes = "rollout.action_sizes";
inline constexpr const char* kActions = "rollout.actions";
}  // namespace checkpoint_names

// What a run expects of its checkpoints.
struct CheckpointShape {
  struct Layer {
    std::string name;  // see named_layers
    std::int64_t in = 0;
    std::int64_t out = 0;
  };
  std::vector<Layer> layers;
  std::int64_t log_std = 0;       // 0: none is learned
  std::int64_t observations = 0;  // normalised; 0: none
  bool rewards = false;           // normalised
  std::int64_t environments = 1;
};

struct CheckpointState {
  struct Layer {
    LayerValues values;
    OptimizerState optimizer;
  };
  std::vector<Layer> layers;
  std::vector<float> log_std;
  OptimizerState log_std_optimizer;
  Progress progress;
  NormalizationState normalization;
  RolloutState rollout;  // empty where the run saved none
};

// Throws UsageError naming `source` and what does not fit, for any contents whatever.
CheckpointState read_checkpoint(const TensorFile& file, const std::string& source,
                                const CheckpointShape& shape);

// Why this program cannot read a checkpoint of this format, or nothing.
std::string format_problem(const TensorFile& file);

// The iteration that a checkpoint was saved after. Throws UsageError if it does not say.
std::int64_t saved_iteration(const TensorFile& file);

}  // namespace lpdm
