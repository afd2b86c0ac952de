// A checksum within a safetensors file, over everything else that it says.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "io/safetensors.h"

namespace lpdm {

// The bytes of a file that has the checksum of its contents in its metadata, see
// encode_safetensors.
std::string encode_with_checksum(TensorFile file);

// Throws UsageError naming `source` if the bytes are not what was written.
TensorFile decode_with_checksum(std::string_view bytes, const std::string& source);

// Writes such a file, see write_file.
void save_with_checksum(const std::filesystem::path& path, TensorFile file);

// Throws UsageError naming the file if it is damaged: unreadable, or not what was written.
TensorFile load_with_checksum(const std::filesystem::path& path);

}  // namespace lpdm
