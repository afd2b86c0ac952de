// Reading whole files and writing them so that a reader never meets half a file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace lpdm {

// The whole file as bytes. Throws UsageError, calling it a `kind` ("config"), when it is missing,
// is a folder, cannot be read, or has more than `max_bytes`.
std::string read_file(const std::filesystem::path& path, const std::string& kind,
                      std::uint64_t max_bytes);

// Replaces the file by `bytes`: written to a temporary name in the same folder, flushed to disk,
// renamed. Throws IoError and removes the temporary on any failure; `path` is then as it was. A
// symbolic link stays one. A device or pipe (/dev/stdout) is written to directly.
void write_file(const std::filesystem::path& path, std::string_view bytes);

// Whether `path` is what a program that was killed within write_file left behind.
bool is_leftover(const std::filesystem::path& path);

// Removes leftovers from `folder`, which nobody else may be writing to.
void remove_leftovers(const std::filesystem::path& folder);

}  // namespace lpdm
