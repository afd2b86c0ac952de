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

}  // namespace

void check(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  if (status == cudaErrorMemoryAllocation) throw_out_of_memory(what);
  if (is_fatal(status)) throw_lost(what, cause_text(status));
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
  check(cudaMemGetInfo(&free, &total), "the question for free memory");
  throw Error(fmt::format(
      "the GPU has no memory left for {}: {} of its {} bytes are free; make updates smaller "
      "(algorithm.episodes_per_update, algorithm.ppo.horizon, env.count), lower "
      "hidden.memory_mb or end other programs on the GPU",
      asked, free, total));
}

}  // namespace lpdm::cuda
