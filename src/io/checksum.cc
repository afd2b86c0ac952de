#include "io/checksum.h"

#include <fmt/format.h>
#include <zlib.h>

#include <cstddef>
#include <utility>

#include "io/files.h"
#include "io/safetensors_layout.h"
#include "lpdm/error.h"

namespace lpdm {
namespace {

constexpr const char* kKey = "checksum";

// CRC-32 of the bytes that a file of these contents has: equal contents have equal bytes.
std::string checksum_of(std::string_view bytes) {
  const uLong sum =
      crc32_z(crc32_z(0, nullptr, 0), reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  return fmt::format("crc32:{:08x}", sum);
}

}  // namespace

std::string encode_with_checksum(TensorFile file) {
  file.metadata.erase(kKey);
  std::string bytes = encode_safetensors(file);
  const std::size_t header_size = encode_safetensors_header(file).size();
  file.metadata[kKey] = checksum_of(bytes);
  bytes.replace(0, header_size, encode_safetensors_header(file));
  return bytes;
}

TensorFile decode_with_checksum(std::string_view bytes, const std::string& source) {
  TensorFile file = decode_safetensors(bytes, source);
  const auto stored = file.metadata.extract(kKey);
  if (stored.empty() || stored.mapped() != checksum_of(encode_safetensors(file))) {
    throw UsageError(
        fmt::format("\"{}\" is damaged: its checksum is not that of its contents", source));
  }
  return file;
}

void save_with_checksum(const std::filesystem::path& path, TensorFile file) {
  write_file(path, encode_with_checksum(std::move(file)));
}

TensorFile load_with_checksum(const std::filesystem::path& path) {
  return decode_with_checksum(read_file(path, "safetensors file", kMaxTensorFileBytes),
                              path.string());
}

}  // namespace lpdm
