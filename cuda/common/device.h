// The GPU that a process works on: the first one that CUDA_VISIBLE_DEVICES leaves.
#pragma once

#include <string>

#include "common/context.h"
#include "core/cuda_interface.h"

namespace lpdm::cuda {

struct DeviceStatus {
  CudaDeviceStatus::Kind kind = CudaDeviceStatus::kNone;
  std::string text;  // as in CudaDeviceStatus
  double lane_rate = 0.0;
};

// Whether there is a GPU whose driver and architecture this build can use. Throws nothing.
DeviceStatus device_status();

// Throws Error if CUDA does not answer.
DeviceProperties device_properties();

// "NVIDIA H100 (compute capability 9.0, 132 multiprocessors, 80 GB)"
std::string device_text(const DeviceProperties& device);

// What auto means on an architecture; any other choice stays as it is.
Arithmetic resolve_arithmetic(Arithmetic choice, int architecture);
const char* arithmetic_name(Arithmetic arithmetic);

}  // namespace lpdm::cuda
