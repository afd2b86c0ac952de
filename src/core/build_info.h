// What this program was built from and with, for run summaries and `lpdm info`.
#pragma once

#include <string>

namespace lpdm {

struct BuildInfo {
  std::string version;
  std::string commit;      // "-dirty" appended for uncommitted changes; "unknown" outside git
  std::string compiler;    // name and version
  std::string build_type;  // CMake's, with the sanitizers if any
  std::string flags;       // that the compiler was given for all files
  std::string mujoco;      // version of the library that is loaded
  std::string openblas;    // version and configuration of the library that is loaded
  std::string simd;        // best SIMD target of this processor that was compiled
};

BuildInfo build_info();

}  // namespace lpdm
