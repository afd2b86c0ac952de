// The part of cuBLAS that lpdm calls, on plain loops; matrices by columns, as in cuBLAS.
#pragma once

#include <cstddef>

#include "cuda_runtime.h"

inline constexpr int CUBLAS_VERSION = 130000;

enum cublasStatus_t {
  CUBLAS_STATUS_SUCCESS = 0,
  CUBLAS_STATUS_NOT_INITIALIZED = 1,
  CUBLAS_STATUS_ALLOC_FAILED = 3,
  CUBLAS_STATUS_INVALID_VALUE = 7,
  CUBLAS_STATUS_EXECUTION_FAILED = 13
};
enum cublasOperation_t { CUBLAS_OP_N, CUBLAS_OP_T, CUBLAS_OP_C };
enum cublasFillMode_t { CUBLAS_FILL_MODE_LOWER, CUBLAS_FILL_MODE_UPPER, CUBLAS_FILL_MODE_FULL };
enum cublasPointerMode_t { CUBLAS_POINTER_MODE_HOST, CUBLAS_POINTER_MODE_DEVICE };
enum cublasMath_t {
  CUBLAS_DEFAULT_MATH = 0,
  CUBLAS_PEDANTIC_MATH = 2,
  CUBLAS_TF32_TENSOR_OP_MATH = 3
};

namespace lpdm::shim {
struct Blas;
}
using cublasHandle_t = lpdm::shim::Blas*;

const char* cublasGetStatusString(cublasStatus_t status);
cublasStatus_t cublasCreate(cublasHandle_t* handle);
cublasStatus_t cublasDestroy(cublasHandle_t handle);
enum libraryPropertyType { MAJOR_VERSION };
cublasStatus_t cublasGetProperty(libraryPropertyType, int* value);
cublasStatus_t cublasSetStream(cublasHandle_t handle, cudaStream_t stream);
cublasStatus_t cublasSetWorkspace(cublasHandle_t handle, void* workspace, std::size_t bytes);
cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode);
cublasStatus_t cublasSetPointerMode(cublasHandle_t handle, cublasPointerMode_t mode);

// c (m, n) = alpha op(a) op(b) + beta c; beta = 0: c is not read
cublasStatus_t cublasSgemm(cublasHandle_t handle, cublasOperation_t transpose_a,
                           cublasOperation_t transpose_b, int m, int n, int k, const float* alpha,
                           const float* a, int a_stride, const float* b, int b_stride,
                           const float* beta, float* c, int c_stride);
cublasStatus_t cublasSgemmStridedBatched(cublasHandle_t handle, cublasOperation_t transpose_a,
                                         cublasOperation_t transpose_b, int m, int n, int k,
                                         const float* alpha, const float* a, int a_stride,
                                         long long a_step, const float* b, int b_stride,
                                         long long b_step, const float* beta, float* c,
                                         int c_stride, long long c_step, int batches);
// y = alpha op(a) x + beta y, a (m, n)
cublasStatus_t cublasSgemv(cublasHandle_t handle, cublasOperation_t transpose, int m, int n,
                           const float* alpha, const float* a, int a_stride, const float* x,
                           int x_step, const float* beta, float* y, int y_step);
