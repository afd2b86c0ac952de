#include "io/checkpoint_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "lpdm/error.h"

namespace lpdm {
namespace {

using namespace checkpoint_names;

class Reader {
 public:
  Reader(const TensorFile& file, const std::string& source) : source_(source), file_(file) {
    if (const std::string problem = format_problem(file); !problem.empty()) fail(problem);
  }

  CheckpointState read(const CheckpointShape& shape) {
    CheckpointState state;
    for (const CheckpointShape::Layer& layer : shape.layers) {
      LayerValues values{take_finite(layer.name + ".weight", {layer.out, layer.in}),
                         take_finite(layer.name + ".bias", {layer.out})};
      state.layers.push_back(
          {std::move(values), take_optimizer(layer.name, layer.in * layer.out + layer.out)});
    }
    if (shape.log_std > 0) {
      state.log_std = take_finite(kLogStd, {shape.log_std});
      state.log_std_optimizer = take_optimizer(kLogStd, shape.log_std);
    }
    const auto progress = take<std::int64_t>(kProgress, {2});
    if (progress[0] < 0 || progress[1] < 0) fail("its progress is negative");
    state.progress = {.iteration = progress[0], .env_steps = progress[1]};
    if (shape.observations > 0) {
      state.normalization.observations = take_moments(kObservations, shape.observations);
    }
    if (shape.rewards) state.normalization.returns = take_moments(kReturns, 1);
    state.rollout = take_rollout(shape.environments);
    if (taken_ != file_.tensors.size())
      fail("it holds more layers or statistics than this run has");
    return state;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw UsageError(fmt::format("\"{}\" cannot be used: {}", source_, what));
  }

  template <class T>
  std::vector<T> take(const std::string& name, const std::vector<std::int64_t>& shape) {
    ++taken_;
    const auto found = file_.tensors.find(name);
    if (found == file_.tensors.end()) fail(fmt::format("it has no tensor {}", name));
    const auto* values = std::get_if<std::vector<T>>(&found->second.values);
    if (values == nullptr || found->second.shape != shape) {
      fail(fmt::format("tensor {} does not fit this run's network or has another type", name));
    }
    return *values;
  }

  std::vector<float> take_finite(const std::string& name, const std::vector<std::int64_t>& shape) {
    std::vector<float> values = take<float>(name, shape);
    if (!std::ranges::all_of(values, [](float value) { return std::isfinite(value); })) {
      fail(fmt::format("tensor {} has values that are not finite", name));
    }
    return values;
  }

  OptimizerState take_optimizer(const std::string& name, std::int64_t size) {
    OptimizerState state{take_finite(name + ".adam.first_moment", {size}),
                         take_finite(name + ".adam.second_moment", {size}),
                         take<std::int64_t>(name + ".adam.step", {1}).front()};
    if (state.step < 0) fail(fmt::format("tensor {}.adam.step is negative", name));
    return state;
  }

  MomentsState take_moments(const std::string& name, std::int64_t width) {
    MomentsState moments{take<std::int64_t>(name + ".count", {1}).front(),
                         take<double>(name + ".mean", {width}),
                         take<double>(name + ".squares", {width})};
    const auto valid = [](double value) { return std::isfinite(value); };
    if (moments.count < 0 || !std::ranges::all_of(moments.mean, valid) ||
        !std::ranges::all_of(moments.squares, valid)) {
      fail(fmt::format("the statistics {} are not finite, or count fewer than 0 rows", name));
    }
    return moments;
  }

  RolloutState take_rollout(std::int64_t environments) {
    if (!file_.tensors.contains(kEpisodes)) return {};
    const auto episodes = take<std::int64_t>(kEpisodes, {environments});
    const auto sizes = take<std::int64_t>(kSizes, {environments});
    std::int64_t total = 0;
    for (std::size_t e = 0; e < sizes.size(); ++e) {
      if (sizes[e] < 0 || sizes[e] > kMaxActions) fail(fmt::format("tensor {} is damaged", kSizes));
      if (!std::in_range<std::uint32_t>(episodes[e])) {
        fail(fmt::format("tensor {} is damaged", kEpisodes));
      }
      total += sizes[e];
    }
    const auto actions = take<float>(kActions, {total});
    RolloutState rollout;
    auto next = actions.begin();
    for (std::size_t e = 0; e < sizes.size(); ++e) {
      rollout.push_back({static_cast<std::uint32_t>(episodes[e]), {next, next + sizes[e]}});
      next += sizes[e];
    }
    return rollout;
  }

  static constexpr std::int64_t kMaxActions = std::int64_t{1} << 40;

  const std::string& source_;
  const TensorFile& file_;
  std::size_t taken_ = 0;
};

}  // namespace

std::string format_problem(const TensorFile& file) {
  const auto found = file.metadata.find("format");
  const std::string format = found == file.metadata.end() ? "" : found->second;
  if (format == kCheckpointFormat) return "";
  return fmt::format(
      "its format is \"{}\", this program reads {}; use the lpdm that has written it", format,
      kCheckpointFormat);
}

std::int64_t saved_iteration(const TensorFile& file) {
  const auto found = file.tensors.find(kProgress);
  const auto* values = found == file.tensors.end()
                           ? nullptr
                           : std::get_if<std::vector<std::int64_t>>(&found->second.values);
  if (values == nullptr || values->empty())
    throw UsageError(
        "the checkpoint does not say which iteration it was saved after; use another one");
  return values->front();
}

CheckpointState read_checkpoint(const TensorFile& file, const std::string& source,
                                const CheckpointShape& shape) {
  return Reader(file, source).read(shape);
}

}  // namespace lpdm
