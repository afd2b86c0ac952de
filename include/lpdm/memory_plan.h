// What a run will need at most, predicted from its config before it starts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lpdm/config.h"
#include "lpdm/environment.h"

namespace lpdm {

struct MemoryPart {
  std::string name;
  std::int64_t bytes = 0;
  bool in_backend = false;  // counted by Backend::peak_bytes
};

struct MemoryPlan {
  std::int64_t rows = 0;  // of the largest update
  std::vector<MemoryPart> parts;
  std::string remedy;  // what to change to make the largest part smaller

  std::int64_t total() const;
  std::int64_t in_backend() const;
  const MemoryPart& largest() const;
  // One line, as in "at most 21.4 MB for updates of up to 500 rows (parameters 1.1 MB, …)".
  std::string text() const;
};

// The most rows that one update can learn from. PPO: those of its rollout; REINFORCE: as if every
// episode of the batch ran to its time limit.
std::int64_t rows_per_update(const Config& config, const EnvironmentSpec& environment);

// Upper bounds, by the CPU backend's buffers. The first form makes one instance of the environment
// to learn its sizes, and throws as make_environment does.
MemoryPlan plan_memory(const Config& config);
MemoryPlan plan_memory(const Config& config, const EnvironmentSpec& environment);

// Throws UsageError with the numbers and what to change if `available` bytes are not enough.
void require_memory(const MemoryPlan& plan, std::int64_t available);

// A number of bytes for people: "21.4 MB".
std::string bytes_text(std::int64_t bytes);

}  // namespace lpdm
