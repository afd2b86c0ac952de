// Policy inference: the network's forward pass, one row at a time or many, to the last bit.
#include <gtest/gtest.h>

#include <algorithm>

#include "lpdm/error.h"
#include "lpdm/network.h"
#include "nn/activations.h"
#include "reference/closeness.h"
#include "test_backend.h"

namespace lpdm {
namespace {

TEST(Infer, MatchesTheTrainingForwardPass) {
  ThreadPool pool(1);
  const auto backend = make_test_backend(pool);
  for (const Activation activation : {Activation::kTanh, Activation::kRelu}) {
    Network network(*backend,
                    {.input = 5, .hidden = {33, 128, 7}, .output = 3, .activation = activation});
    network.initialize(Initialization::kTorch, 4);
    constexpr std::int64_t kRows = 37;
    std::vector<float> input(kRows * 5);
    for (std::size_t k = 0; k < input.size(); ++k)
      input[k] = 0.01F * static_cast<float>(k % 97) - 0.4F;
    DeviceArray<float> device_input(*backend, kRows * 5), output(*backend, kRows * 3);
    device_input.write(input);

    InferenceNetwork inference(*backend, network);
    inference.run(kRows, device_input.data(), output.data());

    DeviceArray<std::int64_t> count(*backend, 1);
    count.write(std::vector<std::int64_t>{kRows});
    HiddenActivations hidden(*backend, network);
    HeadActivations heads(*backend, network);
    hidden.reserve(kRows);
    heads.reserve(kRows);
    hidden.forward({count.data(), kRows}, device_input.data());
    heads.forward({count.data(), kRows}, hidden.features());
    std::vector<float> expected(kRows * 3);
    backend->copy_to_host(expected.data(), heads.policy(), expected.size() * sizeof(float));
    EXPECT_TRUE(reference::all_close(
        output.read(), std::vector<double>(expected.begin(), expected.end()), 1e-5, 1e-6));
  }
}

// On the host also what is below the last layer, whatever the widths; elsewhere that is refused.
TEST(Infer, GivesHiddenOutputsOnTheHost) {
  ThreadPool pool(2);
  const auto backend = make_test_backend(pool);
  Network network(*backend, {.input = 3, .hidden = {33, 64}, .output = 2});
  network.initialize(Initialization::kTorch, 4);
  constexpr std::int64_t kRows = 37;
  std::vector<float> input(kRows * 3);
  for (std::size_t k = 0; k < input.size(); ++k)
    input[k] = 0.02F * static_cast<float>(k % 89) - 0.8F;
  DeviceArray<float> device_input(*backend, kRows * 3), output(*backend, kRows * 2);
  DeviceArray<float> first(*backend, kRows * 33), second(*backend, kRows * 64);
  device_input.write(input);
  InferenceNetwork inference(*backend, network);
  float* const outputs[] = {first.data(), second.data()};
  if (backend->name() != "cpu") {
    EXPECT_THROW(inference.run(kRows, device_input.data(), output.data(), outputs), Error);
    return;
  }
  inference.run(kRows, device_input.data(), output.data());
  const std::vector<float> alone = output.read();
  inference.run(kRows, device_input.data(), output.data(), outputs);
  EXPECT_EQ(output.read(), alone);

  DeviceArray<std::int64_t> count(*backend, 1);
  count.write(std::vector<std::int64_t>{kRows});
  HiddenActivations hidden(*backend, network);
  hidden.reserve(kRows);
  hidden.forward({count.data(), kRows}, device_input.data());
  std::vector<double> expected[] = {std::vector<double>(kRows * 33),
                                    std::vector<double>(kRows * 64)};
  for (std::size_t l = 0; l < 2; ++l)
    std::copy_n(hidden.output(l), expected[l].size(), expected[l].begin());
  EXPECT_TRUE(reference::all_close(first.read(), expected[0], 1e-5, 1e-6));
  EXPECT_TRUE(reference::all_close(second.read(), expected[1], 1e-5, 1e-6));
}

TEST(Infer, ARowDoesNotDependOnItsNeighbours) {
  ThreadPool pool(2);
  const auto backend = make_test_backend(pool);
  Network network(*backend, {.input = 4, .hidden = {128, 256}, .output = 2});
  network.initialize(Initialization::kTorch, 1);
  InferenceNetwork inference(*backend, network);
  constexpr std::int64_t kRows = 53;
  std::vector<float> input(kRows * 4);
  for (std::size_t k = 0; k < input.size(); ++k)
    input[k] = 0.02F * static_cast<float>(k % 101) - 1.0F;
  DeviceArray<float> device_input(*backend, kRows * 4), together(*backend, kRows * 2),
      alone(*backend, 2);
  device_input.write(input);
  inference.run(kRows, device_input.data(), together.data());
  const std::vector<float> all = together.read();
  for (std::int64_t row = 0; row < kRows; ++row) {
    inference.run(1, device_input.data() + row * 4, alone.data());
    EXPECT_EQ(alone.read(), std::vector<float>(all.begin() + row * 2, all.begin() + row * 2 + 2));
  }
}

TEST(Infer, SeesNewWeightsAfterRefresh) {
  ThreadPool pool(1);
  const auto backend = make_test_backend(pool);
  Network network(*backend, {.input = 2, .hidden = {}, .output = 1});
  network.head().set_values({{1.0F, 2.0F}, {0.5F}});
  InferenceNetwork inference(*backend, network);
  DeviceArray<float> input(*backend, 2), output(*backend, 1);
  input.write(std::vector<float>{3.0F, 4.0F});
  inference.run(1, input.data(), output.data());
  EXPECT_EQ(output.read().front(), 11.5F);
  network.head().set_values({{0.0F, 0.0F}, {-1.0F}});
  inference.refresh();
  inference.run(1, input.data(), output.data());
  EXPECT_EQ(output.read().front(), -1.0F);
}

}  // namespace
}  // namespace lpdm
