// Hands a command over to the Python part of the program, which draws and does the statistics.
#pragma once

#include <string>
#include <vector>

namespace lpdm {

// Becomes `python3 -m lpdm_runs COMMAND ARGUMENTS…`, so its output and exit status are the
// program's. The interpreter is $LPDM_PYTHON, or else python3; the scripts are found beside the
// installed program or in the source tree. Throws UsageError if either is missing.
[[noreturn]] void become_python(const std::string& command,
                                const std::vector<std::string>& arguments);

}  // namespace lpdm
