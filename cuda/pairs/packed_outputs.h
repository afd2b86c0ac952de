// Outputs of dense layers, kept packed beside them for the local loss that follows: the forward
// pass writes both at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "common/context.h"
#include "pairs/pair_domain.h"

namespace lpdm::cuda {

struct PackedOutput {
  PackedRows rows;
  std::uint32_t* words = nullptr;  // of `rows`, to be written
};

inline KeptMemory::Key packed_key(const float* output, std::int64_t dim, std::int64_t capacity,
                                  Arithmetic arithmetic) {
  return {output, capacity, dim, static_cast<int>(arithmetic)};
}

// The copy of these rows, if there is one.
inline std::optional<PackedRows> find_packed_output(Context& context, const float* output,
                                                    std::int64_t dim, std::int64_t capacity,
                                                    Arithmetic arithmetic) {
  const void* words = context.kept().find(packed_key(output, dim, capacity, arithmetic));
  if (words == nullptr) return std::nullopt;
  PackedRows rows = packed_shape(dim, capacity, arithmetic);
  rows.words = static_cast<const std::uint32_t*>(words);
  return rows;
}

// That, made if there is none, of whatever contents.
inline PackedOutput reserve_packed_output(Context& context, const float* output, std::int64_t dim,
                                          std::int64_t capacity, Arithmetic arithmetic) {
  PackedRows rows = packed_shape(dim, capacity, arithmetic);
  const auto bytes = static_cast<std::size_t>(packed_words(rows)) * sizeof(std::uint32_t);
  auto* words = static_cast<std::uint32_t*>(
      context.kept().reserve(packed_key(output, dim, capacity, arithmetic), bytes));
  rows.words = words;
  return {rows, words};
}

}  // namespace lpdm::cuda
