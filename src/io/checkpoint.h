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

// Throws UsageError naming `source` and what does not fit: another format version, or a network of
// another shape. The trainer is then unchanged.
void restore_checkpoint(const TensorFile& file, const std::string& source, Trainer& trainer);

}  // namespace lpdm
