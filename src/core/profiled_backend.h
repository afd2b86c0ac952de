// A backend that measures every op of another one, in the device's own time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/op_work.h"
#include "core/staged_backend.h"
#include "lpdm/backend.h"

namespace lpdm {

struct OpProfile {
  std::string name;
  std::int64_t calls = 0;
  double seconds = 0.0;
  OpWork work;                         // of all calls
  std::vector<OpProfile> stages = {};  // where the backend tells them apart
};

// Of all ops since it was last cleared, in the order of their first calls. Belongs to one thread.
class Profile {
 public:
  void add(const std::string& name, double seconds, const OpWork& work);
  // Of an op that has been added.
  void add_stage(const std::string& op, const StageTime& stage, const OpWork& work);
  void clear() { ops_.clear(); }
  const std::vector<OpProfile>& ops() const { return ops_; }

 private:
  std::vector<OpProfile> ops_;
};

// Ops run one after another and are waited for: what runs side by side, or from a recording,
// otherwise is measured for itself. The profile must outlive the backend.
std::unique_ptr<Backend> make_profiled_backend(std::unique_ptr<Backend> backend, Profile& profile);

}  // namespace lpdm
