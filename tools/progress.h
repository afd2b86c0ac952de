// How a training run shows itself: one live line on a terminal, plain lines elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "io/run_metrics.h"
#include "lpdm/trainer.h"

namespace lpdm {

// "2:05" or "1:02:05".
std::string clock_text(double seconds);

class ProgressLine {
 public:
  // Of `iterations`, starting after `done`; a plain line every `log_every` iterations.
  ProgressLine(std::int64_t iterations, std::int64_t done, std::int64_t log_every);

  void show(const IterationMetrics& metrics, const MovingReturn& returns);
  // Ends the live line, so that what is printed next starts on a line of its own.
  void finish();

 private:
  using Clock = std::chrono::steady_clock;

  std::string text(const IterationMetrics& metrics, const MovingReturn& returns) const;
  std::string seconds_left(std::int64_t iteration) const;

  std::int64_t iterations_;
  std::int64_t done_;
  std::int64_t log_every_;
  std::int64_t first_env_steps_ = -1;
  bool terminal_;
  bool live_ = false;
  std::string losses_;  // of the latest diagnostics
  Clock::time_point start_ = Clock::now();
  Clock::time_point shown_;
};

}  // namespace lpdm
