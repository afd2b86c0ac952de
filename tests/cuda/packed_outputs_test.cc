// A dense layer that leaves its outputs packed for the local loss: the loss is the same, to the
// last bit, as one that packs them itself, and follows every forward pass anew.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "lpdm/backend.h"
#include "lpdm/random.h"
#include "test_backend.h"

namespace lpdm {
namespace {

struct Setting {
  std::int64_t n = 0, room = 0, out = 0;
  Activation activation = Activation::kTanh;
  Arithmetic arithmetic = Arithmetic::kFp32;
  Metric metric = Metric::kL1;
};

std::vector<float> draw(std::int64_t size, std::uint32_t seed) {
  RandomStream random(seed, {.purpose = StreamPurpose::kBenchmark});
  std::vector<float> values(static_cast<std::size_t>(size));
  for (float& value : values) value = static_cast<float>(random.uniform(-1.0, 1.0));
  return values;
}

// A layer with its loss, on one backend.
class ComparedLayer {
 public:
  ComparedLayer(Backend& backend, const Setting& setting)
      : backend_(backend), setting_(setting), capacity_(setting.n + setting.room) {
    write(count_, std::vector<std::int64_t>{setting.n});
    write(input_, draw(capacity_ * kIn, 1));
    write(weight_, draw(setting.out * kIn, 2));
    output_ = DeviceArray<float>(backend_, capacity_ * setting.out);
    delta_ = DeviceArray<float>(backend_, capacity_ * setting.out);
    scales_ = DeviceArray<TargetScales>(backend_, 1);
    statistics_ = DeviceArray<LocalLossStatistics>(backend_, 1);
  }

  std::vector<float> forward(std::uint32_t seed, bool compared) {
    write(bias_, draw(setting_.out, seed));
    backend_.dense_forward({.rows = rows(),
                            .in = kIn,
                            .out = setting_.out,
                            .activation = setting_.activation,
                            .input = input_.data(),
                            .weight = weight_.data(),
                            .bias = bias_.data(),
                            .output = output_.data(),
                            .compared = compared});
    return output_.read();
  }

  // Loss and delta.
  std::vector<double> loss(bool prepared) {
    const PairwiseTarget target{
        .rows = rows(), .dim = kIn, .input = input_.data(), .metric = setting_.metric};
    backend_.target_statistics({.target = target, .scales = scales_.data()});
    const LocalLossLayer layer{.out = setting_.out,
                               .activation = setting_.activation,
                               .output = output_.data(),
                               .prepared = prepared,
                               .delta = delta_.data(),
                               .statistics = statistics_.data()};
    backend_.local_loss(
        {.target = target, .scales = scales_.data(), .layers = &layer, .layer_count = 1});
    std::vector<double> results{statistics_.read().front().loss};
    for (const float value : delta_.read()) results.push_back(value);
    return results;
  }

 private:
  static constexpr std::int64_t kIn = 5;

  Rows rows() { return {count_.data(), capacity_}; }
  template <class T>
  void write(DeviceArray<T>& array, const std::vector<T>& values) {
    array = DeviceArray<T>(backend_, static_cast<std::int64_t>(values.size()));
    array.write(values);
  }

  Backend& backend_;
  Setting setting_;
  std::int64_t capacity_;
  DeviceArray<std::int64_t> count_;
  DeviceArray<float> input_, weight_, bias_, output_, delta_;
  DeviceArray<TargetScales> scales_;
  DeviceArray<LocalLossStatistics> statistics_;
};

void expect_same(const Setting& setting) {
  SCOPED_TRACE(std::to_string(setting.n) + "x" + std::to_string(setting.out) + ", arithmetic " +
               std::to_string(static_cast<int>(setting.arithmetic)));
  ThreadPool pool(1);
  const auto backend = make_test_backend(pool, {.arithmetic = setting.arithmetic});
  ComparedLayer layer(*backend, setting);
  for (const std::uint32_t seed : {3, 4}) {
    const std::vector<float> plain = layer.forward(seed, false);
    const std::vector<double> wanted = layer.loss(false);
    EXPECT_EQ(layer.forward(seed, true), plain);
    EXPECT_EQ(layer.loss(true), wanted);
  }
}

TEST(PackedOutputs, GiveTheSameLoss) {
  for (const Arithmetic arithmetic : {Arithmetic::kFp32, Arithmetic::kFixed, Arithmetic::kHalf2}) {
    for (const std::int64_t n : {1, 2, 127, 129}) {
      for (const std::int64_t out : {1, 17, 65}) {
        expect_same({.n = n, .room = n % 2 == 0 ? 0 : 70, .out = out, .arithmetic = arithmetic});
      }
    }
    expect_same({.n = 40, .out = 9, .activation = Activation::kRelu, .arithmetic = arithmetic});
    expect_same({.n = 40, .out = 9, .arithmetic = arithmetic, .metric = Metric::kL2});
  }
}

}  // namespace
}  // namespace lpdm
