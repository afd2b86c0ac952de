#include "shim/work_queue.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>

#include "shim/device_memory.h"

namespace lpdm::shim {

namespace {

std::string& fault_text() {
  static std::string text;
  return text;
}

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

bool ready(const Task& task) {
  return std::ranges::all_of(task.waits_for, [](const auto& mark) { return mark->reached; });
}

}  // namespace

const char* last_fault() { return fault_text().c_str(); }

Device& Device::get() {
  static Device device;
  return device;
}

Device::Device() : lost_once(std::getenv("LPDM_SHIM_LOST_ONCE")) {
  streams.push_back(std::make_unique<Stream>());
}

cudaError_t Device::remember(cudaError_t error) {
  if (error != cudaSuccess && error != cudaErrorNotReady) last = error;
  return error;
}

cudaError_t Device::add(cudaStream_t handle, std::function<void()> run) {
  if (lost_once != nullptr && std::filesystem::exists(lost_once))
    sticky = cudaErrorECCUncorrectable;
  if (sticky != cudaSuccess) return sticky;
  Stream& stream = of(handle);
  if (stream.captured_by != nullptr) {
    std::vector<GraphNode>& nodes = stream.captured_by->nodes;
    nodes.push_back({std::move(run), stream.last_nodes});
    stream.last_nodes = {nodes.size() - 1};
  } else {
    stream.tasks.push_back({std::move(run), {}, nullptr});
  }
  return cudaSuccess;
}

Stream* Device::draw_ready() {
  std::vector<Stream*> candidates;
  for (const auto& stream : streams) {
    if (!stream->tasks.empty() && ready(stream->tasks.front())) candidates.push_back(stream.get());
  }
  if (candidates.empty()) return nullptr;
  return candidates[shuffler.below(static_cast<std::uint32_t>(candidates.size()))];
}

cudaError_t Device::run_one(Stream& stream) {
  const Task task = std::move(stream.tasks.front());
  stream.tasks.pop_front();
  try {
    if (task.run) {
      const DeviceMemory::Access access;
      task.run();
    }
  } catch (const Fault& fault) {
    fault_text() = fault.what();
    sticky = cudaErrorLaunchFailure;
    return sticky;
  }
  if (task.reaches != nullptr) *task.reaches = {.reached = true, .seconds = now()};
  return cudaSuccess;
}

cudaError_t Device::work_until(const std::function<bool()>& done) {
  while (sticky == cudaSuccess && !done()) {
    Stream* stream = draw_ready();
    if (stream == nullptr) return remember(cudaErrorUnknown);  // streams wait for each other
    run_one(*stream);
  }
  return remember(sticky);
}

}  // namespace lpdm::shim
