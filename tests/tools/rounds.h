// How often a test of chance is repeated.
#pragma once

#include <cstdlib>
#include <string>

namespace lpdm {

// `all` where the environment variable LPDM_ALL_ROUNDS is set, as tools/sanitize.sh does; else the
// few that a run of the whole test suite has time for.
inline int rounds(int few, int all) {
  return std::getenv("LPDM_ALL_ROUNDS") == nullptr ? few : all;
}

}  // namespace lpdm
