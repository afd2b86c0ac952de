// A named stretch of the program for Nsight; the execution shim has a twin of this file.
#pragma once

#include <nvtx3/nvToolsExt.h>

namespace lpdm::cuda {

class Range {
 public:
  explicit Range(const char* name) { nvtxRangePushA(name); }
  ~Range() { nvtxRangePop(); }
  Range(const Range&) = delete;
  Range& operator=(const Range&) = delete;
};

}  // namespace lpdm::cuda
