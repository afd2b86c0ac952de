#include "core/cuda_backend.h"
#include "test_backend.h"

namespace lpdm {

std::unique_ptr<Backend> make_test_backend(ThreadPool&, const BackendOptions& options) {
  return make_cuda_backend(*lpdm_cuda_interface(), options);
}

bool test_backend_is_slow() { return true; }

}  // namespace lpdm
