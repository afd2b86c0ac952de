// Dense layers: forward against loops in float64, gradients against central differences.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "lpdm/backend.h"
#include "lpdm/random.h"
#include "reference/closeness.h"
#include "test_backend.h"

namespace lpdm {
namespace {

using reference::all_close;

std::vector<float> uniform_values(std::int64_t size, std::uint32_t seed) {
  RandomStream random(seed, {.purpose = StreamPurpose::kBenchmark});
  std::vector<float> values(static_cast<std::size_t>(size));
  for (float& value : values) value = static_cast<float>(random.uniform(-1.0, 1.0));
  return values;
}

double activate(Activation activation, double x) {
  if (activation == Activation::kTanh) return std::tanh(x);
  return activation == Activation::kRelu ? std::max(x, 0.0) : x;
}

// y = activation(h wᵀ + b) in float64.
std::vector<double> forward(Activation activation, const std::vector<float>& h,
                            const std::vector<float>& w, const std::vector<float>& b,
                            std::int64_t n, std::int64_t in, std::int64_t out) {
  std::vector<double> y(static_cast<std::size_t>(n * out));
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t o = 0; o < out; ++o) {
      double sum = b[o];
      for (std::int64_t k = 0; k < in; ++k)
        sum += static_cast<double>(h[i * in + k]) * w[o * in + k];
      y[i * out + o] = activate(activation, sum);
    }
  }
  return y;
}

class DenseTest : public ::testing::TestWithParam<int> {
 protected:
  ThreadPool pool_{GetParam()};
  std::unique_ptr<Backend> backend_ = make_test_backend(pool_);

  template <class T>
  DeviceArray<T> upload(const std::vector<T>& values) {
    DeviceArray<T> array(*backend_, static_cast<std::int64_t>(values.size()));
    array.write(values);
    return array;
  }
};

TEST_P(DenseTest, ForwardMatchesFloat64) {
  for (const Activation activation :
       {Activation::kTanh, Activation::kRelu, Activation::kIdentity}) {
    for (const auto& [n, in, out] :
         {std::array<std::int64_t, 3>{1, 1, 1}, {3, 17, 5}, {257, 4, 128}, {600, 33, 65}}) {
      const auto h = uniform_values(n * in, 1), w = uniform_values(out * in, 2),
                 b = uniform_values(out, 3);
      const auto rows = upload(std::vector<std::int64_t>{n});
      const auto input = upload(h), weight = upload(w), bias = upload(b);
      DeviceArray<float> output(*backend_, n * out);
      backend_->dense_forward({.rows = {rows.data(), n},
                               .in = in,
                               .out = out,
                               .activation = activation,
                               .input = input.data(),
                               .weight = weight.data(),
                               .bias = bias.data(),
                               .output = output.data()});
      EXPECT_TRUE(all_close(output.read(), forward(activation, h, w, b, n, in, out), 2e-6, 1e-6));
    }
  }
}

// loss = Σ c ⊙ y, so delta = c ⊙ activation'(·): every gradient against central differences.
TEST_P(DenseTest, GradientsMatchFiniteDifferences) {
  constexpr std::int64_t kRows = 11, kIn = 5, kOut = 7;
  constexpr double kStep = 1e-3;
  for (const Activation activation :
       {Activation::kTanh, Activation::kRelu, Activation::kIdentity}) {
    // `below` is the output of the layer beneath, with the same activation.
    std::vector<float> below = uniform_values(kRows * kIn, 1);
    for (float& value : below) value = static_cast<float>(activate(activation, value));
    std::vector<float> w = uniform_values(kOut * kIn, 2), b = uniform_values(kOut, 3);
    const std::vector<float> c = uniform_values(kRows * kOut, 4);
    const auto loss = [&] {
      const auto y = forward(Activation::kIdentity, below, w, b, kRows, kIn, kOut);
      double sum = 0.0;
      for (std::size_t k = 0; k < y.size(); ++k) sum += c[k] * y[k];
      return sum;
    };
    const auto difference = [&](float& value) {
      const float at = value;
      value = static_cast<float>(at + kStep);
      const double above = loss(), up = value;
      value = static_cast<float>(at - kStep);
      const double slope = (above - loss()) / (up - value);
      value = at;
      return slope;
    };
    const auto rows = upload(std::vector<std::int64_t>{kRows});
    const auto input = upload(below), weight = upload(w), delta = upload(c);
    DeviceArray<float> weight_gradient(*backend_, kOut * kIn), bias_gradient(*backend_, kOut),
        input_delta(*backend_, kRows * kIn);
    backend_->dense_gradient({.rows = {rows.data(), kRows},
                              .in = kIn,
                              .out = kOut,
                              .delta = delta.data(),
                              .input = input.data(),
                              .weight_gradient = weight_gradient.data(),
                              .bias_gradient = bias_gradient.data()});
    backend_->dense_input_gradient({.rows = {rows.data(), kRows},
                                    .in = kIn,
                                    .out = kOut,
                                    .activation = activation,
                                    .delta = delta.data(),
                                    .weight = weight.data(),
                                    .input = input.data(),
                                    .input_delta = input_delta.data()});
    std::vector<double> expected_weight, expected_bias, expected_input;
    for (float& value : w) expected_weight.push_back(difference(value));
    for (float& value : b) expected_bias.push_back(difference(value));
    for (float& value : below) {
      const double y = value;
      double derivative = 1.0;
      if (activation == Activation::kTanh) derivative = 1.0 - y * y;
      if (activation == Activation::kRelu) derivative = y > 0.0 ? 1.0 : 0.0;
      expected_input.push_back(derivative * difference(value));
    }
    EXPECT_TRUE(all_close(weight_gradient.read(), expected_weight, 1e-5, 1e-6));
    EXPECT_TRUE(all_close(bias_gradient.read(), expected_bias, 1e-5, 1e-6));
    EXPECT_TRUE(all_close(input_delta.read(), expected_input, 1e-5, 1e-6));
  }
}

INSTANTIATE_TEST_SUITE_P(Threads, DenseTest, ::testing::Values(1, 3));

}  // namespace
}  // namespace lpdm
