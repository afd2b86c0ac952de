#include "rl/row_sampler.h"

#include <algorithm>
#include <vector>

namespace lpdm {
namespace {

std::int64_t widest(const NetworkShape& shape) {
  std::int64_t width = shape.input;
  for (const std::int64_t out : shape.hidden) width = std::max(width, out);
  return width;
}

}  // namespace

RowSampler::RowSampler(Backend& backend, const NetworkShape& shape)
    : backend_(backend),
      shape_(shape),
      count_(backend, 1),
      index_(backend, kSampleRows),
      gathered_(backend, kSampleRows * widest(shape)) {}

RowSample RowSampler::take(const Rows& rows, const HiddenActivations& activations) {
  std::int64_t n = 0;
  backend_.copy_to_host(&n, rows.count, sizeof(n));
  const std::int64_t taken = std::min(n, kSampleRows);
  std::vector<std::int64_t> index;
  for (std::int64_t i = 0; i < taken; ++i) index.push_back(i * n / taken);
  index_.write(index);
  count_.write(std::vector<std::int64_t>{taken});
  RowSample sample{.rows = taken,
                   .observations = gather(activations.input(0), shape_.input, taken)};
  for (std::size_t l = 0; l < shape_.hidden.size(); ++l) {
    sample.outputs.push_back(gather(activations.output(l), shape_.hidden[l], taken));
  }
  return sample;
}

std::vector<float> RowSampler::gather(const float* source, std::int64_t width, std::int64_t rows) {
  backend_.gather_rows({.rows = {.count = count_.data(), .capacity = kSampleRows},
                        .width = width,
                        .source = source,
                        .index = index_.data(),
                        .destination = gathered_.data()});
  std::vector<float> values(static_cast<std::size_t>(rows * width));
  gathered_.read(values);
  return values;
}

}  // namespace lpdm
