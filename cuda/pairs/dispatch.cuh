// Chooses a kernel's template arguments from run-time options.
#pragma once

#include "lpdm/error.h"
#include "pairs/pair_arithmetic.cuh"
#include "pairs/pair_sums.h"

namespace lpdm::cuda {

template <class T>
struct Type {
  using type = T;
};

// run(Type<arithmetic of the input>, Type<arithmetic of the layer>, bool constant: links)
template <class Run>
void dispatch_arithmetic(Metric metric, Arithmetic arithmetic, bool chain, const Run& run) {
  if (metric == Metric::kL2) {
    chain ? run(Type<Fp32L2>{}, Type<Fp32L2>{}, std::true_type{})
          : run(Type<Fp32L2>{}, Type<Fp32L2>{}, std::false_type{});
  } else if (chain) {
    run(Type<Fp32L1>{}, Type<Fp32L1>{}, std::true_type{});
  } else if (arithmetic == Arithmetic::kFixed) {
    run(Type<Fp32L1>{}, Type<Fixed>{}, std::false_type{});
  } else if (arithmetic == Arithmetic::kHalf2) {
    run(Type<Fp32L1>{}, Type<Half2>{}, std::false_type{});
  } else {
    run(Type<Fp32L1>{}, Type<Fp32L1>{}, std::false_type{});
  }
}

}  // namespace lpdm::cuda
