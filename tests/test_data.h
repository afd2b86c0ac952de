// Where the tests' data is: in the source tree, or where LPDM_TEST_DATA says, for tests that were
// built on another machine.
#pragma once

#include <cstdlib>
#include <string>

namespace lpdm {

inline std::string test_data_folder() {
  const char* given = std::getenv("LPDM_TEST_DATA");
  return given != nullptr ? given : LPDM_TEST_DATA_DIR;
}

}  // namespace lpdm
