// What mj_resetData leaves behind, kept so that a reset is a copy of it.
//
// mj_resetData also clears the solver's statistics, 40 kB and more, which takes as long as a step
// of a small model; nothing reads them here, so they are left as they are. All else is restored bit
// by bit. Belongs to one mjData, whose own addresses it holds.
#pragma once

#include <mujoco/mujoco.h>

#include <cstddef>
#include <vector>

namespace lpdm {

class PristineData {
 public:
  // Resets `data`, and keeps what it then is.
  PristineData(const mjModel& model, mjData& data);

  // Gives `data`, the one of the constructor, the state of a reset. The same as mj_resetData where
  // plugins have state of their own.
  void restore(const mjModel& model, mjData& data) const;

 private:
  std::vector<std::byte> before_statistics_;
  std::vector<std::byte> after_statistics_;
  std::vector<std::byte> buffer_;
};

}  // namespace lpdm
