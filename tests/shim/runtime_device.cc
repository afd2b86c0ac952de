// The device itself, its memory and errors, of the CUDA runtime.
#include <cstdio>

#include "shim/device_memory.h"
#include "shim/work_queue.h"

using lpdm::shim::Device;
using lpdm::shim::DeviceMemory;

namespace {

constexpr int kToolkitVersion = 13000;

struct Settings {
  int devices = 1;
  int multiprocessors = 4;
  int major = 9, minor = 0;
  int driver = kToolkitVersion;
};

Settings& settings() {
  static Settings made;
  return made;
}

}  // namespace

namespace lpdm::shim {

void set_device_memory(std::size_t bytes) { DeviceMemory::get().set_size(bytes); }
std::size_t device_bytes_in_use() { return DeviceMemory::get().in_use(); }
void set_compute_capability(int major, int minor) {
  settings().major = major;
  settings().minor = minor;
}
void set_multiprocessors(int count) { settings().multiprocessors = count; }
void set_device_count(int devices) { settings().devices = devices; }
void set_driver_version(int version) { settings().driver = version; }
void lose_device(cudaError_t error) { Device::get().sticky = error; }

}  // namespace lpdm::shim

cudaError_t cudaGetDeviceCount(int* count) {
  *count = settings().devices;
  if (settings().driver == 0 || settings().driver / 1000 < kToolkitVersion / 1000) {
    return Device::get().remember(cudaErrorInsufficientDriver);
  }
  return settings().devices > 0 ? cudaSuccess : Device::get().remember(cudaErrorNoDevice);
}

cudaError_t cudaGetDevice(int* device) {
  *device = 0;
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) {
  if (device >= 0 && device < settings().devices) return cudaSuccess;
  return Device::get().remember(cudaErrorInvalidDevice);
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int) {
  switch (attribute) {
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      *value = 227 * 1024;
      return cudaSuccess;
    case cudaDevAttrMultiProcessorCount:
      *value = settings().multiprocessors;
      return cudaSuccess;
    case cudaDevAttrClockRate:
      *value = 1000000;
      return cudaSuccess;
    case cudaDevAttrL2CacheSize:
      *value = 0;  // distances are kept between passes only where a test asks for it
      return cudaSuccess;
    case cudaDevAttrComputeCapabilityMajor:
      *value = settings().major;
      return cudaSuccess;
    case cudaDevAttrComputeCapabilityMinor:
      *value = settings().minor;
      return cudaSuccess;
  }
  return Device::get().remember(cudaErrorInvalidValue);
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  *properties = {};
  std::snprintf(properties->name, sizeof(properties->name), "execution shim");
  properties->totalGlobalMem = DeviceMemory::get().size();
  properties->sharedMemPerBlock = 48 * 1024;
  cudaDeviceGetAttribute(&properties->multiProcessorCount, cudaDevAttrMultiProcessorCount, device);
  cudaDeviceGetAttribute(&properties->l2CacheSize, cudaDevAttrL2CacheSize, device);
  properties->sharedMemPerBlockOptin = 227 * 1024;
  properties->major = settings().major;
  properties->minor = settings().minor;
  return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int* version) {
  *version = settings().driver;
  return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = kToolkitVersion;
  return cudaSuccess;
}

cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  *total = DeviceMemory::get().size();
  *free = *total - DeviceMemory::get().in_use();
  return Device::get().sticky;
}

cudaError_t cudaMalloc(void** memory, std::size_t bytes) {
  *memory = DeviceMemory::get().allocate(bytes);
  return *memory != nullptr ? cudaSuccess : Device::get().remember(cudaErrorMemoryAllocation);
}

cudaError_t cudaFree(void* memory) {
  if (memory == nullptr) return cudaSuccess;
  const cudaError_t status = cudaDeviceSynchronize();
  if (!DeviceMemory::get().release(memory)) return Device::get().remember(cudaErrorInvalidValue);
  return status;
}

cudaError_t cudaGetLastError() {
  Device& device = Device::get();
  const cudaError_t last = device.last;
  device.last = cudaSuccess;
  return device.sticky != cudaSuccess ? device.sticky : last;
}

cudaError_t cudaPeekAtLastError() { return Device::get().last; }

const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "cudaSuccess";
    case cudaErrorInvalidValue:
      return "cudaErrorInvalidValue";
    case cudaErrorMemoryAllocation:
      return "cudaErrorMemoryAllocation";
    case cudaErrorInvalidConfiguration:
      return "cudaErrorInvalidConfiguration";
    case cudaErrorInsufficientDriver:
      return "cudaErrorInsufficientDriver";
    case cudaErrorNoDevice:
      return "cudaErrorNoDevice";
    case cudaErrorECCUncorrectable:
      return "cudaErrorECCUncorrectable";
    case cudaErrorLaunchFailure:
      return "cudaErrorLaunchFailure";
    case cudaErrorStreamCaptureUnsupported:
      return "cudaErrorStreamCaptureUnsupported";
    case cudaErrorStreamCaptureUnjoined:
      return "cudaErrorStreamCaptureUnjoined";
    default:
      return "cudaErrorOther";
  }
}

const char* cudaGetErrorString(cudaError_t error) {
  return error == cudaErrorLaunchFailure ? lpdm::shim::last_fault() : cudaGetErrorName(error);
}
