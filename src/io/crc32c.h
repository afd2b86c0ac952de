// The CRC-32C checksum (Castagnoli's polynomial) that TensorBoard's event files carry.
#pragma once

#include <cstdint>
#include <string_view>

namespace lpdm {

std::uint32_t crc32c(std::string_view bytes);

}  // namespace lpdm
