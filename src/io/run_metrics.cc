#include "io/run_metrics.h"

#include <numeric>

#include "core/build_info.h"
#include "core/machine.h"

namespace lpdm {
namespace {

template <class T>
Json value_or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json layer_json(const LayerDiagnostics& layer) {
  return {{"loss", layer.loss},
          {"correlation", layer.correlation},
          {"mean_distance", layer.mean_distance},
          {"mean_abs", layer.mean_abs},
          {"saturated", layer.saturated},
          {"gradient_norm", layer.gradient_norm}};
}

Json empty_layer_json() {
  Json empty = layer_json({});
  for (auto& field : empty) field = nullptr;
  return empty;
}

}  // namespace

Json metrics_json(const IterationMetrics& metrics, std::size_t hidden_layers) {
  Json layers = Json::array();
  for (std::size_t l = 0; l < hidden_layers; ++l) {
    layers.push_back(metrics.layers.empty() ? empty_layer_json() : layer_json(metrics.layers[l]));
  }
  Json line{{"iteration", metrics.iteration},
            {"env_steps", metrics.env_steps},
            {"episodes", metrics.episodes},
            {"diverged", metrics.diverged},
            {"return_mean", value_or_null(metrics.return_mean)},
            {"length_mean", value_or_null(metrics.length_mean)},
            {"rollout_seconds", metrics.rollout_seconds},
            {"update_seconds", metrics.update_seconds},
            {"policy_loss", metrics.policy_loss}};
  if (metrics.value_loss) line["value_loss"] = *metrics.value_loss;
  if (metrics.ppo) {
    line["kl"] = metrics.ppo->kl;
    line["entropy"] = metrics.ppo->entropy;
    line["clip_fraction"] = metrics.ppo->clip_fraction;
    line["epochs"] = metrics.ppo->epochs;
  }
  line["layers"] = layers;
  if (metrics.evaluation) line["evaluation"] = evaluation_json(*metrics.evaluation);
  return line;
}

Json evaluation_json(const EvaluationReport& report) {
  return {{"episodes", report.episodes},     {"return_mean", report.return_mean},
          {"return_std", report.return_std}, {"return_min", report.return_min},
          {"return_max", report.return_max}, {"length_mean", report.length_mean}};
}

void MovingReturn::add(double return_mean, std::int64_t iteration) {
  returns_.push_back(return_mean);
  if (returns_.size() > window_) returns_.pop_front();
  if (returns_.size() < window_) return;
  if (!best_ || latest() > *best_) {
    best_ = latest();
    best_iteration_ = iteration;
  }
}

double MovingReturn::latest() const {
  if (returns_.empty()) return 0.0;
  return std::accumulate(returns_.begin(), returns_.end(), 0.0) /
         static_cast<double>(returns_.size());
}

void RunSummary::add_return(const std::optional<double>& return_mean, std::int64_t iteration) {
  if (!return_mean) return;
  fifty_.add(*return_mean, iteration);
  hundred_.add(*return_mean, iteration);
}

void RunSummary::add(const IterationMetrics& metrics) {
  add_return(metrics.return_mean, metrics.iteration);
  rollout_seconds_ += metrics.rollout_seconds;
  update_seconds_ += metrics.update_seconds;
}

void RunSummary::add_earlier(const Json& metrics) {
  std::optional<double> return_mean;
  if (!metrics.at("return_mean").is_null()) return_mean = metrics.at("return_mean").get<double>();
  add_return(return_mean, metrics.at("iteration").get<std::int64_t>());
  rollout_seconds_ += metrics.at("rollout_seconds").get<double>();
  update_seconds_ += metrics.at("update_seconds").get<double>();
  earlier_seconds_ = rollout_seconds_ + update_seconds_;
}

Json RunSummary::json(Trainer& trainer, double seconds) const {
  const BuildInfo build = build_info();
  const Progress progress = trainer.progress();
  const auto best_iteration = [](const MovingReturn& mean) {
    return mean.best() ? Json(mean.best_iteration()) : Json(nullptr);
  };
  return {{"environment", trainer.environment().id},
          {"iterations", progress.iteration},
          {"env_steps", progress.env_steps},
          {"best_mean_50", value_or_null(fifty_.best())},
          {"best_mean_50_iteration", best_iteration(fifty_)},
          {"last_mean_50", fifty_.latest()},
          {"best_mean_100", value_or_null(hundred_.best())},
          {"best_mean_100_iteration", best_iteration(hundred_)},
          {"last_mean_100", hundred_.latest()},
          {"seconds", seconds},
          {"rollout_seconds", rollout_seconds_},
          {"update_seconds", update_seconds_},
          {"device", trainer.backend().description()},
          {"machine", machine_description()},
          {"seed", trainer.config().run.seed},
          {"version", build.version},
          {"commit", build.commit},
          {"compiler", build.compiler},
          {"mujoco", build.mujoco}};
}

Json provenance_json(Trainer& trainer) {
  const BuildInfo build = build_info();
  return {{"from_iteration", trainer.progress().iteration + 1},
          {"version", build.version},
          {"commit", build.commit},
          {"compiler", build.compiler},
          {"build_type", build.build_type},
          {"flags", build.flags},
          {"mujoco", build.mujoco},
          {"openblas", build.openblas},
          {"simd", build.simd},
          {"device", trainer.backend().description()}};
}

}  // namespace lpdm
