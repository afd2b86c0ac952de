// The one place that knows which BLAS this is.
#pragma once

#include <cstdint>
#include <string>

namespace lpdm::blas {

enum class Transpose { kNo, kYes };

// c (m, n) ← op(a) op(b) + beta · c on the calling thread. Row-major; lda, ldb and ldc are row
// lengths as the matrices lie in memory. Sizes must fit 32 bits.
void sgemm(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n,
           std::int64_t k, const float* a, std::int64_t lda, const float* b, std::int64_t ldb,
           float beta, float* c, std::int64_t ldc);

// Makes every call run on its caller's thread alone. Threads are ours: a call that split its sums
// by its own would depend on their number.
void use_calling_thread();

// Version, build options and the kernels in use.
std::string description();

}  // namespace lpdm::blas
