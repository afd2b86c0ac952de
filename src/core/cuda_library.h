// The shared object with the CUDA backend: found, loaded and checked when it is first asked for.
#pragma once

#include <string>

#include "core/cuda_interface.h"

namespace lpdm {

struct CudaLibrary {
  const CudaInterface* table = nullptr;  // null: there is no library that can be used
  CudaDeviceStatus::Kind device = CudaDeviceStatus::kNone;
  // The device in words, or a clause that says what is missing and how to mend it.
  std::string text;
  double lane_rate = 0.0;  // [1/s], of the device: see CudaDeviceStatus

  bool usable() const { return device == CudaDeviceStatus::kUsable; }
};

// Looks for $LPDM_CUDA_LIBRARY if that is set, else for liblpdm_cuda.so beside the program and in
// ../lib of its folder. Always the same answer within a process; any thread.
const CudaLibrary& cuda_library();

}  // namespace lpdm
