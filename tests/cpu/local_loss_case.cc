#include "cpu/local_loss_case.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <numeric>
#include <span>
#include <thread>

#include "lpdm/backend.h"
#include "lpdm/random.h"
#include "reference/closeness.h"
#include "test_backend.h"

namespace lpdm {

namespace {

// That a batch has room for beyond its own.
constexpr std::int64_t kSpareRows = 100;

reference::Values widen(const std::vector<float>& values) { return {values.begin(), values.end()}; }

std::vector<CaseLayer> layers_of(const Case& c) {
  std::vector<CaseLayer> layers{{c.out, c.y}};
  layers.insert(layers.end(), c.above.begin(), c.above.end());
  return layers;
}

}  // namespace

std::vector<float> uniform_values(std::int64_t size, std::uint32_t seed) {
  RandomStream random(seed, {.purpose = StreamPurpose::kBenchmark});
  std::vector<float> values(static_cast<std::size_t>(size));
  for (float& value : values) value = static_cast<float>(random.uniform(-1.0, 1.0));
  return values;
}

Case random_case(std::int64_t n, std::int64_t dim, std::int64_t out) {
  return {.n = n,
          .dim = dim,
          .out = out,
          .x = uniform_values(n * dim, 1),
          .y = uniform_values(n * out, 2),
          .values = {},
          .landmarks = {},
          .episode_ends = {},
          .options = {},
          .above = {},
          .through = std::nullopt,
          .backend = {}};
}

void add_layer(Case& c, std::int64_t out) {
  const auto seed = static_cast<std::uint32_t>(10 + c.above.size());
  c.above.push_back({out, uniform_values(c.n * out, seed)});
}

void choose_landmarks(Case& c, std::int64_t count) {
  c.landmarks.clear();
  for (std::int64_t k = 0; k < count; ++k) c.landmarks.push_back(k * c.n / count);
  std::ranges::reverse(c.landmarks);
  std::ranges::rotate(c.landmarks, c.landmarks.begin() + count / 3);
}

std::vector<Outcome> run_layers_on(Backend& backend, const Case& c) {
  const auto upload = [&]<class T>(const std::vector<T>& values) {
    DeviceArray<T> array(backend, static_cast<std::int64_t>(values.size()));
    array.write(values);
    return array;
  };
  const auto count = upload(std::vector<std::int64_t>{c.n});
  const auto x = upload(c.x);
  const auto values = upload(c.values);
  DeviceArray<std::int64_t> landmarks = upload(c.landmarks);
  DeviceArray<std::int64_t> landmark_count = upload(std::vector<std::int64_t>{landmarks.size()});
  const auto iteration = upload(std::vector<std::int64_t>{5});
  const auto episode_ends = upload(c.episode_ends);
  const auto episode_count = upload(std::vector<std::int64_t>{episode_ends.size()});
  DeviceArray<float> shift(backend, c.n);
  PairwiseTarget target{.rows = {count.data(), c.n},
                        .dim = c.dim,
                        .input = x.data(),
                        .metric = c.options.metric,
                        .guide_base = c.options.guide_base,
                        .sparse = c.options.pairs.sparse,
                        .low_rank = c.options.pairs.low_rank};
  if (!c.values.empty()) {
    backend.guided_shift({.rows = target.rows, .values = values.data(), .shift = shift.data()});
    target.shift = shift.data();
  }
  DrawLandmarks draw{.rows = target.rows,
                     .landmarks = c.drawn_landmarks,
                     .seed = 77,
                     .iteration = iteration.data(),
                     .selected_count = landmark_count.data()};
  if (c.drawn_landmarks > 0) {
    landmarks = DeviceArray<std::int64_t>(backend, c.drawn_landmarks);
    draw.selected = landmarks.data();
    backend.draw_landmarks(draw);
  }
  if (landmarks.size() > 0) {
    target.landmarks = landmarks.data();
    target.landmark_count = landmark_count.data();
    target.landmark_capacity = landmarks.size();
  }
  if (!c.episode_ends.empty()) {
    target.episode_ends = episode_ends.data();
    target.episode_count = episode_count.data();
  }
  DeviceArray<TargetScales> scales(backend, 1);
  const std::vector<CaseLayer> case_layers = layers_of(c);
  std::vector<DeviceArray<float>> outputs;
  std::vector<DeviceArray<float>> deltas;
  const auto layer_count = static_cast<std::int64_t>(case_layers.size());
  DeviceArray<LocalLossStatistics> statistics(backend, layer_count);
  std::vector<LocalLossLayer> layers;
  for (const CaseLayer& layer : case_layers) {
    outputs.emplace_back(backend, (c.n + kSpareRows) * layer.out);
    deltas.emplace_back(backend, (c.n + kSpareRows) * layer.out);
    layers.push_back({.out = layer.out,
                      .activation = c.through.value_or(Activation::kTanh),
                      .output = outputs.back().data(),
                      .delta = deltas.back().data(),
                      .delta_through_activation = c.through.has_value(),
                      .statistics = statistics.data() + layers.size()});
  }
  const auto write_rows = [&](std::int64_t first, std::int64_t end) {
    for (std::size_t l = 0; l < layers.size(); ++l) {
      const std::int64_t out = case_layers[l].out;
      outputs[l].write(std::span(case_layers[l].y)
                           .subspan(static_cast<std::size_t>(first * out),
                                    static_cast<std::size_t>((end - first) * out)),
                       first * out);
    }
  };
  LocalLoss op{.target = target,
               .scales = scales.data(),
               .target_rule = c.options.target,
               .error_rule = c.options.error_rule,
               .scale = c.options.scale,
               .norm = c.options.norm,
               .max_gradient = c.options.max_gradient,
               .layers = layers.data(),
               .layer_count = layer_count};
  const std::unique_ptr<RowFollower> follower =
      backend.make_row_follower(c.drawn_landmarks > 0 ? &draw : nullptr);
  std::int64_t written = 0;
  if (!c.followed.empty() && follower->begin(op, c.n + kSpareRows)) {
    op.follower = follower.get();
    for (const std::int64_t rows : c.followed) {
      write_rows(written, rows);
      written = rows;
      follower->advance(rows);
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
    follower->pause();
  }
  write_rows(written, c.n);
  backend.target_statistics({.target = target, .scales = scales.data(), .follower = op.follower});
  backend.local_loss(op);
  std::vector<Outcome> outcomes;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    std::vector<float> delta = deltas[l].read();
    delta.resize(static_cast<std::size_t>(c.n * case_layers[l].out));
    outcomes.push_back({statistics.read()[l], delta});
  }
  return outcomes;
}

std::vector<Outcome> run_layers(const Case& c, int threads) {
  ThreadPool pool(threads);
  return run_layers_on(*make_test_backend(pool, c.backend), c);
}

Outcome run(const Case& c, int threads) { return run_layers(c, threads).front(); }

void expect_same(const std::vector<Outcome>& some, const std::vector<Outcome>& others) {
  ASSERT_EQ(some.size(), others.size());
  for (std::size_t l = 0; l < some.size(); ++l) {
    EXPECT_EQ(some[l].statistics.loss, others[l].statistics.loss);
    EXPECT_EQ(some[l].statistics.correlation, others[l].statistics.correlation);
    EXPECT_EQ(some[l].statistics.max_distance, others[l].statistics.max_distance);
    EXPECT_EQ(some[l].grad_y, others[l].grad_y);
  }
}

std::vector<std::int64_t> each_row(std::int64_t n) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(n));
  std::iota(rows.begin(), rows.end(), 1);
  return rows;
}

reference::LocalLossInputs reference_inputs(const Case& c) {
  return {.n = c.n,
          .dim = c.dim,
          .out = c.out,
          .x = widen(c.x),
          .y = widen(c.y),
          .values = widen(c.values),
          .landmarks = c.landmarks,
          .episode_ends = c.episode_ends,
          .options = c.options,
          .previous = std::nullopt};
}

std::vector<reference::LocalLossResult> expected(const Case& c) {
  std::vector<reference::LayerOutputs> layers;
  for (const CaseLayer& layer : layers_of(c)) layers.push_back({layer.out, widen(layer.y)});
  std::vector<reference::LocalLossResult> results =
      reference::local_losses(reference_inputs(c), layers);
  for (std::size_t l = 0; l < layers.size() && c.through; ++l) {
    for (std::size_t k = 0; k < layers[l].y.size(); ++k) {
      const double y = layers[l].y[k];
      if (*c.through == Activation::kTanh) results[l].grad_y[k] *= 1.0 - y * y;
      if (*c.through == Activation::kRelu && y <= 0.0) results[l].grad_y[k] = 0.0;
    }
  }
  return results;
}

void expect_matches_reference(const Case& c, const std::string& name) {
  const std::vector<Outcome> outcomes = run_layers(c);
  const std::vector<reference::LocalLossResult> results = expected(c);
  ASSERT_EQ(outcomes.size(), results.size());
  for (std::size_t l = 0; l < results.size(); ++l) {
    SCOPED_TRACE(name + ", layer " + std::to_string(l + 1));
    const LocalLossStatistics& statistics = outcomes[l].statistics;
    EXPECT_NEAR(statistics.loss, results[l].loss, std::max(1e-5 * results[l].loss, 1e-6));
    // Of a handful of nearly equal entries it is the quotient of small differences of sums.
    const double tolerance = c.n < 5 ? 2e-2 : 1e-4;
    EXPECT_NEAR(statistics.correlation, results[l].correlation, tolerance);
    EXPECT_NEAR(statistics.mean_distance, results[l].mean_distance, 1e-5);
    EXPECT_TRUE(reference::all_close(outcomes[l].grad_y, results[l].grad_y, 1e-4, 1e-6));
  }
}

}  // namespace lpdm
