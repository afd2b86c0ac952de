#include <cub/device/device_segmented_radix_sort.cuh>

#include "common/cub_memory.h"
#include "common/segmented_sort.h"

namespace lpdm::cuda {

void sort_segments(Context& context, const std::uint32_t* keys, std::uint32_t* sorted,
                   std::int64_t segments, std::int64_t stride, const std::int64_t* begins,
                   const std::int64_t* ends) {
  constexpr int kBits = 32;
  call_cub(context, "a sort", [&](void* memory, std::size_t& bytes) {
    return cub::DeviceSegmentedRadixSort::SortKeys(memory, bytes, keys, sorted, segments * stride,
                                                   segments, begins, ends, 0, kBits,
                                                   context.stream);
  });
}

}  // namespace lpdm::cuda
