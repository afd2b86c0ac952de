// One whole update by LPDM and by backpropagation on the same batch, timed side by side.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/json_text.h"

namespace lpdm {

struct LocalLossBench {
  std::int64_t n = 1000;
  std::int64_t dim_x = 17;
  std::vector<std::int64_t> hidden = {128, 256};
  std::string pairs = "all";
  bool guided = false;
  std::int64_t repeats = 9;
  std::string device = "auto";
  std::string arithmetic = "fp32";  // backend.arithmetic
  std::int64_t threads = 1;
};

// Throws Error if the losses of the timed code disagree with a plain float64 evaluation.
Json run_local_loss_bench(const LocalLossBench& bench);

}  // namespace lpdm
