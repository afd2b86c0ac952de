#include "pairs/packed_outputs.h"

#include <functional>

namespace lpdm::cuda {

PackedOutputs::~PackedOutputs() {
  for (const PackedOutput& entry : outputs_) memory_.release(entry.words, entry.bytes);
}

const PackedRows* PackedOutputs::find(const float* output, std::int64_t dim, std::int64_t capacity,
                                      Arithmetic arithmetic) const {
  for (const PackedOutput& entry : outputs_) {
    if (entry.is_of(output, dim, capacity, arithmetic)) return &entry.rows;
  }
  return nullptr;
}

const PackedOutput& PackedOutputs::reserve(const float* output, std::int64_t dim,
                                           std::int64_t capacity, Arithmetic arithmetic) {
  for (const PackedOutput& entry : outputs_) {
    if (entry.is_of(output, dim, capacity, arithmetic)) return entry;
  }
  PackedRows rows = packed_shape(dim, capacity, arithmetic);
  const auto bytes = static_cast<std::size_t>(packed_words(rows)) * sizeof(std::uint32_t);
  auto* words = static_cast<std::uint32_t*>(memory_.allocate(bytes));
  rows.words = words;
  outputs_.push_back({output, dim, capacity, arithmetic, rows, words, bytes});
  return outputs_.back();
}

void PackedOutputs::forget(const void* memory, std::size_t bytes) noexcept {
  const auto* begin = static_cast<const char*>(memory);
  std::erase_if(outputs_, [&](const PackedOutput& entry) {
    const auto* at = reinterpret_cast<const char*>(entry.output);
    const bool inside = !std::less<>{}(at, begin) && std::less<>{}(at, begin + bytes);
    if (inside) memory_.release(entry.words, entry.bytes);
    return inside;
  });
}

}  // namespace lpdm::cuda
