// The limit of the pairwise passes on this core: their arithmetic alone, on values in the L1 cache.
// Prints what the rates make of one update's pairs; the share of the limit that the program reaches
// is that time over its own.
//
//     limit [N] [width of the input] [sum of the hidden widths] [M landmarks, 0: all pairs]
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "rates.h"

int main(int argc, char** argv) {
  const auto argument = [&](int i, double otherwise) {
    return argc > i ? std::strtod(argv[i], nullptr) : otherwise;
  };
  const double n = argument(1, 1000);
  const double input = argument(2, 17);
  const double hidden = argument(3, 384);
  const double landmarks = argument(4, 0);
  const double pairs = landmarks > 0 ? n * landmarks : n * (n - 1) / 2;
  const lpdm::limit::Rates fp32 = lpdm::limit::float_rates();
  const lpdm::limit::Rates fixed = lpdm::limit::level_rates();
  if (!std::isfinite(fp32.checksum + fixed.checksum)) return 1;
  const double of_input = input / fp32.distances;  // float32 in either arithmetic
  const auto print = [&](const char* name, const lpdm::limit::Rates& rates, const char* end) {
    const double of_hidden = hidden / rates.distances + hidden / rates.gradients;
    std::printf(
        "\"%s\": {\"distance_pair_dims_per_s\": %.4g, \"gradient_pair_dims_per_s\": %.4g, "
        "\"pairs_of_one_update_s\": %.6g}%s",
        name, rates.distances, rates.gradients, pairs * (of_input + of_hidden), end);
  };
  std::printf("{");
  print("fp32", fp32, ",\n ");
  print("fixed", fixed, "}\n");
}
