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
    case cudaErrorDevicesUnavailable:
    case cudaErrorAssert:
    case cudaErrorUnknown:
      return true;
    default:
      return false;
  }
}

}  // namespace

void check(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  const std::string cause =
      fmt::format("{}, {}", cudaGetErrorName(status), cudaGetErrorString(status));
  if (is_fatal(status)) {
    throw Error(
        fmt::format("the GPU was lost during {} ({}); go on from the latest checkpoint with "
                    "--resume, on --device cpu if it happens again",
                    what, cause));
  }
  throw Error(fmt::format("CUDA refused {} ({}); try --device cpu", what, cause));
}

void check(cublasStatus_t status, const char* what) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  throw Error(
      fmt::format("cuBLAS refused {} ({}); try --device cpu", what, cublasGetStatusString(status)));
}

}  // namespace lpdm::cuda
