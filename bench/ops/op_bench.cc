#include "op_bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "lpdm/random.h"

namespace lpdm::bench {

namespace {

constexpr int kRepetitions = 5;

double relative_spread(const std::vector<double>& seconds) {
  const auto [least, greatest] = std::ranges::minmax(seconds);
  std::vector<double> sorted = seconds;
  std::ranges::sort(sorted);
  return (greatest - least) / sorted[sorted.size() / 2];
}

}  // namespace

std::vector<float> uniform_values(std::int64_t size, std::uint32_t seed) {
  RandomStream random(seed, {.purpose = StreamPurpose::kBenchmark});
  std::vector<float> values(static_cast<std::size_t>(size));
  for (float& value : values) value = static_cast<float>(random.uniform(-1.0, 1.0));
  return values;
}

std::vector<double> widen(const std::vector<float>& values) {
  return {values.begin(), values.end()};
}

double deviation(std::span<const float> computed, std::span<const double> expected) {
  if (computed.size() != expected.size()) return std::numeric_limits<double>::infinity();
  double largest = 0.0;
  double scale = 0.0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double difference = std::abs(computed[i] - expected[i]);
    if (!(difference <= std::numeric_limits<double>::max())) return difference;
    largest = std::max(largest, difference);
    scale = std::max(scale, std::abs(expected[i]));
  }
  return scale > 0.0 ? largest / scale : largest;
}

void run(benchmark::State& state, const Timed& timed) {
  if (!(timed.found <= timed.tolerance)) {
    state.SkipWithError(
        fmt::format("deviates from float64 by {:.2g}, more than {:g}", timed.found, timed.tolerance)
            .c_str());
    return;
  }
  for (auto _ : state) {
    timed.op();
    timed.wait();
  }
  state.counters["deviation"] = timed.found;
}

void add(const std::string& name, std::function<void(benchmark::State&)> body) {
  benchmark::RegisterBenchmark(name.c_str(), std::move(body))
      ->Repetitions(kRepetitions)
      ->ReportAggregatesOnly(true)
      ->ComputeStatistics("spread", relative_spread, benchmark::kPercentage)
      ->UseRealTime()
      ->Unit(benchmark::kMicrosecond);
}

}  // namespace lpdm::bench
