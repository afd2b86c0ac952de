// The policy losses beside the CPU backend's over several chunks of rows.
#include <gtest/gtest.h>

#include "lpdm/backend.h"
#include "lpdm/random.h"
#include "reference/closeness.h"
#include "test_backend.h"

namespace lpdm {
namespace {

using reference::all_close;

constexpr std::int64_t kActions = 3;

std::vector<float> draw(std::int64_t size, std::uint64_t seed) {
  RandomStream random(seed, {.purpose = StreamPurpose::kBenchmark});
  std::vector<float> values(static_cast<std::size_t>(size));
  for (float& value : values) value = static_cast<float>(random.uniform(-1.0, 1.0));
  return values;
}

// What an op has written.
struct Outcome {
  std::vector<float> delta;         // (capacity, A)
  std::vector<float> std_gradient;  // (A)
  std::vector<double> statistics;
};

struct Buffers {
  Buffers(Backend& backend, std::int64_t rows, std::int64_t capacity)
      : count(backend, 1),
        outputs(backend, capacity * kActions),
        old_outputs(backend, capacity * kActions),
        continuous(backend, capacity * kActions),
        discrete(backend, capacity),
        weights(backend, capacity),
        log_std(backend, 2 * kActions),
        delta(backend, capacity * kActions),
        std_gradient(backend, kActions),
        statistics(backend, 1),
        loss(backend, 1) {
    count.write(std::vector<std::int64_t>{rows});
    outputs.write(draw(capacity * kActions, 1));
    old_outputs.write(draw(capacity * kActions, 2));
    continuous.write(draw(capacity * kActions, 3));
    std::vector<float> taken;
    for (std::int64_t i = 0; i < capacity; ++i) taken.push_back(static_cast<float>(i % kActions));
    discrete.write(taken);
    weights.write(draw(capacity, 4));
    log_std.write(draw(2 * kActions, 5));
    delta.write(draw(capacity * kActions, 6));
  }

  DeviceArray<std::int64_t> count;
  DeviceArray<float> outputs, old_outputs, continuous, discrete, weights, log_std, delta,
      std_gradient;
  DeviceArray<PpoLossStatistics> statistics;
  DeviceArray<double> loss;
};

class PolicyParity : public ::testing::TestWithParam<std::int64_t> {
 protected:
  std::int64_t capacity() const { return GetParam() + 50; }

  // Runs op(backend, buffers, rows) on both backends and compares all that it may have written.
  template <class Op>
  void compare(const Op& op) {
    Outcome outcomes[2];
    for (const bool tested : {false, true}) {
      const auto backend = tested ? make_test_backend(pool_) : make_backend("cpu", pool_);
      Buffers buffers(*backend, GetParam(), capacity());
      op(*backend, buffers, Rows{buffers.count.data(), capacity()});
      const PpoLossStatistics s = buffers.statistics.read().front();
      outcomes[tested] = {
          buffers.delta.read(),
          buffers.std_gradient.read(),
          {buffers.loss.read().front(), s.surrogate, s.kl, s.entropy, s.clip_fraction}};
    }
    Outcome& actual = outcomes[1];
    const auto used = static_cast<std::size_t>(GetParam() * kActions);
    EXPECT_EQ(std::vector<float>(actual.delta.begin() + used, actual.delta.end()),
              std::vector<float>(actual.delta.size() - used, 0.0F));
    actual.delta.resize(used);
    outcomes[0].delta.resize(used);
    const auto expect = [](const auto& mine, const auto& cpu) {
      EXPECT_TRUE(all_close(mine, std::vector<double>(cpu.begin(), cpu.end()), 1e-6, 1e-9));
    };
    expect(actual.delta, outcomes[0].delta);
    expect(actual.std_gradient, outcomes[0].std_gradient);
    expect(actual.statistics, outcomes[0].statistics);
  }

  ThreadPool pool_{1};
};

TEST_P(PolicyParity, Categorical) {
  compare([](Backend& backend, Buffers& b, const Rows& rows) {
    backend.categorical_loss({.rows = rows,
                              .actions_count = kActions,
                              .logits = b.outputs.data(),
                              .actions = b.discrete.data(),
                              .weights = b.weights.data(),
                              .delta = b.delta.data(),
                              .loss = b.loss.data()});
  });
}

TEST_P(PolicyParity, Gaussian) {
  for (const bool learned : {false, true}) {
    compare([learned](Backend& backend, Buffers& b, const Rows& rows) {
      backend.gaussian_loss({.rows = rows,
                             .dimensions = kActions,
                             .std = 0.4,
                             .log_std = learned ? b.log_std.data() : nullptr,
                             .log_std_gradient = learned ? b.std_gradient.data() : nullptr,
                             .mean = b.outputs.data(),
                             .actions = b.continuous.data(),
                             .weights = b.weights.data(),
                             .delta = b.delta.data(),
                             .loss = b.loss.data()});
    });
  }
}

constexpr PpoObjective kObjective{.clip = 0.2, .kl_weight = 0.3, .entropy_weight = 0.01};

TEST_P(PolicyParity, PpoCategorical) {
  compare([](Backend& backend, Buffers& b, const Rows& rows) {
    backend.ppo_categorical_loss({.rows = rows,
                                  .actions_count = kActions,
                                  .logits = b.outputs.data(),
                                  .old_logits = b.old_outputs.data(),
                                  .actions = b.discrete.data(),
                                  .advantages = b.weights.data(),
                                  .objective = kObjective,
                                  .delta = b.delta.data(),
                                  .statistics = b.statistics.data()});
  });
}

TEST_P(PolicyParity, PpoGaussian) {
  for (const bool learned : {false, true}) {
    compare([learned](Backend& backend, Buffers& b, const Rows& rows) {
      backend.ppo_gaussian_loss({.rows = rows,
                                 .dimensions = kActions,
                                 .std = 0.4,
                                 .log_std = learned ? b.log_std.data() : nullptr,
                                 .old_log_std = learned ? b.log_std.data() + kActions : nullptr,
                                 .log_std_gradient = learned ? b.std_gradient.data() : nullptr,
                                 .mean = b.outputs.data(),
                                 .old_mean = b.old_outputs.data(),
                                 .actions = b.continuous.data(),
                                 .advantages = b.weights.data(),
                                 .objective = kObjective,
                                 .delta = b.delta.data(),
                                 .statistics = b.statistics.data()});
    });
  }
}

INSTANTIATE_TEST_SUITE_P(Rows, PolicyParity, ::testing::Values(1, 129, 1100));

}  // namespace
}  // namespace lpdm
