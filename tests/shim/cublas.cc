#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "cublas_v2.h"

namespace lpdm::shim {
struct Blas {
  cudaStream_t stream = nullptr;
};
}  // namespace lpdm::shim

namespace {

struct Matrix {
  const float* values;
  std::int64_t stride;
  bool transposed;
  // Of op(matrix).
  float at(std::int64_t row, std::int64_t column) const {
    return transposed ? values[row * stride + column] : values[column * stride + row];
  }
};

// A column of c at a time, as sums of columns of op(a), which lie together in memory.
void multiply(std::int64_t m, std::int64_t n, std::int64_t k, float alpha, const Matrix& a,
              const Matrix& b, float beta, float* c, std::int64_t c_stride) {
  std::vector<float> left(static_cast<std::size_t>(m * k));
  for (std::int64_t p = 0; p < k; ++p) {
    for (std::int64_t i = 0; i < m; ++i) left[static_cast<std::size_t>(p * m + i)] = a.at(i, p);
  }
  std::vector<float> sums(static_cast<std::size_t>(m));
  for (std::int64_t j = 0; j < n; ++j) {
    for (float& sum : sums) sum = 0.0F;
    for (std::int64_t p = 0; p < k; ++p) {
      const float factor = b.at(p, j);
      const float* column = left.data() + p * m;
      for (std::int64_t i = 0; i < m; ++i) sums[static_cast<std::size_t>(i)] += factor * column[i];
    }
    for (std::int64_t i = 0; i < m; ++i) {
      float& result = c[j * c_stride + i];
      const float old = beta == 0.0F ? 0.0F : beta * result;
      result = alpha * sums[static_cast<std::size_t>(i)] + old;
    }
  }
}

cublasStatus_t enqueue(cublasHandle_t handle, std::function<void()> run) {
  return lpdm::shim::enqueue_host(std::move(run), handle->stream) == cudaSuccess
             ? CUBLAS_STATUS_SUCCESS
             : CUBLAS_STATUS_EXECUTION_FAILED;
}

bool valid(int m, int n, int k, int a_rows, int a_stride, int b_rows, int b_stride, int c_stride) {
  return m >= 0 && n >= 0 && k >= 0 && a_stride >= a_rows && b_stride >= b_rows && c_stride >= m &&
         a_stride > 0 && b_stride > 0 && c_stride > 0;
}

}  // namespace

const char* cublasGetStatusString(cublasStatus_t status) {
  return status == CUBLAS_STATUS_SUCCESS ? "CUBLAS_STATUS_SUCCESS" : "CUBLAS_STATUS_OTHER";
}

cublasStatus_t cublasCreate(cublasHandle_t* handle) {
  *handle = new lpdm::shim::Blas;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasDestroy(cublasHandle_t handle) {
  delete handle;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasGetProperty(libraryPropertyType, int* value) {
  *value = CUBLAS_VERSION / 10000;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetStream(cublasHandle_t handle, cudaStream_t stream) {
  handle->stream = stream;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetWorkspace(cublasHandle_t, void*, std::size_t) {
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetMathMode(cublasHandle_t, cublasMath_t) { return CUBLAS_STATUS_SUCCESS; }

cublasStatus_t cublasSetPointerMode(cublasHandle_t, cublasPointerMode_t mode) {
  return mode == CUBLAS_POINTER_MODE_HOST ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_INVALID_VALUE;
}

cublasStatus_t cublasSgemm(cublasHandle_t handle, cublasOperation_t transpose_a,
                           cublasOperation_t transpose_b, int m, int n, int k, const float* alpha,
                           const float* a, int a_stride, const float* b, int b_stride,
                           const float* beta, float* c, int c_stride) {
  return cublasSgemmStridedBatched(handle, transpose_a, transpose_b, m, n, k, alpha, a, a_stride, 0,
                                   b, b_stride, 0, beta, c, c_stride, 0, 1);
}

cublasStatus_t cublasSgemmStridedBatched(cublasHandle_t handle, cublasOperation_t transpose_a,
                                         cublasOperation_t transpose_b, int m, int n, int k,
                                         const float* alpha, const float* a, int a_stride,
                                         long long a_step, const float* b, int b_stride,
                                         long long b_step, const float* beta, float* c,
                                         int c_stride, long long c_step, int batches) {
  const bool flip_a = transpose_a != CUBLAS_OP_N;
  const bool flip_b = transpose_b != CUBLAS_OP_N;
  if (!valid(m, n, k, flip_a ? k : m, a_stride, flip_b ? n : k, b_stride, c_stride)) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  return enqueue(handle, [=, alpha = *alpha, beta = *beta] {
    for (int batch = 0; batch < batches; ++batch) {
      multiply(m, n, k, alpha, {a + batch * a_step, a_stride, flip_a},
               {b + batch * b_step, b_stride, flip_b}, beta, c + batch * c_step, c_stride);
    }
  });
}

cublasStatus_t cublasSgemv(cublasHandle_t handle, cublasOperation_t transpose, int m, int n,
                           const float* alpha, const float* a, int a_stride, const float* x,
                           int x_step, const float* beta, float* y, int y_step) {
  if (m < 0 || n < 0 || a_stride < m || x_step == 0 || y_step == 0) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  return enqueue(handle, [=, alpha = *alpha, beta = *beta] {
    const Matrix matrix{a, a_stride, transpose != CUBLAS_OP_N};
    const int rows = transpose == CUBLAS_OP_N ? m : n;
    const int columns = transpose == CUBLAS_OP_N ? n : m;
    for (int i = 0; i < rows; ++i) {
      float sum = 0.0F;
      for (int j = 0; j < columns; ++j) sum += matrix.at(i, j) * x[std::int64_t{j} * x_step];
      float& result = y[std::int64_t{i} * y_step];
      result = alpha * sum + (beta == 0.0F ? 0.0F : beta * result);
    }
  });
}
