#include <cub/device/device_segmented_radix_sort.cuh>
#include <limits>
#include <string>

#include "common/cub_memory.h"
#include "common/segmented_sort.h"
#include "lpdm/error.h"

namespace lpdm::cuda {

void sort_segments(Context& context, const std::uint32_t* keys, std::uint32_t* sorted,
                   std::int64_t segments, std::int64_t stride, const std::int64_t* begins,
                   const std::int64_t* ends) {
  constexpr int kBits = 32;
  if (segments * stride > std::numeric_limits<int>::max()) {
    throw Error("a layer of " + std::to_string(segments) + " outputs and a batch of " +
                std::to_string(stride) + " rows are more values than can be sorted at once, " +
                std::to_string(std::numeric_limits<int>::max()) +
                "; make updates smaller, or set hidden.pairs to landmarks:64");
  }
  call_cub(context, "a sort", [&](void* memory, std::size_t& bytes) {
    return cub::DeviceSegmentedRadixSort::SortKeys(
        memory, bytes, keys, sorted, static_cast<int>(segments * stride),
        static_cast<int>(segments), begins, ends, 0, kBits, context.stream);
  });
}

}  // namespace lpdm::cuda
