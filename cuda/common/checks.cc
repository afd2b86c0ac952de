#include "common/checks.h"

#include <fmt/format.h>

#include "lpdm/error.h"

namespace lpdm::cuda {

namespace {

// After these the device, or this process's use of it, is lost: nothing more can be enqueued.
bool is_fatal(cudaError_t status) {
  switch (status) {
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchFailure:
    case cudaErrorLaunchTimeout:
    case cudaErrorHardwareStackError:
    case cudaErrorIllegalInstruction:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorECCUncorrectable:
    case cudaErrorNvlinkUncorrectable:
    case cudaErrorDevicesUnavailable:
    case cudaErrorExternalDevice:
    case cudaErrorContextIsDestroyed:
    case cudaErrorMpsClientTerminated:
    case cudaErrorAssert:
    case cudaErrorUnknown:
      return true;
    default:
      return false;
  }
}

[[noreturn]] void throw_lost(const char* what, const std::string& cause) {
  throw Error(
      fmt::format("the GPU was lost during {} ({}); go on from the latest checkpoint with "
                  "--resume, on --device cpu if it happens again",
                  what, cause));
}

std::string cause_text(cudaError_t status) {
  return fmt::format("{}, {}", cudaGetErrorName(status), cudaGetErrorString(status));
}

// The program was built for other devices, or by a toolkit that the driver does not know yet.
bool is_without_code(cudaError_t status) {
  return status == cudaErrorNoKernelImageForDevice || status == cudaErrorInvalidPtx ||
         status == cudaErrorUnsupportedPtxVersion;
}

}  // namespace

void check(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  if (status == cudaErrorMemoryAllocation) throw_out_of_memory(what);
  if (is_fatal(status)) throw_lost(what, cause_text(status));
  cudaGetLastError();  // or the next call would report it again
  if (is_without_code(status)) {
    throw Error(fmt::format(
        "this program has no code for the GPU ({}); update the driver, or build it with "
        "LPDM_CUDA_ARCHITECTURES=native on this machine",
        cause_text(status)));
  }
  throw Error(fmt::format("CUDA refused {} ({}); try --device cpu", what, cause_text(status)));
}

void check(cublasStatus_t status, const char* what) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  if (status == CUBLAS_STATUS_ALLOC_FAILED) throw_out_of_memory(what);
  // cuBLAS has no status for a lost device, but any question to one brings its error back.
  std::size_t free = 0, total = 0;
  const cudaError_t device = cudaMemGetInfo(&free, &total);
  if (is_fatal(device)) throw_lost(what, cause_text(device));
  throw Error(
      fmt::format("cuBLAS refused {} ({}); try --device cpu", what, cublasGetStatusString(status)));
}

void throw_out_of_memory(const std::string& asked) {
  cudaGetLastError();  // or the next call would report it again
  std::size_t free = 0, total = 0;
  const cudaError_t answered = cudaMemGetInfo(&free, &total);  // it may need memory itself
  if (is_fatal(answered)) throw_lost(asked.c_str(), cause_text(answered));
  if (answered != cudaSuccess) {
    cudaGetLastError();
    throw Error(fmt::format(
        "the GPU has no memory left for {}, not even to say how much; end other programs on it",
        asked));
  }
  throw Error(fmt::format(
      "the GPU has no memory left for {}: {} of its {} bytes are free; make updates smaller "
      "(algorithm.episodes_per_update, algorithm.ppo.horizon, env.count), lower "
      "hidden.memory_mb or end other programs on the GPU",
      asked, free, total));
}

}  // namespace lpdm::cuda
