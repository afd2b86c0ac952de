// Keeps two programs from writing to one run folder.
#pragma once

#include <filesystem>

#include "io/descriptor.h"

namespace lpdm {

// Holds an existing folder until it is destroyed; the system lets go of it when a program dies.
// Throws UsageError if another program holds it, IoError if the system refuses.
class RunLock {
 public:
  explicit RunLock(const std::filesystem::path& folder);

  // Whether a program holds the folder now; false if the system cannot tell.
  static bool is_held(const std::filesystem::path& folder);

 private:
  Descriptor folder_;
};

}  // namespace lpdm
