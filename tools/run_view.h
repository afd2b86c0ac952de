// A run as `lpdm watch` shows it: read from its folder as it grows, and drawn as text.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "io/json_text.h"
#include "lpdm/config.h"

namespace lpdm {

// Only reads. One thread at a time.
class RunView {
 public:
  enum class State { kRunning, kStopped, kComplete };

  // Throws UsageError if there is no run in the folder.
  explicit RunView(std::filesystem::path folder);

  // Takes in what has been written since. Throws UsageError for a damaged line.
  void refresh();
  State state() const { return state_; }

  // Several lines of at most `columns` characters.
  std::string text(std::size_t columns) const;

 private:
  void add(const Json& metrics);
  void add_number(const std::string& name, const Json& parent, const char* key);
  void forget();
  std::string header() const;
  std::string progress(std::size_t columns) const;
  std::string curve(const std::string& name, std::size_t columns) const;

  std::filesystem::path folder_;
  Config config_;
  State state_ = State::kStopped;
  std::uint64_t read_ = 0;  // bytes of metrics.jsonl
  std::int64_t lines_ = 0;
  std::int64_t env_steps_ = 0;
  double seconds_ = 0.0;                               // of all iterations
  std::vector<std::string> names_;                     // of the curves, in the order shown
  std::map<std::string, std::vector<double>> curves_;  // not-a-number: no value
};

}  // namespace lpdm
