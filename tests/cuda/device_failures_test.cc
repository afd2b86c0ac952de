// What the CUDA backend says when the device or its driver is not what it needs; the shim plays
// them.
#include <cuda_runtime.h>
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
  expect_part(text, "compute capability 8.0, the oldest");
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
      expect_part(error.what(), std::to_string(bytes) + " bytes were asked for");
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

TEST_F(DeviceFailures, ALostGpuIsToldFromARefusedCall) {
  const auto text_of = [](cudaError_t status) {
    try {
      cuda::check(status, "an update");
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  for (const cudaError_t lost : {cudaErrorECCUncorrectable, cudaErrorLaunchFailure}) {
    expect_part(text_of(lost), "the GPU was lost during an update");
    expect_part(text_of(lost), "--resume");
  }
  expect_part(text_of(cudaErrorInvalidValue), "CUDA refused an update");
  EXPECT_EQ(text_of(cudaSuccess), "");
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
