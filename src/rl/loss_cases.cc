#include "rl/loss_cases.h"

#include <fmt/format.h>

#include <optional>
#include <vector>

#include "lpdm/config.h"
#include "lpdm/error.h"
#include "lpdm/network.h"
#include "lpdm/reinforce.h"

namespace lpdm {

namespace {

// Reads fields of one case; errors name the file and the case.
class CaseReader {
 public:
  CaseReader(const Json& fields, std::string where) : fields_(fields), where_(std::move(where)) {
    if (!fields.is_object()) fail("it must be an object");
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw UsageError(fmt::format("{}: {}", where_, what));
  }

  bool has(const char* key) const { return fields_.contains(key) && !fields_[key].is_null(); }

  template <class T>
  T get(const char* key) const {
    if (!has(key)) fail(fmt::format("field '{}' is missing", key));
    try {
      return fields_[key].get<T>();
    } catch (const Json::exception&) {
      fail(fmt::format("field '{}' has the wrong type", key));
    }
  }

  // A vector that must have `size` elements.
  template <class T>
  std::vector<T> array(const char* key, std::int64_t size) const {
    auto values = get<std::vector<T>>(key);
    if (static_cast<std::int64_t>(values.size()) != size) {
      fail(fmt::format("field '{}' has {} elements, expected {}", key, values.size(), size));
    }
    return values;
  }

  std::int64_t positive(const char* key) const {
    const auto value = get<std::int64_t>(key);
    if (value < 1) fail(fmt::format("field '{}' is {}, expected at least 1", key, value));
    return value;
  }

  std::optional<std::vector<std::int64_t>> landmarks(std::int64_t rows) const {
    if (!has("landmark_rows")) return std::nullopt;
    auto selected = get<std::vector<std::int64_t>>("landmark_rows");
    for (std::size_t k = 0; k < selected.size(); ++k) {
      if (selected[k] < 0 || selected[k] >= rows || (k > 0 && selected[k] <= selected[k - 1])) {
        fail(fmt::format("landmark_rows must ascend within 0 and {}", rows - 1));
      }
    }
    if (selected.empty()) fail("landmark_rows is empty; leave it out for all pairs");
    return selected;
  }

  // The loss options as a config would read them.
  Config loss_config() const {
    Json hidden = Json::object();
    for (const char* key : {"guided", "metric", "scale", "norm", "max_gradient", "guide_base"}) {
      if (has(key)) hidden[key] = fields_[key];
    }
    try {
      return parse_config(Json{{"hidden", hidden}}.dump());
    } catch (const UsageError& error) {
      fail(error.what());
    }
  }

  // Why this build cannot run the case, if so.
  std::optional<std::string> unsupported() const {
    if (has("pairs") && get<std::string>("pairs") != "all") {
      return fmt::format("pairs {} are not supported", get<std::string>("pairs"));
    }
    if (has("target") && get<std::string>("target") != "input") {
      return fmt::format("target {} is not supported", get<std::string>("target"));
    }
    return std::nullopt;
  }

  const Json& fields() const { return fields_; }
  const std::string& where() const { return where_; }

 private:
  const Json& fields_;
  std::string where_;
};

template <class T>
DeviceArray<T> to_device(Backend& backend, const std::vector<T>& values) {
  DeviceArray<T> array(backend, static_cast<std::int64_t>(values.size()));
  array.write(values);
  return array;
}

// One layer's loss and gradients.
Json run_loss_case(const CaseReader& reader, Backend& backend) {
  const std::int64_t n = reader.positive("n");
  const std::int64_t dim = reader.positive("dim_x");
  const std::int64_t in = reader.positive("dim_in");
  const std::int64_t out = reader.positive("dim_out");
  const LocalLossConfig options = reader.loss_config().hidden.loss;
  const auto count = to_device<std::int64_t>(backend, {n});
  const Rows rows{.count = count.data(), .capacity = n};
  const auto x = to_device(backend, reader.array<float>("x", n * dim));
  const bool first_layer = !reader.has("h");
  const auto h = to_device(backend, first_layer ? x.read() : reader.array<float>("h", n * in));
  if (first_layer && in != dim) reader.fail("dim_in must equal dim_x when h is null");
  const auto weight = to_device(backend, reader.array<float>("w", out * in));
  const auto bias = to_device(backend, reader.array<float>("b", out));

  PairwiseTarget target{.rows = rows,
                        .dim = dim,
                        .input = x.data(),
                        .metric = options.metric,
                        .guide_base = options.guide_base};
  DeviceArray<float> shift(backend, n);
  if (options.guided) {
    const auto values = to_device(backend, reader.array<float>("values", n));
    backend.guided_shift({.rows = rows, .values = values.data(), .shift = shift.data()});
    target.shift = shift.data();
  }
  const auto selected = reader.landmarks(n);
  const auto landmarks = to_device(backend, selected.value_or(std::vector<std::int64_t>{0}));
  const auto landmark_count = to_device<std::int64_t>(backend, {landmarks.size()});
  if (selected) {
    target.landmarks = landmarks.data();
    target.landmark_count = landmark_count.data();
  }
  DeviceArray<TargetScales> scales(backend, 1);
  backend.target_statistics({.target = target, .scales = scales.data()});

  DeviceArray<float> y(backend, n * out);
  backend.dense_forward({.rows = rows,
                         .in = in,
                         .out = out,
                         .input = h.data(),
                         .weight = weight.data(),
                         .bias = bias.data(),
                         .output = y.data()});
  DeviceArray<LocalLossStatistics> statistics(backend, 1);
  DeviceArray<float> delta(backend, n * out);
  const auto local_loss = [&](bool through_activation) {
    const LocalLossLayer layer{.out = out,
                               .output = y.data(),
                               .delta = delta.data(),
                               .delta_through_activation = through_activation,
                               .statistics = statistics.data()};
    backend.local_loss({.target = target,
                        .scales = scales.data(),
                        .scale = options.scale,
                        .norm = options.norm,
                        .max_gradient = options.max_gradient,
                        .layers = &layer,
                        .layer_count = 1});
    return delta.read();
  };
  const std::vector<float> grad_y = local_loss(false);
  local_loss(true);
  DeviceArray<float> grad_w(backend, out * in);
  DeviceArray<float> grad_b(backend, out);
  backend.dense_gradient({.rows = rows,
                          .in = in,
                          .out = out,
                          .delta = delta.data(),
                          .input = h.data(),
                          .weight_gradient = grad_w.data(),
                          .bias_gradient = grad_b.data()});
  return {{"name", reader.get<std::string>("name")},
          {"loss", statistics.read().front().loss},
          {"grad_y", grad_y},
          {"grad_w", grad_w.read()},
          {"grad_b", grad_b.read()}};
}

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
  if (const auto why = options.unsupported()) {
    return {{"name", reader.get<std::string>("name")}, {"skipped", *why}};
  }
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
                      .episode_ends = {n}};
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
    if (reader.has("batches")) {
      results.push_back(run_update_case(reader, backend));
    } else if (const auto why = reader.unsupported()) {
      results.push_back({{"name", reader.get<std::string>("name")}, {"skipped", *why}});
    } else {
      results.push_back(run_loss_case(reader, backend));
    }
  }
  return {{"device", backend.name()}, {"cases", results}};
}

}  // namespace lpdm
