// Every call of the CUDA libraries is checked, in release builds too.
#pragma once

#include <cublas_v2.h>
#include <cuda_runtime.h>

#include <string>

namespace lpdm::cuda {

// Throws Error if the call that `what` names ("the copy of results to the host") has failed: memory
// is short, the device is lost, or the call was refused.
void check(cudaError_t status, const char* what);
void check(cublasStatus_t status, const char* what);

// Throws Error: the device's memory is short. asked: what there was no memory for, with the
// numbers.
[[noreturn]] void throw_out_of_memory(const std::string& asked);

}  // namespace lpdm::cuda
