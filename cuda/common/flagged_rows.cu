#include <cub/device/device_scan.cuh>
#include <cuda/std/functional>

#include "common/cub_memory.h"
#include "common/flagged_rows.h"

namespace lpdm::cuda {

void count_flagged_before(Context& context, const std::uint8_t* flags, std::int64_t count,
                          std::int64_t* before) {
  call_cub(context, "a scan", [&](void* memory, std::size_t& bytes) {
    return cub::DeviceScan::ExclusiveScan(memory, bytes, flags, before,
                                          ::cuda::std::plus<std::int64_t>{}, std::int64_t{0}, count,
                                          context.stream);
  });
}

}  // namespace lpdm::cuda
