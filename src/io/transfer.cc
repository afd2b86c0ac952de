#include "io/transfer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "io/checkpoint_reader.h"
#include "io/checkpoint_store.h"
#include "io/run_folder.h"
#include "lpdm/error.h"
#include "nn/named_layers.h"

namespace lpdm {
namespace {

namespace fs = std::filesystem;

struct StoredLayer {
  std::int64_t in = 0;
  std::int64_t out = 0;
  LayerValues values;
};

std::string shape_text(std::int64_t out, std::int64_t in) {
  return fmt::format("{} × {}", out, in);
}

// The checkpoint of the run that layers are taken from.
class SourceRun {
 public:
  explicit SourceRun(const fs::path& folder)
      : config_(RunFolder::load_config(folder)), found_(find_checkpoint(folder)) {
    if (const std::string problem = format_problem(found_.file); !problem.empty()) fail(problem);
  }

  const Config& config() const { return config_; }

  // Nothing if there is no such layer.
  std::optional<StoredLayer> layer(const std::string& name) const {
    if (!found_.file.tensors.contains(name + ".weight")) return std::nullopt;
    const std::vector<std::int64_t>& shape = tensor(name + ".weight").shape;
    if (shape.size() != 2) fail(fmt::format("tensor {}.weight is no matrix", name));
    StoredLayer stored{.in = shape[1], .out = shape[0], .values = {}};
    stored.values.weight = floats(name + ".weight", stored.out * stored.in);
    stored.values.bias = floats(name + ".bias", stored.out);
    return stored;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw UsageError(
        fmt::format("--init-from: \"{}\" cannot be used: {}", found_.path.string(), what));
  }

  const Tensor& tensor(const std::string& name) const {
    const auto found = found_.file.tensors.find(name);
    if (found == found_.file.tensors.end()) fail(fmt::format("it has no tensor {}", name));
    return found->second;
  }

  std::vector<float> floats(const std::string& name, std::int64_t size) const {
    const auto* values = std::get_if<std::vector<float>>(&tensor(name).values);
    if (values == nullptr || static_cast<std::int64_t>(values->size()) != size) {
      fail(fmt::format("tensor {} has another type or size than its layer", name));
    }
    if (!std::ranges::all_of(*values, [](float value) { return std::isfinite(value); })) {
      fail(fmt::format("tensor {} has values that are not finite", name));
    }
    return *values;
  }

  Config config_;
  FoundCheckpoint found_;
};

// Why a layer of the source cannot or shall not be this one; "" if it is taken.
std::string obstacle(const std::optional<StoredLayer>& stored, const NamedLayer& here,
                     InitLayers wanted, bool other_activation) {
  if (!here.hidden && wanted == InitLayers::kHidden) return "network.init_layers is hidden";
  if (!stored) return "there is none there";
  if (stored->in != here.layer->in() || stored->out != here.layer->out()) {
    return fmt::format("{} there, {} here", shape_text(stored->out, stored->in),
                       shape_text(here.layer->out(), here.layer->in()));
  }
  return here.hidden && other_activation ? "another network.activation there" : "";
}

std::string remark_on(const Config& source, const Config& here) {
  if (source.env.normalize_observations == here.env.normalize_observations) {
    return here.env.normalize_observations ? "the statistics of observations start anew" : "";
  }
  return here.env.normalize_observations ? "observations are normalised here, they were not there"
                                         : "observations were normalised there, they are not here";
}

}  // namespace

std::string TransferReport::text() const {
  std::string taken, others;
  for (const LayerTransfer& layer : layers) {
    std::string& list = layer.taken ? taken : others;
    list += fmt::format("{}{} ({})", list.empty() ? "" : ", ", layer.layer, layer.detail);
  }
  return fmt::format("from {}: took {}{}{}", source.string(), taken,
                     others.empty() ? "" : "; not " + others, remark.empty() ? "" : "; " + remark);
}

TransferReport transfer_layers(const fs::path& source, const Config& config, Network& network) {
  const SourceRun run(source);
  const bool other_activation = run.config().network.activation != config.network.activation;
  TransferReport report{source, {}, remark_on(run.config(), config)};
  std::vector<std::pair<Layer*, LayerValues>> taken;
  bool any_hidden = false;
  for (const NamedLayer& here : named_layers(network)) {
    std::optional<StoredLayer> stored = run.layer(here.name);
    const std::string why_not =
        obstacle(stored, here, config.network.init_layers, other_activation);
    const bool fits = why_not.empty();
    report.layers.push_back(
        {here.name, fits, fits ? shape_text(stored->out, stored->in) : why_not});
    if (fits) taken.emplace_back(here.layer, std::move(stored->values));
    any_hidden = any_hidden || (fits && here.hidden);
  }
  if (network.log_std() != nullptr) {
    report.layers.push_back({"log_std", false, "it starts at policy.initial_std"});
  }
  if (!any_hidden) {
    throw UsageError(fmt::format(
        "--init-from: no hidden layer of \"{}\" fits this run's network ({}: {}); give both the "
        "same network.hidden and network.activation",
        source.string(), report.layers.front().layer, report.layers.front().detail));
  }
  for (const auto& [layer, values] : taken) layer->set_values(values);
  return report;
}

}  // namespace lpdm
