// What an update needs besides dense layers and the local loss: returns, losses, clip and Adam.
#include <cmath>

#include "op_bench.h"
#include "reference/policy_losses.h"
#include "reference/update.h"

namespace lpdm::bench {

namespace {

constexpr std::int64_t kRows = 4096;
constexpr std::int64_t kActions = 6;
constexpr double kTolerance = 1e-5;

void add_returns(const Device& device) {
  add("discounted_returns/4096", [=](benchmark::State& state) {
    const auto r = uniform_values(kRows, 1);
    const auto count = device.upload(std::vector<std::int64_t>{kRows});
    const auto ends = device.upload(std::vector<std::int64_t>{kRows});
    const auto episodes = device.upload(std::vector<std::int64_t>{1});
    const auto rewards = device.upload(r);
    auto returns = device.zeros<float>(kRows);
    const DiscountedReturns op{.rows = {count.data(), kRows},
                               .rewards = rewards.data(),
                               .episode_ends = ends.data(),
                               .episode_count = episodes.data(),
                               .returns = returns.data()};
    device.backend.discounted_returns(op);
    run(state,
        {.found = deviation(returns.read(), reference::normalized_returns(widen(r), op.discount)),
         .tolerance = kTolerance,
         .op = [&] { device.backend.discounted_returns(op); },
         .wait = [&, last = std::vector<float>(1)]() mutable { returns.read(last); }});
  });
}

// A loss's deviation from its reference.
double scalar_deviation(double computed, double expected) {
  return std::abs(computed - expected) / std::abs(expected);
}

// Rows of a policy of `width` outputs on the device, with random actions and weights.
struct PolicyRows {
  PolicyRows(const Device& device, bool discrete)
      : host{.n = kRows,
             .outputs = {},
             .old_outputs = {},
             .actions = {},
             .weights = {},
             .log_std = {},
             .old_log_std = {}},
        count(device.upload(std::vector<std::int64_t>{kRows})),
        delta(device.zeros<float>(kRows * kActions)),
        loss(device.zeros<double>(1)) {
    std::vector<float> taken = uniform_values(discrete ? kRows : kRows * kActions, 2);
    if (discrete) {
      for (float& a : taken) a = std::floor((a + 1.0F) / 2.0F * static_cast<float>(kActions));
    }
    const auto out = uniform_values(kRows * kActions, 1), weight = uniform_values(kRows, 3);
    host.outputs = widen(out);
    host.actions = widen(taken);
    host.weights = widen(weight);
    if (!discrete) host.log_std.assign(kActions, 0.0);
    outputs = device.upload(out);
    actions = device.upload(taken);
    weights = device.upload(weight);
  }

  reference::PolicyBatch host;
  DeviceArray<std::int64_t> count;
  DeviceArray<float> outputs, actions, weights, delta;
  DeviceArray<double> loss;
};

void add_policy_losses(const Device& device) {
  add("categorical_loss/4096", [=](benchmark::State& state) {
    PolicyRows rows(device, true);
    const CategoricalLoss op{.rows = {rows.count.data(), kRows},
                             .actions_count = kActions,
                             .logits = rows.outputs.data(),
                             .actions = rows.actions.data(),
                             .weights = rows.weights.data(),
                             .delta = rows.delta.data(),
                             .loss = rows.loss.data()};
    device.backend.categorical_loss(op);
    run(state,
        {.found = scalar_deviation(rows.loss.read()[0], reference::reinforce_loss(rows.host)),
         .tolerance = kTolerance,
         .op = [&] { device.backend.categorical_loss(op); },
         .wait = [&] { rows.loss.read(); }});
  });
  add("gaussian_loss/4096", [=](benchmark::State& state) {
    PolicyRows rows(device, false);
    const GaussianLoss op{.rows = {rows.count.data(), kRows},
                          .dimensions = kActions,
                          .std = 1.0,
                          .mean = rows.outputs.data(),
                          .actions = rows.actions.data(),
                          .weights = rows.weights.data(),
                          .delta = rows.delta.data(),
                          .loss = rows.loss.data()};
    device.backend.gaussian_loss(op);
    run(state,
        {.found = scalar_deviation(rows.loss.read()[0], reference::reinforce_loss(rows.host)),
         .tolerance = kTolerance,
         .op = [&] { device.backend.gaussian_loss(op); },
         .wait = [&] { rows.loss.read(); }});
  });
}

void add_value_loss(const Device& device) {
  add("value_loss/4096", [=](benchmark::State& state) {
    const auto v = uniform_values(kRows, 1), r = uniform_values(kRows, 2);
    const auto count = device.upload(std::vector<std::int64_t>{kRows});
    const auto values = device.upload(v), returns = device.upload(r);
    auto delta = device.zeros<float>(kRows);
    auto loss = device.zeros<double>(1);
    const ValueLoss op{.rows = {count.data(), kRows},
                       .values = values.data(),
                       .returns = returns.data(),
                       .delta = delta.data(),
                       .loss = loss.data()};
    device.backend.value_loss(op);
    const double expected = reference::value_loss(widen(v), widen(r), {}, 0.0);
    run(state, {.found = scalar_deviation(loss.read()[0], expected),
                .tolerance = kTolerance,
                .op = [&] { device.backend.value_loss(op); },
                .wait = [&] { loss.read(); }});
  });
}

// Adam's first step, from moments of zero: −rate · g / (|g| + ε) after the clip.
std::vector<double> first_step(const std::vector<float>& value, const std::vector<float>& gradient,
                               double rate, double clip) {
  double square = 0.0;
  for (const float g : gradient) square += static_cast<double>(g) * g;
  const double factor = std::min(1.0, clip / (std::sqrt(square) + 1e-6));
  std::vector<double> result = widen(value);
  for (std::size_t i = 0; i < result.size(); ++i) {
    const double g = factor * gradient[i];
    result[i] -= rate * g / (std::abs(g) + 1e-8);
  }
  return result;
}

void add_clip_adam(const Device& device) {
  constexpr std::int64_t kSize = 256 * 128 + 256;
  add("clip_adam/33024", [=](benchmark::State& state) {
    constexpr double kRate = 1e-3;
    constexpr double kClip = 0.5;
    const auto v = uniform_values(kSize, 1), g = uniform_values(kSize, 2);
    auto value = device.upload(v);
    const auto gradient = device.upload(g);
    auto first = device.zeros<float>(kSize), second = device.zeros<float>(kSize);
    auto norm = device.zeros<double>(1);
    auto step = device.zeros<std::int64_t>(1);
    const ParameterSlice slice{.value = value.data(),
                               .gradient = gradient.data(),
                               .first_moment = first.data(),
                               .second_moment = second.data(),
                               .size = kSize,
                               .learning_rate = kRate,
                               .gradient_norm = norm.data()};
    const ClipAdam op{.slices = &slice, .slice_count = 1, .clip = kClip, .step = step.data()};
    device.backend.clip_adam(op);
    run(state, {.found = deviation(value.read(), first_step(v, g, kRate, kClip)),
                .tolerance = kTolerance,
                .op = [&] { device.backend.clip_adam(op); },
                .wait = [&] { norm.read(); }});
  });
}

}  // namespace

void add_learning(const Device& device) {
  add_returns(device);
  add_policy_losses(device);
  add_value_loss(device);
  add_clip_adam(device);
}

}  // namespace lpdm::bench
