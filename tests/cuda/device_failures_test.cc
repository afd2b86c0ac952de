// What the CUDA backend says when the device or its driver is not what it needs; the shim plays
// them.
#include <cublas_v2.h>
#include <cuda_runtime.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/checks.h"
#include "core/cuda_backend.h"
#include "lpdm/error.h"

namespace lpdm {
namespace {

using ::testing::Test;

// Puts the shim's device back as it was.
class DeviceFailures : public Test {
 protected:
  ~DeviceFailures() override {
    shim::set_device_count(1);
    shim::set_driver_version(13000);
    shim::set_compute_capability(9, 0);
    shim::set_device_memory(std::size_t{8} << 30);
    shim::lose_device(cudaSuccess);
  }

  static std::unique_ptr<Backend> make(Arithmetic arithmetic = Arithmetic::kFp32) {
    return make_cuda_backend(*lpdm_cuda_interface(), {.arithmetic = arithmetic});
  }
  template <class Exception>
  static std::string message() {
    try {
      make();
    } catch (const Exception& error) {
      return error.what();
    }
    return "nothing was thrown";
  }
  static std::size_t free_bytes() {
    std::size_t free = 0, total = 0;
    EXPECT_EQ(cudaMemGetInfo(&free, &total), cudaSuccess);
    return free;
  }
  static void expect_part(const std::string& text, const std::string& part) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  }
};

TEST_F(DeviceFailures, NoGpuIsAMatterOfUsage) {
  shim::set_device_count(0);
  expect_part(message<UsageError>(), "no GPU is visible");
}

TEST_F(DeviceFailures, NoDriverIsAMatterOfUsage) {
  shim::set_driver_version(0);
  expect_part(message<UsageError>(), "no NVIDIA driver");
}

TEST_F(DeviceFailures, AnOldDriverIsNamedWithBothVersions) {
  shim::set_driver_version(12040);
  const std::string text = message<Error>();
  expect_part(text, "driver is for CUDA 12.4");
  expect_part(text, "built with CUDA 13.0");
}

TEST_F(DeviceFailures, AnOldArchitectureIsNamed) {
  shim::set_compute_capability(7, 5);
  const std::string text = message<Error>();
  expect_part(text, "compute capability 7.5");
  expect_part(text, "older than compute capability 8.0, which the kernels need");
}

TEST_F(DeviceFailures, AnArchitectureOlderThanTheBuildIsNamed) {
  shim::set_compute_capability(8, 0);
  const std::string text = message<Error>();
  expect_part(text, "compute capability 8.0");
  expect_part(text, "compute capability 8.6, the oldest that this program was built for");
  expect_part(text, "LPDM_CUDA_ARCHITECTURES=80");
}

TEST_F(DeviceFailures, MemoryThatIsNotThereIsReportedWithNumbers) {
  shim::set_device_memory(64 << 20);
  const auto backend = make();
  void* const held = backend->allocate(20 << 20);
  const auto expect_refused = [&](std::size_t bytes) {
    try {
      backend->allocate(bytes);
      ADD_FAILURE() << "memory that is not there was given";
    } catch (const Error& error) {
      const std::string text = error.what();
      expect_part(text, fmt::format("no memory left for {} bytes more than the ", bytes));
      expect_part(text, fmt::format("{} of its {} bytes are free", free_bytes(), 64 << 20));
      expect_part(error.what(), "algorithm.episodes_per_update");
    }
  };
  expect_refused(60 << 20);
  expect_refused(600 << 20);
  void* const more = backend->allocate(20 << 20);  // goes on working
  EXPECT_GE(backend->peak_bytes(), std::size_t{40} << 20);
  backend->release(more, 20 << 20);
  backend->release(held, 20 << 20);
}

TEST_F(DeviceFailures, AGpuWithoutMemoryEvenForAnAnswerIsNamed) {
  shim::lose_device(cudaErrorMemoryAllocation);  // every call that needs a context says so
  try {
    cuda::check(cudaErrorMemoryAllocation, "the making of a stream");
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    expect_part(error.what(),
                "no memory left for the making of a stream, not even to say how much");
  }
}

TEST_F(DeviceFailures, ALostGpuIsToldFromARefusedCall) {
  const auto text_of = [](cudaError_t status) {
    try {
      cuda::check(status, "an update");
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  for (const cudaError_t lost :
       {cudaErrorECCUncorrectable, cudaErrorLaunchFailure, cudaErrorNvlinkUncorrectable}) {
    expect_part(text_of(lost), "the GPU was lost during an update");
    expect_part(text_of(lost), "--resume");
  }
  expect_part(text_of(cudaErrorInvalidValue), "CUDA refused an update");
  expect_part(text_of(cudaErrorUnsupportedPtxVersion), "no code for the GPU");
  expect_part(text_of(cudaErrorMemoryAllocation), "no memory left for an update: ");
  EXPECT_EQ(text_of(cudaSuccess), "");
}

TEST_F(DeviceFailures, CublasSaysWhatTheDeviceSays) {
  const auto text_of = [](cublasStatus_t status) {
    try {
      cuda::check(status, "a product");
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  expect_part(text_of(CUBLAS_STATUS_EXECUTION_FAILED), "cuBLAS refused a product");
  expect_part(text_of(CUBLAS_STATUS_ALLOC_FAILED), "no memory left for a product: ");
  shim::lose_device(cudaErrorECCUncorrectable);
  expect_part(text_of(CUBLAS_STATUS_EXECUTION_FAILED), "the GPU was lost during a product");
}

TEST_F(DeviceFailures, AutoChoosesTheArithmeticByArchitecture) {
  expect_part(make(Arithmetic::kAuto)->description(), "fixed");
  shim::set_compute_capability(12, 0);
  expect_part(make(Arithmetic::kAuto)->description(), "fp32");
  expect_part(make(Arithmetic::kHalf2)->description(), "half2");
}

TEST_F(DeviceFailures, TheTableSaysWhatItIs) {
  const CudaInterface& table = *lpdm_cuda_interface();
  EXPECT_EQ(table.version, kCudaInterfaceVersion);
  EXPECT_EQ(table.layout, kCudaLayout);
  CudaDeviceStatus status;
  table.status(&status);
  EXPECT_EQ(status.kind, CudaDeviceStatus::kUsable);
  expect_part(status.text, "compute capability 9.0");
}

}  // namespace
}  // namespace lpdm
