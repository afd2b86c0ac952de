// Dense layers of the default network's shapes: forward, weight gradient, input gradient.
#include <cmath>

#include "op_bench.h"

namespace lpdm::bench {

namespace {

struct Shape {
  std::int64_t n, in, out;

  std::string text() const {
    return std::to_string(n) + "x" + std::to_string(in) + "x" + std::to_string(out);
  }
};

constexpr Shape kShapes[] = {{1000, 17, 128}, {1000, 128, 256}, {4096, 128, 256}};
constexpr double kTolerance = 1e-5;

// c = a b, (rows, inner) by (inner, columns), with strides of a and b's elements.
struct Matrix {
  const std::vector<float>& values;
  std::int64_t row_stride, column_stride;
  double at(std::int64_t r, std::int64_t c) const {
    return values[static_cast<std::size_t>(r * row_stride + c * column_stride)];
  }
};
std::vector<double> product(const Matrix& a, const Matrix& b, std::int64_t rows, std::int64_t inner,
                            std::int64_t columns) {
  std::vector<double> c(static_cast<std::size_t>(rows * columns));
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t k = 0; k < inner; ++k) {
      const double value = a.at(r, k);
      double* row = c.data() + r * columns;
      for (std::int64_t j = 0; j < columns; ++j) row[j] += value * b.at(k, j);
    }
  }
  return c;
}

void add_forward(const Device& device, Shape shape) {
  add("dense_forward/" + shape.text(), [=](benchmark::State& state) {
    const auto [n, in, out] = shape;
    const auto h = uniform_values(n * in, 1);
    const auto w = uniform_values(out * in, 2);
    const auto b = uniform_values(out, 3);
    const auto count = device.upload(std::vector<std::int64_t>{n});
    const auto input = device.upload(h), weight = device.upload(w), bias = device.upload(b);
    auto output = device.zeros<float>(n * out);
    const DenseForward op{.rows = {count.data(), n},
                          .in = in,
                          .out = out,
                          .activation = Activation::kTanh,
                          .input = input.data(),
                          .weight = weight.data(),
                          .bias = bias.data(),
                          .output = output.data()};
    device.backend.dense_forward(op);
    std::vector<double> expected = product({h, in, 1}, {w, 1, in}, n, in, out);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      expected[i] = std::tanh(expected[i] + b[i % static_cast<std::size_t>(out)]);
    }
    run(state, {.found = deviation(output.read(), expected),
                .tolerance = kTolerance,
                .op = [&] { device.backend.dense_forward(op); },
                .wait = [&, last = std::vector<float>(1)]() mutable { output.read(last); }});
    state.counters["flop/s"] = benchmark::Counter(2.0 * static_cast<double>(n * in * out),
                                                  benchmark::Counter::kIsIterationInvariantRate);
  });
}

void add_gradient(const Device& device, Shape shape) {
  add("dense_gradient/" + shape.text(), [=](benchmark::State& state) {
    const auto [n, in, out] = shape;
    const auto h = uniform_values(n * in, 1);
    const auto d = uniform_values(n * out, 2);
    const auto count = device.upload(std::vector<std::int64_t>{n});
    const auto input = device.upload(h), delta = device.upload(d);
    auto weight_gradient = device.zeros<float>(out * in);
    auto bias_gradient = device.zeros<float>(out);
    const DenseGradient op{.rows = {count.data(), n},
                           .in = in,
                           .out = out,
                           .delta = delta.data(),
                           .input = input.data(),
                           .weight_gradient = weight_gradient.data(),
                           .bias_gradient = bias_gradient.data()};
    device.backend.dense_gradient(op);
    const auto expected = product({d, 1, out}, {h, in, 1}, out, n, in);
    run(state, {.found = deviation(weight_gradient.read(), expected),
                .tolerance = kTolerance,
                .op = [&] { device.backend.dense_gradient(op); },
                .wait = [&, last = std::vector<float>(1)]() mutable { bias_gradient.read(last); }});
  });
}

void add_input_gradient(const Device& device, Shape shape) {
  add("dense_input_gradient/" + shape.text(), [=](benchmark::State& state) {
    const auto [n, in, out] = shape;
    const auto d = uniform_values(n * out, 1);
    const auto w = uniform_values(out * in, 2);
    const auto y = uniform_values(n * in, 3);
    const auto count = device.upload(std::vector<std::int64_t>{n});
    const auto delta = device.upload(d), weight = device.upload(w), input = device.upload(y);
    auto input_delta = device.zeros<float>(n * in);
    const DenseInputGradient op{.rows = {count.data(), n},
                                .in = in,
                                .out = out,
                                .activation = Activation::kTanh,
                                .delta = delta.data(),
                                .weight = weight.data(),
                                .input = input.data(),
                                .value_delta = nullptr,
                                .value_weight = nullptr,
                                .input_delta = input_delta.data()};
    device.backend.dense_input_gradient(op);
    std::vector<double> expected = product({d, out, 1}, {w, in, 1}, n, out, in);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      expected[i] *= 1.0 - static_cast<double>(y[i]) * y[i];
    }
    run(state, {.found = deviation(input_delta.read(), expected),
                .tolerance = kTolerance,
                .op = [&] { device.backend.dense_input_gradient(op); },
                .wait = [&, last = std::vector<float>(1)]() mutable { input_delta.read(last); }});
  });
}

}  // namespace

void add_dense(const Device& device) {
  for (const Shape shape : kShapes) {
    add_forward(device, shape);
    add_gradient(device, shape);
    if (shape.in > 17) add_input_gradient(device, shape);
  }
}

}  // namespace lpdm::bench
