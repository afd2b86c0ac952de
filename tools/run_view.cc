#include "run_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <iterator>
#include <limits>
#include <sstream>
#include <utility>

#include "io/run_folder.h"
#include "io/run_lock.h"
#include "lpdm/error.h"
#include "progress.h"
#include "sparkline.h"

namespace lpdm {
namespace {

constexpr const char* kReturn = "return";
constexpr std::size_t kMeanOf = 50;  // iterations
constexpr std::size_t kNameWidth = 22;
constexpr std::size_t kNumbersWidth = 34;
constexpr std::size_t kNarrowest = 8;  // characters of a curve

// What of a line of metrics.jsonl is shown, and under which name.
constexpr std::array kNumbers{
    std::pair{"length_mean", "length"},    std::pair{"policy_loss", "policy loss"},
    std::pair{"value_loss", "value loss"}, std::pair{"kl", "KL divergence"},
    std::pair{"entropy", "entropy"},       std::pair{"clip_fraction", "clipped share"},
};
constexpr std::array kLayerNumbers{
    std::pair{"loss", "loss"},
    std::pair{"correlation", "correlation"},
    std::pair{"saturated", "saturated"},
    std::pair{"gradient_norm", "gradient norm"},
};

double number_or_nan(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? found->get<double>()
                                                     : std::numeric_limits<double>::quiet_NaN();
}

std::string method_text(const Config& config) {
  const HiddenConfig& hidden = config.hidden;
  if (hidden.method == HiddenMethod::kBackprop) return "backpropagation";
  if (hidden.method == HiddenMethod::kFrozen) return "frozen layers";
  return hidden.loss.guided ? "LPDM, guided" : "LPDM";
}

std::string algorithm_text(const Config& config) {
  switch (config.algorithm.name) {
    case AlgorithmName::kReinforceBaseline:
      return "REINFORCE with baseline";
    case AlgorithmName::kPpo:
      return "PPO";
    case AlgorithmName::kReinforce:
      break;
  }
  return "REINFORCE";
}

std::string number_text(double value) {
  if (!std::isfinite(value)) return "-";
  const double size = std::abs(value);
  return size != 0.0 && (size >= 1e5 || size < 1e-3) ? fmt::format("{:.2e}", value)
                                                     : fmt::format("{:.4g}", value);
}

// Moving means of the latest values that are known.
std::vector<double> moving_means(const std::vector<double>& values, std::size_t window) {
  std::vector<double> means;
  double sum = 0.0;
  std::vector<double> known;
  for (const double value : values) {
    if (std::isfinite(value)) {
      known.push_back(value);
      sum += value;
      if (known.size() > window) sum -= known[known.size() - 1 - window];
    }
    const auto count = static_cast<double>(std::min(known.size(), window));
    means.push_back(known.empty() ? value : sum / count);
  }
  return means;
}

// Without an incomplete character at its end.
std::string first_characters(const std::string& text, std::size_t count) {
  std::size_t end = 0;
  while (end < text.size()) {
    std::size_t next = end + 1;
    while (next < text.size() && (static_cast<unsigned char>(text[next]) & 0xc0) == 0x80) ++next;
    if (count-- == 0) break;
    end = next;
  }
  return text.substr(0, end);
}

}  // namespace

RunView::RunView(std::filesystem::path folder)
    : folder_(std::move(folder)), config_(RunFolder::load_config(folder_)) {}

void RunView::forget() {
  read_ = 0;
  lines_ = 0;
  seconds_ = 0.0;
  names_.clear();
  curves_.clear();
}

void RunView::refresh() {
  const std::filesystem::path path = folder_ / "metrics.jsonl";
  // Asked before the file is read: what a run has written by its end is then seen.
  const bool running = RunLock::is_held(folder_);
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (file) {
    // A resumed run has dropped what its checkpoint does not know.
    if (static_cast<std::uint64_t>(file.tellg()) < read_) forget();
    file.seekg(static_cast<std::streamoff>(read_));
    for (std::string line; std::getline(file, line) && !file.eof();) {
      read_ += line.size() + 1;
      add(parse_json(line, fmt::format("{}: line {}", path.string(), lines_ + 1)));
    }
  }
  state_ = running                            ? State::kRunning
           : lines_ >= config_.run.iterations ? State::kComplete
                                              : State::kStopped;
}

void RunView::add_number(const std::string& name, const Json& parent, const char* key) {
  if (!parent.contains(key)) return;
  if (!curves_.contains(name)) names_.push_back(name);
  curves_[name].push_back(number_or_nan(parent, key));
}

void RunView::add(const Json& metrics) {
  ++lines_;
  if (!metrics.is_object() || !metrics.contains("return_mean")) {
    throw UsageError(
        fmt::format("{}: line {} is not a line of metrics; mend or remove the file's "
                    "damage",
                    (folder_ / "metrics.jsonl").string(), lines_));
  }
  env_steps_ = static_cast<std::int64_t>(number_or_nan(metrics, "env_steps"));
  seconds_ += number_or_nan(metrics, "rollout_seconds") + number_or_nan(metrics, "update_seconds");
  add_number(kReturn, metrics, "return_mean");
  for (const auto& [key, name] : kNumbers) add_number(name, metrics, key);
  const auto layers = metrics.find("layers");
  if (layers == metrics.end() || !layers->is_array()) return;
  for (std::size_t l = 0; l < layers->size(); ++l) {
    if (!(*layers)[l].is_object()) continue;
    for (const auto& [key, name] : kLayerNumbers) {
      add_number(fmt::format("layer {} {}", l + 1, name), (*layers)[l], key);
    }
  }
}

std::string RunView::header() const {
  return fmt::format("{}  {}  {}  seed {}  {}", config_.env.id, algorithm_text(config_),
                     method_text(config_), config_.run.seed, folder_.string());
}

std::string RunView::progress(std::size_t columns) const {
  const double share =
      std::min(1.0, static_cast<double>(lines_) / static_cast<double>(config_.run.iterations));
  std::string text = fmt::format(" {:3.0f} %  iteration {} of {}  {} steps", 100.0 * share, lines_,
                                 config_.run.iterations, env_steps_);
  if (state_ == State::kRunning && lines_ > 0) {
    const double left = seconds_ / static_cast<double>(lines_) *
                        static_cast<double>(config_.run.iterations - lines_);
    text += "  about " + clock_text(left) + " left";
  } else {
    text += state_ == State::kComplete  ? "  complete"
            : state_ == State::kStopped ? "  stopped"
                                        : "";
  }
  const std::size_t width = columns > text.size() + kNarrowest ? columns - text.size() : kNarrowest;
  const std::size_t bar = std::min<std::size_t>(width, 40);
  std::string filled;
  for (std::size_t i = 0; i < bar; ++i) {
    filled += static_cast<double>(i) + 0.5 < share * static_cast<double>(bar) ? "█" : "░";
  }
  return filled + text;
}

std::string RunView::curve(const std::string& name, std::size_t columns) const {
  const std::vector<double>& values = curves_.at(name);
  const bool returns = name == kReturn;
  const std::vector<double> shown = returns ? moving_means(values, kMeanOf) : values;
  std::vector<double> known;
  std::ranges::copy_if(shown, std::back_inserter(known),
                       [](double value) { return std::isfinite(value); });
  const std::string label = returns ? fmt::format("return, mean of {}", kMeanOf) : name;
  std::string numbers = "-";
  if (!known.empty()) {
    const auto [low, high] = std::ranges::minmax(known);
    numbers = fmt::format("{}  ({} to {})", number_text(known.back()), number_text(low),
                          number_text(high));
  }
  const std::size_t fixed = kNameWidth + kNumbersWidth + 2;
  const std::size_t width = columns > fixed + kNarrowest ? columns - fixed : kNarrowest;
  // Diagnostics have values at their interval only; the gaps between would be all one sees.
  return fmt::format("{:<{}} {:<{}} {}", label, kNameWidth, numbers, kNumbersWidth,
                     sparkline(known, width));
}

std::string RunView::text(std::size_t columns) const {
  std::string text = first_characters(header(), columns) + "\n";
  text += first_characters(progress(columns), columns) + "\n";
  for (const std::string& name : names_)
    text += first_characters(curve(name, columns), columns) + "\n";
  if (names_.empty()) text += "no iteration has ended yet\n";
  return text;
}

}  // namespace lpdm
