// A backend whose ops come in stages that it can time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace lpdm {

struct StageTime {
  std::string name;
  std::int64_t calls = 0;
  double seconds = 0.0;
};

class StagedBackend {
 public:
  virtual ~StagedBackend() = default;

  // From now on; what would run side by side then runs one after the other.
  virtual void time_stages() = 0;
  // Those since the last call, which it waits for.
  virtual std::vector<StageTime> take_stages() = 0;
};

}  // namespace lpdm
