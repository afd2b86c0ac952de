// What a run reports: one JSON object per iteration, and its summary.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "io/json_text.h"
#include "lpdm/trainer.h"

namespace lpdm {

// What `lpdm eval --json` prints.
Json evaluation_json(const EvaluationReport& report);

// One line of metrics.jsonl. Layers between diagnostics have null fields.
Json metrics_json(const IterationMetrics& metrics, std::size_t hidden_layers);

// What the iterations to come are made with: an entry of provenance.json.
Json provenance_json(Trainer& trainer);

// The mean return of the latest `window` iterations, and the best it has been.
class MovingReturn {
 public:
  explicit MovingReturn(std::size_t window) : window_(window) {}

  void add(double return_mean, std::int64_t iteration);

  double latest() const;  // of as many iterations as there are, up to the window
  std::optional<double> best() const { return best_; }  // of full windows only
  std::int64_t best_iteration() const { return best_iteration_; }
  bool full() const { return returns_.size() == window_; }

 private:
  std::size_t window_;
  std::deque<double> returns_;
  std::optional<double> best_;
  std::int64_t best_iteration_ = 0;
};

// Everything summary.json holds, gathered as the run goes on.
class RunSummary {
 public:
  void add(const IterationMetrics& metrics);
  // A line of metrics.jsonl from before a resume.
  void add_earlier(const Json& metrics);

  const MovingReturn& returns() const { return fifty_; }
  // What the iterations from before the resume took [s].
  double earlier_seconds() const { return earlier_seconds_; }
  // seconds: what the whole run took [s].
  Json json(Trainer& trainer, double seconds) const;

 private:
  void add_return(const std::optional<double>& return_mean, std::int64_t iteration);

  MovingReturn fifty_{50};
  MovingReturn hundred_{100};
  double rollout_seconds_ = 0.0;
  double update_seconds_ = 0.0;
  double earlier_seconds_ = 0.0;
};

}  // namespace lpdm
