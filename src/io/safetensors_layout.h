// What reading and writing safetensors files have in common.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "io/safetensors.h"

namespace lpdm {

static_assert(std::endian::native == std::endian::little,
              "arrays are copied as they lie in memory");

inline constexpr std::size_t kLengthBytes = 8;  // of the number in front of the header
inline constexpr std::uint64_t kMaxHeaderBytes = std::uint64_t{1} << 24;
inline constexpr std::uint64_t kMaxTensorFileBytes = std::uint64_t{1} << 40;
inline constexpr const char* kMetadataKey = "__metadata__";

// In the order of TensorValues' alternatives.
inline constexpr std::array<const char*, 3> kDtypes = {"F32", "F64", "I64"};

std::size_t element_bytes(const TensorValues& values);

// The number of elements of `shape`, or nothing if a size is negative or no file can hold them.
std::optional<std::uint64_t> element_count(const std::vector<std::int64_t>& shape);

}  // namespace lpdm
