#include "io/safetensors_layout.h"

#include <algorithm>
#include <type_traits>

namespace lpdm {

std::size_t element_bytes(const TensorValues& values) {
  return std::visit(
      [](const auto& v) { return sizeof(typename std::decay_t<decltype(v)>::value_type); }, values);
}

std::optional<std::uint64_t> element_count(const std::vector<std::int64_t>& shape) {
  if (std::ranges::any_of(shape, [](std::int64_t size) { return size < 0; })) return std::nullopt;
  if (std::ranges::find(shape, 0) != shape.end()) return 0;
  std::uint64_t count = 1;
  for (const std::int64_t size : shape) {
    const auto factor = static_cast<std::uint64_t>(size);
    if (count > kMaxTensorFileBytes / factor) return std::nullopt;
    count *= factor;
  }
  return count;
}

}  // namespace lpdm
