#include "test_backend.h"

namespace lpdm {

std::unique_ptr<Backend> make_test_backend(ThreadPool& pool, const BackendOptions& options) {
  return make_backend("cpu", pool, options);
}

bool test_backend_is_slow() { return false; }

}  // namespace lpdm
