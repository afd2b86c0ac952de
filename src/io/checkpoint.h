// A run's state as named tensors: parameters, Adam moments, the statistics of normalised
// observations and rewards, how far the run has come, and the episodes under way.
//
// Random streams are named by what they are for, and an episode is a function of its number and its
// actions, so this is all that the iterations to come depend on.
#pragma once

#include <string>

#include "io/safetensors.h"
#include "lpdm/trainer.h"

namespace lpdm {

TensorFile checkpoint_tensors(Trainer& trainer);

// Only training goes on with the episodes under way.
enum class RestoreFor { kTraining, kEvaluation };

// Throws UsageError naming `source` and what does not fit: another format version, or a network of
// another shape; the trainer is then unchanged. Throws Error if an episode under way cannot be
// replayed, by another version of MuJoCo say; the trainer is then of no use.
void restore_checkpoint(const TensorFile& file, const std::string& source, RestoreFor purpose,
                        Trainer& trainer);

}  // namespace lpdm
