// Whole training iterations: LPDM against backpropagation on the same episodes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "io/json_text.h"

namespace lpdm {

struct TrainBench {
  std::filesystem::path config;
  std::vector<std::string> overrides;
  std::int64_t warm_up = 0;  // iterations of ordinary training before the measurement
  std::int64_t repeats = 20;
};

// Times the iterations of a config by LPDM and by backpropagation, in turn, with diagnostics off.
// Both start from the same parameters, those of the config's own run after the warm-up, and their
// learning rates are 0: the work is that of training, but the policies stay equal and so do their
// episodes. Throws Error if they do not.
Json run_train_bench(const TrainBench& bench);

}  // namespace lpdm
