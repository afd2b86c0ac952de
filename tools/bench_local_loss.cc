#include "bench_local_loss.h"

#include <fmt/format.h>

#include <cmath>
#include <functional>
#include <memory>

#include "bench_statistics.h"
#include "lpdm/backend.h"
#include "lpdm/config.h"
#include "lpdm/error.h"
#include "lpdm/network.h"
#include "lpdm/random.h"
#include "lpdm/reinforce.h"

namespace lpdm {
namespace {

constexpr std::int64_t kActions = 6;
constexpr std::uint64_t kSeed = 1;

Config bench_config(const LocalLossBench& bench, HiddenMethod method) {
  Config config = parse_config(
      Json{{"hidden", {{"pairs", bench.pairs}}}, {"backend", {{"arithmetic", bench.arithmetic}}}}
          .dump());
  config.network.hidden = bench.hidden;
  config.hidden.method = method;
  config.hidden.loss.guided = bench.guided;
  return config;
}

// Standard normal observations and actions, uniform rewards: one episode.
Batch random_batch(std::int64_t n, std::int64_t dim) {
  RandomStream random(kSeed, {.purpose = StreamPurpose::kBenchmark});
  Batch batch{.observation_size = dim,
              .action_width = kActions,
              .observations = std::vector<float>(static_cast<std::size_t>(n * dim)),
              .actions = std::vector<float>(static_cast<std::size_t>(n * kActions)),
              .rewards = std::vector<float>(static_cast<std::size_t>(n)),
              .episode_ends = {n}};
  for (float& value : batch.observations) value = static_cast<float>(random.normal());
  for (float& value : batch.actions) value = static_cast<float>(random.normal());
  for (float& value : batch.rewards) value = static_cast<float>(random.uniform());
  return batch;
}

// Of updates: as a caller waits for them, and of their ops alone in the device's time.
struct Times {
  std::vector<double> whole, ops;
};

// A network with everything one method needs, on a backend of its own so that memory is told apart.
class Contestant {
 public:
  Contestant(const LocalLossBench& bench, HiddenMethod method, ThreadPool& pool)
      : backend_(make_backend(bench.device, pool, backend_options(bench_config(bench, method)))),
        network_(*backend_, {.input = bench.dim_x, .hidden = bench.hidden, .output = kActions}),
        reinforce_(*backend_, network_,
                   {.discrete = false, .size = kActions, .low = {}, .high = {}},
                   bench_config(bench, method)) {
    network_.initialize(Initialization::kTorch, kSeed);
  }

  UpdateReport update(const Batch& batch, bool diagnostics) {
    return reinforce_.update(batch, {.diagnostics = diagnostics, .landmarks = std::nullopt});
  }
  void measure(const Batch& batch, bool note, Times& times) {
    double ops = 0.0;
    const double whole = seconds_of([&] { ops = update(batch, false).device_seconds; });
    if (!note) return;
    times.whole.push_back(whole);
    times.ops.push_back(ops);
  }
  Network& network() { return network_; }
  Backend& backend() { return *backend_; }

 private:
  std::unique_ptr<Backend> backend_;
  Network network_;
  Reinforce reinforce_;
};

using Rows = std::vector<std::vector<double>>;

double distance(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0.0;
  for (std::size_t d = 0; d < a.size(); ++d) sum += std::abs(a[d] - b[d]);
  return sum;
}

double max_distance(const Rows& rows) {
  double largest = 0.0;
  for (const auto& a : rows) {
    for (const auto& b : rows) largest = std::max(largest, distance(a, b));
  }
  return largest;
}

// The unguided loss with scale own over all pairs, as the formula says.
double plain_loss(const Rows& x, const Rows& y) {
  // Where all rows are equal there is nothing to normalise.
  const double max_x = std::max(max_distance(x), 1e-300), max_y = std::max(max_distance(y), 1e-300);
  double squared = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (std::size_t j = 0; j < x.size(); ++j) {
      const double error = distance(x[i], x[j]) / max_x / static_cast<double>(x[0].size()) -
                           distance(y[i], y[j]) / max_y / static_cast<double>(y[0].size());
      squared += error * error;
    }
  }
  return std::sqrt(squared);
}

Rows forward(const Rows& inputs, const LayerValues& layer) {
  Rows outputs;
  for (const std::vector<double>& input : inputs) {
    std::vector<double> output(layer.bias.begin(), layer.bias.end());
    for (std::size_t o = 0; o < output.size(); ++o) {
      for (std::size_t k = 0; k < input.size(); ++k) {
        output[o] += input[k] * layer.weight[o * input.size() + k];
      }
      output[o] = std::tanh(output[o]);
    }
    outputs.push_back(output);
  }
  return outputs;
}

// Compares the losses of a small batch, all pairs, with plain_loss.
void verify(const LocalLossBench& bench, ThreadPool& pool) {
  constexpr std::int64_t kRows = 200;
  LocalLossBench small = bench;
  small.n = std::min(bench.n, kRows);
  small.pairs = "all";
  small.guided = false;
  Contestant contestant(small, HiddenMethod::kLpdm, pool);
  const Batch batch = random_batch(small.n, small.dim_x);
  Rows x;
  for (std::int64_t i = 0; i < small.n; ++i) {
    const auto row = batch.observations.begin() + i * small.dim_x;
    x.emplace_back(row, row + small.dim_x);
  }
  std::vector<double> expected;
  Rows y = x;
  for (const Layer& layer : contestant.network().hidden()) {
    y = forward(y, layer.values());
    expected.push_back(plain_loss(x, y));
  }
  const UpdateReport report = contestant.update(batch, true);
  const double relative = bench.arithmetic == "half2"   ? 1e-3
                          : bench.arithmetic == "fixed" ? 3e-5
                                                        : 1e-5;
  for (std::size_t l = 0; l < expected.size(); ++l) {
    if (!(std::abs(report.layers[l].loss - expected[l]) <=
          std::max(relative * expected[l], 1e-6))) {
      throw Error(fmt::format("bench local-loss: layer {} has loss {}, float64 says {}", l + 1,
                              report.layers[l].loss, expected[l]));
    }
  }
}

// The first run has memory to find; on a GPU the second is recorded, what comes after it replayed,
// and the clock rises only under work.
void warm_up(bool on_gpu, const std::function<void()>& run) {
  constexpr double kSeconds = 0.3;
  double seconds = seconds_of(run);
  if (!on_gpu) return;
  do {
    seconds += seconds_of(run);
  } while (seconds < kSeconds);
}

}  // namespace

Json run_local_loss_bench(const LocalLossBench& bench) {
  ThreadPool pool(static_cast<int>(bench.threads));
  verify(bench, pool);
  const Batch batch = random_batch(bench.n, bench.dim_x);
  Contestant lpdm(bench, HiddenMethod::kLpdm, pool);
  Contestant backprop(bench, HiddenMethod::kBackprop, pool);
  Times lpdm_times, backprop_times;
  const auto measure_both = [&](bool note) {
    lpdm.measure(batch, note, lpdm_times);
    backprop.measure(batch, note, backprop_times);
  };
  warm_up(lpdm.backend().name() == "cuda", [&] { measure_both(false); });
  for (std::int64_t repeat = 0; repeat < bench.repeats; ++repeat) measure_both(true);
  const Timing lpdm_timing = summarize(lpdm_times.whole);
  const Timing backprop_timing = summarize(backprop_times.whole);
  return {{"n", bench.n},
          {"pairs", bench.pairs},
          {"device", lpdm.backend().description()},
          {"threads", bench.threads},
          {"lpdm_s", lpdm_timing.median},
          {"bp_s", backprop_timing.median},
          {"lpdm_ops_s", summarize(lpdm_times.ops).median},
          {"bp_ops_s", summarize(backprop_times.ops).median},
          {"peak_bytes", lpdm.backend().peak_bytes()},
          {"lpdm_spread", lpdm_timing.spread},
          {"bp_spread", backprop_timing.spread},
          {"lpdm_shortest_s", lpdm_timing.shortest},
          {"bp_shortest_s", backprop_timing.shortest}};
}

}  // namespace lpdm
