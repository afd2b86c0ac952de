// Devices by name, and what every backend does by itself.
#include "lpdm/backend.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "core/profiled_backend.h"
#include "lpdm/error.h"

namespace lpdm {
namespace {

class BackendTest : public ::testing::Test {
 protected:
  ThreadPool pool_{1};
  std::unique_ptr<Backend> backend_ = make_backend("cpu", pool_);
};

TEST_F(BackendTest, UnknownDevicesAreRefused) {
  EXPECT_EQ(backend_->name(), "cpu");
  EXPECT_THROW(make_backend("tpu", pool_), UsageError);
}

TEST_F(BackendTest, ARecordingRunsItsOpsEachTime) {
  const auto recording = backend_->make_recording();
  int runs = 0;
  for (int i = 0; i < 3; ++i) recording->enqueue(7, [&runs] { ++runs; });
  EXPECT_EQ(runs, 3);
}

TEST_F(BackendTest, BranchesRunInTheirOrder) {
  std::vector<std::int64_t> order;
  backend_->parallel(3, [&order](std::int64_t i) { order.push_back(i); });
  EXPECT_EQ(order, (std::vector<std::int64_t>{0, 1, 2}));
}

// By the backend itself, and by way of the host, where it does not know how.
TEST_F(BackendTest, AnArrayBeginsWithElementsOfAnother) {
  Profile profile;
  const auto by_host = make_profiled_backend(make_backend("cpu", pool_), profile);
  std::vector<float> values(100'003);  // more than go through the host at once
  std::iota(values.begin(), values.end(), 1.0F);
  for (Backend* backend : {backend_.get(), by_host.get()}) {
    DeviceArray<float> array(*backend, 100'003);
    array.write(values);
    const DeviceArray<float> larger(*backend, 200'000, array, 90'001);
    std::vector<float> expected(200'000);
    std::copy_n(values.begin(), 90'001, expected.begin());
    EXPECT_EQ(larger.read(), expected);
    EXPECT_THROW(DeviceArray<float>(*backend, 200'000, array, 100'004), Error);
    EXPECT_THROW(DeviceArray<float>(*backend, 10, array, 11), Error);
  }
}

TEST_F(BackendTest, MarksMeasureTime) {
  const TimeMark first = backend_->mark();
  const TimeMark second = backend_->mark();
  EXPECT_GE(backend_->seconds_between(first, second), 0.0);
  EXPECT_LT(backend_->seconds_between(first, second), 1.0);
}

TEST_F(BackendTest, OptionsComeFromTheConfig) {
  Config config;
  config.hidden.memory_mb = 3;
  config.backend.arithmetic = Arithmetic::kHalf2;
  EXPECT_EQ(backend_options(config).distance_bytes, 3'000'000);
  EXPECT_EQ(backend_options(config).arithmetic, Arithmetic::kHalf2);
}

}  // namespace
}  // namespace lpdm
