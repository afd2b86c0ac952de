// What each environment's file hands to the registry.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "env/options.h"
#include "lpdm/environment.h"

namespace lpdm {

struct EnvironmentEntry {
  std::string id;
  std::vector<EnvironmentOption> options;
  std::function<std::unique_ptr<Environment>(const OptionValues&)> make;
};

// One function per file, one entry per version of the environment.
std::vector<EnvironmentEntry> acrobot_entries();
std::vector<EnvironmentEntry> ant_entries();
std::vector<EnvironmentEntry> cartpole_entries();
std::vector<EnvironmentEntry> half_cheetah_entries();
std::vector<EnvironmentEntry> hopper_entries();
std::vector<EnvironmentEntry> inverted_pendulum_entries();
std::vector<EnvironmentEntry> pusher_entries();
std::vector<EnvironmentEntry> walker2d_entries();

}  // namespace lpdm
