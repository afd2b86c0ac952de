#include "core/machine.h"

#include <sys/utsname.h>

#include <fstream>

#include "lpdm/thread_pool.h"

namespace lpdm {
namespace {

// As the system names it; the kind of processor where it does not, as on many Arm machines.
std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  utsname names{};
  return uname(&names) == 0 ? names.machine : "unknown";
}

}  // namespace

std::string machine_description() {
  return processor() + ", " + std::to_string(hardware_threads()) + " threads";
}

}  // namespace lpdm
