// How much memory this process may still take.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace lpdm {

// [bytes]: what the system can give without swapping (MemAvailable), or what the process's control
// group (version 1 or 2) and those above it still allow, whichever is least; cached files count as
// free. Nothing where the system does not say. root: the folder that holds proc and sys.
std::optional<std::int64_t> available_memory(const std::filesystem::path& root = "/");

}  // namespace lpdm
