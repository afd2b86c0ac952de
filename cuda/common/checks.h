// Every call of the CUDA libraries is checked, in release builds too.
#pragma once

#include <cublas_v2.h>
#include <cuda_runtime.h>

namespace lpdm::cuda {

// Throws Error if the call that `what` names ("the copy of results to the host") has failed.
void check(cudaError_t status, const char* what);
void check(cublasStatus_t status, const char* what);

}  // namespace lpdm::cuda
