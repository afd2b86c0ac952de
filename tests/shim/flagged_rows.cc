// Stands in for common/flagged_rows.cu, where CUB cannot be compiled.
#include "common/flagged_rows.h"

#include "common/checks.h"

namespace lpdm::cuda {

void count_flagged_before(Context& context, const std::uint8_t* flags, std::int64_t count,
                          std::int64_t* before) {
  check(shim::enqueue_host(
            [=] {
              std::int64_t sum = 0;
              for (std::int64_t i = 0; i < count; ++i) {
                before[i] = sum;
                sum += flags[i];
              }
            },
            context.stream),
        "a scan");
}

}  // namespace lpdm::cuda
