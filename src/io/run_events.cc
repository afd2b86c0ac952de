#include "io/run_events.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace lpdm {
namespace {

constexpr int kBins = 40;

// Every number within `value`; what is null has no value this time.
void add_scalars(const Json& value, const std::string& name, StepEvents& events) {
  if (value.is_number()) {
    events.scalars.emplace_back(name, value.get<double>());
  } else if (value.is_object()) {
    for (const auto& [key, part] : value.items()) add_scalars(part, name + "/" + key, events);
  }
}

// Sums of `term` of the differences in lanes of their own, which the compiler may keep in one
// vector: these sums are most of what the histograms cost.
template <class Term>
float sum_of_differences(const float* a, const float* b, std::size_t width, Term term) {
  constexpr std::size_t kLanes = 8;
  std::array<float, kLanes> sums{};
  std::size_t d = 0;
  for (; d + kLanes <= width; d += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      sums[lane] += term(a[d + lane] - b[d + lane]);
    }
  }
  for (; d < width; ++d) sums[0] += term(a[d] - b[d]);
  return std::accumulate(sums.begin(), sums.end(), 0.0F);
}

float distance(const float* a, const float* b, std::size_t width, Metric metric) {
  if (metric == Metric::kL1) {
    return sum_of_differences(a, b, width, [](float difference) { return std::abs(difference); });
  }
  return std::sqrt(
      sum_of_differences(a, b, width, [](float difference) { return difference * difference; }));
}

// Of each pair of different rows once, divided by the largest.
std::vector<float> relative_distances(const std::vector<float>& values, std::int64_t rows,
                                      Metric metric) {
  const std::size_t width = values.size() / static_cast<std::size_t>(rows);
  std::vector<float> distances;
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < i; ++j) {
      distances.push_back(distance(values.data() + static_cast<std::size_t>(i) * width,
                                   values.data() + static_cast<std::size_t>(j) * width, width,
                                   metric));
    }
  }
  const auto largest = std::ranges::max_element(distances);
  if (largest == distances.end() || *largest == 0.0F) return distances;
  const float scale = 1.0F / *largest;
  for (float& value : distances) value *= scale;
  return distances;
}

void add_histograms(const RowSample& sample, const Config& config, StepEvents& events) {
  const Metric metric = config.hidden.loss.metric;
  const auto add_distances = [&](const std::string& name, const std::vector<float>& values) {
    events.histograms.emplace_back(
        "distances/" + name,
        make_histogram(relative_distances(values, sample.rows, metric), 0.0, 1.0, kBins));
  };
  add_distances("input", sample.observations);
  for (std::size_t l = 0; l < sample.outputs.size(); ++l) {
    const std::vector<float>& outputs = sample.outputs[l];
    const std::string name = fmt::format("layer_{}", l + 1);
    add_distances(name, outputs);
    const bool tanh = config.network.activation == Activation::kTanh;
    const double high = tanh ? 1.0 : std::max<double>(1e-6, *std::ranges::max_element(outputs));
    events.histograms.emplace_back("activations/" + name,
                                   make_histogram(outputs, tanh ? -1.0 : 0.0, high, kBins));
  }
}

}  // namespace

StepEvents run_events(const Json& line, const IterationMetrics& metrics, const Config& config) {
  StepEvents events;
  for (const auto& [key, value] : line.items()) {
    if (key != "iteration" && key != "layers") add_scalars(value, key, events);
  }
  for (std::size_t l = 0; l < line.at("layers").size(); ++l) {
    add_scalars(line.at("layers")[l], fmt::format("layer_{}", l + 1), events);
  }
  if (metrics.sample && metrics.sample->rows > 0) add_histograms(*metrics.sample, config, events);
  return events;
}

}  // namespace lpdm
