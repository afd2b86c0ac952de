// On a machine without a GPU that this build can use, every test says that it was skipped, and why.
#include <gtest/gtest.h>

#include "core/cuda_library.h"
#include "test_backend.h"

namespace lpdm {

namespace {

class GpuEnvironment final : public ::testing::Environment {
 public:
  void SetUp() override {
    const CudaLibrary& library = cuda_library();
    // GoogleTest calls what a skipped environment leaves out passed; ctest goes by this mark.
    if (!library.usable()) GTEST_SKIP() << "[  SKIPPED ] " << library.text;
  }
};

// GoogleTest owns it.
::testing::Environment* const environment = ::testing::AddGlobalTestEnvironment(new GpuEnvironment);

}  // namespace

std::unique_ptr<Backend> make_test_backend(ThreadPool& pool, const BackendOptions& options) {
  BackendOptions chosen = options;
  // Small batches would else keep all distances, and nothing would form them in both passes.
  if (chosen.distance_bytes == 0) chosen.distance_bytes = 1;
  return make_backend("cuda", pool, chosen);
}

bool test_backend_is_slow() { return false; }

}  // namespace lpdm
