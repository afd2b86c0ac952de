// A checksum within a safetensors file, over everything else that it says.
#pragma once

#include <filesystem>

#include "io/safetensors.h"

namespace lpdm {

// Puts the checksum of the contents into the metadata and writes the file, see save_safetensors.
void save_with_checksum(const std::filesystem::path& path, TensorFile file);

// Throws UsageError naming the file if it is damaged: unreadable, or not what was written.
TensorFile load_with_checksum(const std::filesystem::path& path);

}  // namespace lpdm
