#include "io/run_events.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

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

double distance(const float* a, const float* b, std::size_t width, Metric metric) {
  double sum = 0.0;
  for (std::size_t d = 0; d < width; ++d) {
    const double difference = std::abs(static_cast<double>(a[d]) - b[d]);
    sum += metric == Metric::kL1 ? difference : difference * difference;
  }
  return metric == Metric::kL1 ? sum : std::sqrt(sum);
}

// Of each pair of different rows once, divided by the largest.
std::vector<float> relative_distances(const std::vector<float>& values, std::int64_t rows,
                                      Metric metric) {
  const std::size_t width = values.size() / static_cast<std::size_t>(rows);
  std::vector<float> distances;
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < i; ++j) {
      distances.push_back(static_cast<float>(
          distance(values.data() + static_cast<std::size_t>(i) * width,
                   values.data() + static_cast<std::size_t>(j) * width, width, metric)));
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
