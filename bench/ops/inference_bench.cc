// The policy's outputs for a few rows, [128, 256] tanh layers and a head: one environment, and
// many.
#include <cmath>

#include "op_bench.h"

namespace lpdm::bench {

namespace {

constexpr std::int64_t kWidths[] = {17, 128, 256, 6};
constexpr std::int64_t kLayers = 3;
constexpr double kTolerance = 1e-5;

// A network on the device and in host memory.
struct Policy {
  explicit Policy(const Device& device) {
    for (std::int64_t l = 0; l < kLayers; ++l) {
      const std::int64_t in = kWidths[l], out = kWidths[l + 1];
      const auto seed = static_cast<std::uint32_t>(2 * l);
      weights.push_back(uniform_values(out * in, seed));
      for (float& w : weights.back()) w /= std::sqrt(static_cast<float>(in));
      biases.push_back(uniform_values(out, seed + 1));
      const std::int64_t padded = (out + kInferencePad - 1) / kInferencePad * kInferencePad;
      arrays.push_back(device.upload(weights.back()));
      arrays.push_back(device.upload(biases.back()));
      arrays.push_back(device.zeros<float>((in + 1) * padded));
    }
    for (std::size_t l = 0; l < kLayers; ++l) {
      layers.push_back({.in = kWidths[l],
                        .out = kWidths[l + 1],
                        .activation = l + 1 < kLayers ? Activation::kTanh : Activation::kIdentity,
                        .weight = arrays[3 * l].data(),
                        .bias = arrays[3 * l + 1].data(),
                        .packed = arrays[3 * l + 2].data()});
    }
  }

  std::vector<double> expected(const std::vector<float>& input, std::int64_t rows) const {
    std::vector<double> h = widen(input);
    for (std::size_t l = 0; l < kLayers; ++l) {
      const std::int64_t in = kWidths[l], out = kWidths[l + 1];
      std::vector<double> y(static_cast<std::size_t>(rows * out));
      for (std::int64_t r = 0; r < rows; ++r) {
        for (std::int64_t o = 0; o < out; ++o) {
          double sum = biases[l][static_cast<std::size_t>(o)];
          for (std::int64_t k = 0; k < in; ++k) {
            sum += h[static_cast<std::size_t>(r * in + k)] *
                   weights[l][static_cast<std::size_t>(o * in + k)];
          }
          y[static_cast<std::size_t>(r * out + o)] = l + 1 < kLayers ? std::tanh(sum) : sum;
        }
      }
      h = std::move(y);
    }
    return h;
  }

  std::vector<std::vector<float>> weights, biases;
  std::vector<DeviceArray<float>> arrays;
  std::vector<InferenceLayer> layers;
};

void add_infer(const Device& device, std::int64_t rows) {
  add("infer/" + std::to_string(rows), [=](benchmark::State& state) {
    const Policy policy(device);
    const auto x = uniform_values(rows * kWidths[0], 11);
    const auto input = device.upload(x);
    auto output = device.zeros<float>(rows * kWidths[kLayers]);
    device.backend.pack_inference({.layers = policy.layers.data(), .layer_count = kLayers});
    const Infer op{.rows = rows,
                   .layers = policy.layers.data(),
                   .layer_count = kLayers,
                   .input = input.data(),
                   .output = output.data()};
    device.backend.infer(op);
    run(state, {.found = deviation(output.read(), policy.expected(x, rows)),
                .tolerance = kTolerance,
                .op = [&] { device.backend.infer(op); },
                .wait = [&, last = std::vector<float>(1)]() mutable { output.read(last); }});
  });
}

}  // namespace

void add_inference(const Device& device) {
  for (const std::int64_t rows : {1, 64, 1024}) add_infer(device, rows);
}

}  // namespace lpdm::bench
