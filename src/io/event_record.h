// One record of an event file: the length of its data, the data, and a checksum of each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lpdm {

std::string encode_record(std::string_view data);

// The data of the record that `bytes` begin with; none if it is cut short or damaged.
std::optional<std::string_view> decode_record(std::string_view bytes);

// The bytes of a record around its data.
inline constexpr std::size_t kRecordFrame = 16;

}  // namespace lpdm
