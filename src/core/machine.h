// The machine that a run was made on, for its summary.
#pragma once

#include <string>

namespace lpdm {

// The processor and how many hardware threads this program may use: "Xeon …, 8 threads".
std::string machine_description();

}  // namespace lpdm
