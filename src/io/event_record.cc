#include "io/event_record.h"

#include "io/crc32c.h"

namespace lpdm {
namespace {

constexpr std::size_t kLengthBytes = 8;
constexpr std::size_t kChecksumBytes = 4;

template <class Word>
std::string little_endian(Word word) {
  std::string bytes;
  for (std::size_t i = 0; i < sizeof(Word); ++i) {
    bytes.push_back(static_cast<char>(word >> (8 * i) & 0xff));
  }
  return bytes;
}

// Rotated and shifted, so that a checksum over bytes that hold a checksum is no special case.
std::string masked_checksum(std::string_view bytes) {
  constexpr std::uint32_t kShift = 0xa282ead8;
  const std::uint32_t sum = crc32c(bytes);
  return little_endian(((sum >> 15) | (sum << 17)) + kShift);
}

}  // namespace

std::string encode_record(std::string_view data) {
  const std::string length = little_endian(static_cast<std::uint64_t>(data.size()));
  std::string bytes = length + masked_checksum(length);
  bytes += data;
  return bytes + masked_checksum(data);
}

std::optional<std::string_view> decode_record(std::string_view bytes) {
  if (bytes.size() < kRecordFrame) return std::nullopt;
  const std::string_view length = bytes.substr(0, kLengthBytes);
  if (bytes.substr(kLengthBytes, kChecksumBytes) != masked_checksum(length)) return std::nullopt;
  std::uint64_t size = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    size |= std::uint64_t{static_cast<unsigned char>(length[i])} << (8 * i);
  }
  if (size > bytes.size() - kRecordFrame) return std::nullopt;
  const std::string_view data = bytes.substr(kLengthBytes + kChecksumBytes, size);
  const std::string_view sum = bytes.substr(kLengthBytes + kChecksumBytes + size, kChecksumBytes);
  return sum == masked_checksum(data) ? std::optional(data) : std::nullopt;
}

}  // namespace lpdm
