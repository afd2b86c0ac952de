// Stands in for common/segmented_sort.cu, where CUB cannot be compiled.
#include "common/segmented_sort.h"

#include <algorithm>

#include "common/checks.h"

namespace lpdm::cuda {

void sort_segments(Context& context, const std::uint32_t* keys, std::uint32_t* sorted,
                   std::int64_t segments, std::int64_t, const std::int64_t* begins,
                   const std::int64_t* ends) {
  check(shim::enqueue_host(
            [=] {
              for (std::int64_t s = 0; s < segments; ++s) {
                std::copy(keys + begins[s], keys + ends[s], sorted + begins[s]);
                std::sort(sorted + begins[s], sorted + ends[s]);
              }
            },
            context.stream),
        "a sort");
}

}  // namespace lpdm::cuda
