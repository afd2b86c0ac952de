#include "rl/loss_cases.h"

#include <fmt/format.h>

#include <optional>
#include <vector>

#include "lpdm/config.h"
#include "lpdm/error.h"
#include "lpdm/network.h"
#include "lpdm/reinforce.h"
#include "rl/case_reader.h"

namespace lpdm {

namespace {

template <class T>
DeviceArray<T> to_device(Backend& backend, const std::vector<T>& values) {
  DeviceArray<T> array(backend, static_cast<std::int64_t>(values.size()));
  array.write(values);
  return array;
}

// One layer's case in backend memory.
class LossCase {
 public:
  LossCase(const CaseReader& reader, Backend& backend)
      : reader_(reader),
        backend_(backend),
        n_(reader.positive("n")),
        dim_(reader.positive("dim_x")),
        in_(reader.positive("dim_in")),
        out_(reader.positive("dim_out")),
        options_(reader.loss_config().hidden.loss),
        count_(to_device<std::int64_t>(backend, {n_})),
        x_(to_device(backend, reader.array<float>("x", n_ * dim_))),
        h_(to_device(backend, reader.has("h") ? reader.array<float>("h", n_ * in_) : x_.read())),
        weight_(to_device(backend, reader.array<float>("w", out_ * in_))),
        bias_(to_device(backend, reader.array<float>("b", out_))),
        shift_(backend, n_),
        scales_(backend, 1),
        y_(backend, n_ * out_),
        delta_(backend, n_ * out_),
        statistics_(backend, 1) {
    if (!reader.has("h") && in_ != dim_) reader.fail("dim_in must equal dim_x when h is null");
    if (options_.target != TargetRule::kInput) {
      reader.fail("target error_propagation needs the layers below; give an update case instead");
    }
    if (options_.pairs.landmarks > 0 && !reader.has("landmark_rows")) {
      reader.fail("pairs landmarks:M leaves open which rows; name them as landmark_rows");
    }
    if (options_.block == LossBlock::kEpisode && !reader.has("episode_ends")) {
      reader.fail("block episode leaves open which rows are one; name their ends as episode_ends");
    }
  }

  Json run() {
    prepare_target();
    backend_.dense_forward({.rows = rows(),
                            .in = in_,
                            .out = out_,
                            .input = h_.data(),
                            .weight = weight_.data(),
                            .bias = bias_.data(),
                            .output = y_.data()});
    const std::vector<float> grad_y = local_loss(false);
    local_loss(true);
    DeviceArray<float> grad_w(backend_, out_ * in_);
    DeviceArray<float> grad_b(backend_, out_);
    backend_.dense_gradient({.rows = rows(),
                             .in = in_,
                             .out = out_,
                             .delta = delta_.data(),
                             .input = h_.data(),
                             .weight_gradient = grad_w.data(),
                             .bias_gradient = grad_b.data()});
    return {{"name", reader_.get<std::string>("name")},
            {"loss", statistics_.read().front().loss},
            {"grad_y", grad_y},
            {"grad_w", grad_w.read()},
            {"grad_b", grad_b.read()}};
  }

 private:
  Rows rows() const { return {.count = count_.data(), .capacity = n_}; }

  void prepare_target() {
    target_ = {.rows = rows(),
               .dim = dim_,
               .input = x_.data(),
               .metric = options_.metric,
               .guide_base = options_.guide_base,
               .sparse = options_.pairs.sparse,
               .low_rank = options_.pairs.low_rank};
    if (options_.guided) {
      const auto values = to_device(backend_, reader_.array<float>("values", n_));
      backend_.guided_shift({.rows = rows(), .values = values.data(), .shift = shift_.data()});
      target_.shift = shift_.data();
    }
    if (const auto selected = reader_.landmarks(n_)) {
      landmarks_ = to_device(backend_, *selected);
      landmark_count_ = to_device<std::int64_t>(backend_, {landmarks_.size()});
      target_.landmarks = landmarks_.data();
      target_.landmark_count = landmark_count_.data();
    }
    if (options_.block == LossBlock::kEpisode) {
      episode_ends_ = to_device(backend_, *reader_.episode_ends(n_));
      episode_count_ = to_device<std::int64_t>(backend_, {episode_ends_.size()});
      target_.episode_ends = episode_ends_.data();
      target_.episode_count = episode_count_.data();
    }
    backend_.target_statistics({.target = target_, .scales = scales_.data()});
  }

  // ∂L/∂y, or the gradient with respect to the pre-activation, which stays in delta_.
  std::vector<float> local_loss(bool through_activation) {
    const LocalLossLayer layer{.out = out_,
                               .output = y_.data(),
                               .delta = delta_.data(),
                               .delta_through_activation = through_activation,
                               .statistics = statistics_.data()};
    backend_.local_loss({.target = target_,
                         .scales = scales_.data(),
                         .scale = options_.scale,
                         .norm = options_.norm,
                         .max_gradient = options_.max_gradient,
                         .layers = &layer,
                         .layer_count = 1});
    return delta_.read();
  }

  const CaseReader& reader_;
  Backend& backend_;
  std::int64_t n_, dim_, in_, out_;
  LocalLossConfig options_;
  DeviceArray<std::int64_t> count_;
  DeviceArray<float> x_;       // (n, dim)
  DeviceArray<float> h_;       // (n, in)
  DeviceArray<float> weight_;  // (out, in)
  DeviceArray<float> bias_;    // (out)
  DeviceArray<float> shift_;   // (n)
  DeviceArray<std::int64_t> landmarks_;
  DeviceArray<std::int64_t> landmark_count_;
  DeviceArray<std::int64_t> episode_ends_;
  DeviceArray<std::int64_t> episode_count_;
  DeviceArray<TargetScales> scales_;
  DeviceArray<float> y_;      // (n, out)
  DeviceArray<float> delta_;  // (n, out)
  DeviceArray<LocalLossStatistics> statistics_;
  PairwiseTarget target_;
};

Config update_config(const CaseReader& reader, const CaseReader& options) {
  Config config = options.loss_config();
  const auto method = reader.get<std::string>("method");
  if (method == "lpdm") {
    config.hidden.method = HiddenMethod::kLpdm;
  } else if (method == "backprop") {
    config.hidden.method = HiddenMethod::kBackprop;
  } else if (method == "frozen") {
    config.hidden.method = HiddenMethod::kFrozen;
  } else {
    reader.fail(fmt::format("method '{}' is unknown; expected lpdm, backprop or frozen", method));
  }
  const auto rate = reader.get<double>("learning_rate");
  const auto clip = reader.get<double>("grad_clip");
  config.hidden.learning_rate = {.values = {rate}};
  config.hidden.grad_clip = clip;
  config.head = {.learning_rate = rate, .grad_clip = clip};
  config.algorithm.discount = reader.get<double>("discount");
  if (reader.has("std")) config.policy.std = reader.get<double>("std");
  return config;
}

void set_initial(const CaseReader& reader, Network& network) {
  const auto initial = reader.get<std::vector<std::vector<std::vector<float>>>>("initial");
  if (initial.size() != network.layers().size()) {
    reader.fail(fmt::format("'initial' has {} layers, expected {}", initial.size(),
                            network.layers().size()));
  }
  for (std::size_t l = 0; l < initial.size(); ++l) {
    const Layer& layer = network.layers()[l];
    if (initial[l].size() != 2 ||
        static_cast<std::int64_t>(initial[l][0].size()) != layer.in() * layer.out() ||
        static_cast<std::int64_t>(initial[l][1].size()) != layer.out()) {
      reader.fail(fmt::format("layer {} of 'initial' must be [W ({} × {}), b ({})]", l, layer.out(),
                              layer.in(), layer.out()));
    }
    network.layers()[l].set_values({initial[l][0], initial[l][1]});
  }
}

// Several REINFORCE updates of a whole network, one episode each.
Json run_update_case(const CaseReader& reader, Backend& backend) {
  const std::int64_t n = reader.positive("n");
  const std::int64_t dim = reader.positive("dim_x");
  ActionSpace action{.discrete = reader.get<bool>("discrete"),
                     .size = reader.positive("actions_dim"),
                     .low = {},
                     .high = {}};
  const Json no_options = Json::object();
  const CaseReader options(reader.has("options") ? reader.fields()["options"] : no_options,
                           reader.where() + " options");
  const Config config = update_config(reader, options);
  Network network(backend, {.input = dim,
                            .hidden = reader.get<std::vector<std::int64_t>>("hidden"),
                            .output = action.size});
  set_initial(reader, network);
  Reinforce reinforce(backend, network, action, config);
  Json losses = Json::array();
  for (const Json& fields : reader.get<std::vector<Json>>("batches")) {
    const CaseReader batch_reader(fields, reader.where() + " batch");
    const Batch batch{.observation_size = dim,
                      .action_width = action.width(),
                      .observations = batch_reader.array<float>("x", n * dim),
                      .actions = batch_reader.array<float>("actions", n * action.width()),
                      .rewards = batch_reader.array<float>("rewards", n),
                      .episode_ends = batch_reader.episode_ends(n).value_or(std::vector{n})};
    for (const float index : action.discrete ? batch.actions : std::vector<float>{}) {
      if (index < 0 || index >= static_cast<float>(action.size)) {
        batch_reader.fail(fmt::format("action {} is outside 0 and {}", index, action.size - 1));
      }
    }
    const bool lpdm = config.hidden.method == HiddenMethod::kLpdm;
    const UpdateReport report =
        reinforce.update(batch, {.diagnostics = lpdm, .landmarks = options.landmarks(n)});
    Json batch_losses = Json::array();
    for (const LayerDiagnostics& layer : report.layers) batch_losses.push_back(layer.loss);
    batch_losses.push_back(report.policy_loss);
    losses.push_back(batch_losses);
  }
  Json final_values = Json::array();
  for (const Layer& layer : network.layers()) {
    const LayerValues values = layer.values();
    final_values.push_back({values.weight, values.bias});
  }
  return {{"name", reader.get<std::string>("name")}, {"losses", losses}, {"final", final_values}};
}

}  // namespace

Json run_loss_cases(const Json& cases, const std::string& name, Backend& backend) {
  if (!cases.is_object() || !cases.contains("cases") || !cases["cases"].is_array()) {
    throw UsageError(name + ": expected an object with a list 'cases', as in tests/data/loss");
  }
  Json results = Json::array();
  for (std::size_t i = 0; i < cases["cases"].size(); ++i) {
    const CaseReader reader(cases["cases"][i], fmt::format("{}: case {}", name, i));
    results.push_back(reader.has("batches") ? run_update_case(reader, backend)
                                            : LossCase(reader, backend).run());
  }
  return {{"device", backend.name()}, {"cases", results}};
}

}  // namespace lpdm
