#include "common/device.h"

#include <fmt/format.h>

#include "common/checks.h"
#include "lpdm/error.h"

namespace lpdm::cuda {

namespace {

constexpr int kOldestArchitecture = 80;  // whatever was built: no older one has been thought of

// As in 13.0 for 13000, and 9.0 for architecture 90.
std::string version_text(int version) {
  return fmt::format("{}.{}", version / 1000, version % 1000 / 10);
}
std::string capability_text(int architecture) {
  return fmt::format("{}.{}", architecture / 10, architecture % 10);
}

DeviceStatus none(std::string why) {
  return {.kind = CudaDeviceStatus::kNone, .text = std::move(why)};
}
DeviceStatus unsuitable(std::string why) {
  return {.kind = CudaDeviceStatus::kUnsuitable, .text = std::move(why)};
}

// Float32 lanes of a multiprocessor: 64 on the A100's architecture, 128 on all after it.
double lane_rate(const DeviceProperties& device) {
  constexpr int kAmpereDataCenter = 80;
  const double lanes = device.architecture == kAmpereDataCenter ? 64 : 128;
  return lanes * device.multiprocessors * device.clock;
}

DeviceStatus look() {
  int driver = 0, runtime = 0, devices = 0;
  check(cudaRuntimeGetVersion(&runtime), "the question for its version");
  if (cudaDriverGetVersion(&driver) != cudaSuccess || driver == 0) {
    return none("this machine has no NVIDIA driver; install one for CUDA " + version_text(runtime) +
                " or newer");
  }
  // Within a major version any driver will do.
  if (driver / 1000 < runtime / 1000) {
    return unsuitable(
        fmt::format("the NVIDIA driver is for CUDA {}, this program was built with CUDA {}; update "
                    "the driver",
                    version_text(driver), version_text(runtime)));
  }
  const cudaError_t counted = cudaGetDeviceCount(&devices);
  if (counted == cudaErrorNoDevice || (counted == cudaSuccess && devices == 0)) {
    return none("no GPU is visible to this program; look at nvidia-smi and CUDA_VISIBLE_DEVICES");
  }
  if (counted != cudaSuccess) {
    return unsuitable(fmt::format("CUDA cannot look for GPUs ({}, {}); see what nvidia-smi says",
                                  cudaGetErrorName(counted), cudaGetErrorString(counted)));
  }
  const DeviceProperties device = device_properties();
  if (device.architecture < kOldestArchitecture) {
    return unsuitable(
        fmt::format("{} is older than compute capability {}, which the kernels need; "
                    "take a newer GPU",
                    device_text(device), capability_text(kOldestArchitecture)));
  }
  if (device.architecture < LPDM_CUDA_OLDEST_ARCHITECTURE) {
    return unsuitable(fmt::format(
        "{} is older than compute capability {}, the oldest that this program was built for; build "
        "it with LPDM_CUDA_ARCHITECTURES={}",
        device_text(device), capability_text(LPDM_CUDA_OLDEST_ARCHITECTURE), device.architecture));
  }
  return {CudaDeviceStatus::kUsable, device_text(device), lane_rate(device)};
}

}  // namespace

DeviceStatus device_status() {
  try {
    return look();
  } catch (const Error& error) {  // there is one, and it does not answer as it should
    return unsuitable(error.what());
  }
}

DeviceProperties device_properties() {
  constexpr int kDevice = 0;
  cudaDeviceProp properties;
  int clock_khz = 0;
  check(cudaGetDeviceProperties(&properties, kDevice), "the question for the GPU's properties");
  check(cudaDeviceGetAttribute(&clock_khz, cudaDevAttrClockRate, kDevice),
        "the question for the GPU's clock");
  return {.name = properties.name,
          .architecture = properties.major * 10 + properties.minor,
          .multiprocessors = properties.multiProcessorCount,
          .clock = 1e3 * clock_khz,
          .memory = properties.totalGlobalMem,
          .cache = static_cast<std::size_t>(properties.l2CacheSize),
          .shared_per_block = properties.sharedMemPerBlockOptin};
}

std::string device_text(const DeviceProperties& device) {
  return fmt::format("{} (compute capability {}, {} multiprocessors, {:.0f} GB)", device.name,
                     capability_text(device.architecture), device.multiprocessors,
                     static_cast<double>(device.memory) / 1e9);
}

Arithmetic resolve_arithmetic(Arithmetic choice, int architecture) {
  if (choice != Arithmetic::kAuto) return choice;
  constexpr int kEmulated = 120;  // from here on the absolute difference of integers is emulated
  return architecture < kEmulated ? Arithmetic::kFixed : Arithmetic::kFp32;
}

const char* arithmetic_name(Arithmetic arithmetic) {
  switch (arithmetic) {
    case Arithmetic::kAuto:
      return "auto";
    case Arithmetic::kFp32:
      return "fp32";
    case Arithmetic::kFixed:
      return "fixed";
    case Arithmetic::kHalf2:
      return "half2";
  }
  return "unknown";
}

}  // namespace lpdm::cuda
