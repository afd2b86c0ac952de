#include "progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmath>

#include "notice.h"

namespace lpdm {
namespace {

constexpr std::chrono::milliseconds kRefresh{100};

// A longer live line would wrap, and only its last row would be overwritten.
std::size_t terminal_columns() {
  constexpr std::size_t kUsual = 80;
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUsual;
}

std::string rate_text(double per_second) {
  return per_second >= 1e4 ? fmt::format("{:.0f}k", per_second / 1e3)
                           : fmt::format("{:.0f}", per_second);
}

}  // namespace

std::string clock_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::lround(seconds));
  return whole < 3600 ? fmt::format("{}:{:02}", whole / 60, whole % 60)
                      : fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

ProgressLine::ProgressLine(std::int64_t iterations, std::int64_t done, std::int64_t log_every)
    : iterations_(iterations),
      done_(done),
      log_every_(log_every),
      terminal_(isatty(STDERR_FILENO) != 0) {}

void ProgressLine::show(const IterationMetrics& metrics, const MovingReturn& returns) {
  if (first_env_steps_ < 0) {
    first_env_steps_ = metrics.env_steps - std::llround(metrics.length_mean.value_or(0.0) *
                                                        static_cast<double>(metrics.episodes));
  }
  if (!metrics.layers.empty()) {
    losses_.clear();
    for (const LayerDiagnostics& layer : metrics.layers)
      losses_ += fmt::format(" {:.3f}", layer.loss);
  }
  const bool last = metrics.iteration == iterations_;
  if (terminal_) {
    if (!last && Clock::now() - shown_ < kRefresh) return;
    shown_ = Clock::now();
    notice("\r\033[K" + text(metrics, returns).substr(0, terminal_columns()));
    live_ = true;
  } else if (last || (log_every_ > 0 && metrics.iteration % log_every_ == 0)) {
    notice(text(metrics, returns) + "\n");
  }
}

void ProgressLine::finish() {
  if (live_) notice("\n");
  live_ = false;
}

std::string ProgressLine::text(const IterationMetrics& metrics, const MovingReturn& returns) const {
  const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  const auto steps = static_cast<double>(metrics.env_steps - first_env_steps_);
  const std::string best =
      returns.best() ? fmt::format(" (best {:.1f})", *returns.best()) : std::string();
  const std::string losses = losses_.empty() ? std::string() : "  local loss" + losses_;
  return fmt::format("iteration {}/{}  return {:.1f}, mean of 50 {:.1f}{}  {} steps/s{}  {} left",
                     metrics.iteration, iterations_, metrics.return_mean.value_or(std::nan("")),
                     returns.latest(), best, rate_text(steps / seconds), losses,
                     seconds_left(metrics.iteration));
}

std::string ProgressLine::seconds_left(std::int64_t iteration) const {
  const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  const auto made = static_cast<double>(iteration - done_);
  return clock_text(seconds / made * static_cast<double>(iterations_ - iteration));
}

}  // namespace lpdm
