// A run's state as one safetensors file: parameters, Adam moments, the statistics of normalised
// observations and rewards, how far the run has come, and the episodes under way.
//
// Random streams are named by what they are for, and an episode is a function of its number and its
// actions, so this is all that the iterations to come depend on.
#pragma once

#include <filesystem>

#include "lpdm/trainer.h"

namespace lpdm {

// Replaces the file whole or not at all. Throws IoError.
void save_checkpoint(const std::filesystem::path& path, Trainer& trainer);

// Throws UsageError naming the file and what does not fit: damaged, another format version, or a
// network of another shape. The trainer is then unchanged.
void load_checkpoint(const std::filesystem::path& path, Trainer& trainer);

}  // namespace lpdm
