#include "io/checksum.h"

#include <fmt/format.h>
#include <zlib.h>

#include "lpdm/error.h"

namespace lpdm {
namespace {

constexpr const char* kKey = "checksum";

// CRC-32 of the bytes that a file of these contents has: equal contents have equal bytes.
std::string checksum_of(const TensorFile& file) {
  const std::string bytes = encode_safetensors(file);
  const uLong sum =
      crc32_z(crc32_z(0, nullptr, 0), reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  return fmt::format("crc32:{:08x}", sum);
}

}  // namespace

void save_with_checksum(const std::filesystem::path& path, TensorFile file) {
  file.metadata.erase(kKey);
  file.metadata[kKey] = checksum_of(file);
  save_safetensors(path, file);
}

TensorFile load_with_checksum(const std::filesystem::path& path) {
  TensorFile file = load_safetensors(path);
  const auto stored = file.metadata.extract(kKey);
  if (stored.empty() || stored.mapped() != checksum_of(file)) {
    throw UsageError(
        fmt::format("\"{}\" is damaged: its checksum is not that of its contents", path.string()));
  }
  return file;
}

}  // namespace lpdm
