#include "core/blas.h"

#include <cblas.h>

namespace lpdm::blas {

void sgemm(Transpose transpose_a, Transpose transpose_b, std::int64_t m, std::int64_t n,
           std::int64_t k, const float* a, std::int64_t lda, const float* b, std::int64_t ldb,
           float beta, float* c, std::int64_t ldc) {
  const auto transpose = [](Transpose t) {
    return t == Transpose::kYes ? CblasTrans : CblasNoTrans;
  };
  const auto size = [](std::int64_t value) { return static_cast<blasint>(value); };
  scipy_cblas_sgemm(CblasRowMajor, transpose(transpose_a), transpose(transpose_b), size(m), size(n),
                    size(k), 1.0F, a, size(lda), b, size(ldb), beta, c, size(ldc));
}

void use_calling_thread() { scipy_openblas_set_num_threads(1); }

std::string description() { return scipy_openblas_get_config(); }

}  // namespace lpdm::blas
