// Streams, events, launches and copies of the CUDA runtime.
#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

#include "shim/device_memory.h"
#include "shim/work_queue.h"

using lpdm::shim::Device;
using lpdm::shim::DeviceMemory;
using lpdm::shim::Event;
using lpdm::shim::Launch;
using lpdm::shim::Mark;
using lpdm::shim::Stream;

namespace {

constexpr unsigned kMostThreads = 1024;
constexpr unsigned kMostBlocksAside = 65535;
constexpr std::size_t kFreeShared = 48 * 1024 - lpdm::shim::kStaticShared;
constexpr std::size_t kMostShared = 227 * 1024 - lpdm::shim::kStaticShared;

std::map<const void*, std::size_t>& asked_shared() {
  static std::map<const void*, std::size_t> asked;
  return asked;
}

std::size_t allowed_shared(const void* kernel) {
  const auto asked = asked_shared().find(kernel);
  return asked == asked_shared().end() ? kFreeShared : asked->second;
}

bool valid(const Launch& launch) {
  const std::uint64_t threads = std::uint64_t{launch.block.x} * launch.block.y * launch.block.z;
  const std::uint64_t blocks = std::uint64_t{launch.grid.x} * launch.grid.y * launch.grid.z;
  return threads > 0 && threads <= kMostThreads && blocks > 0 && launch.grid.x <= 0x7FFFFFFFU &&
         launch.grid.y <= kMostBlocksAside && launch.grid.z <= kMostBlocksAside &&
         launch.shared_bytes <= allowed_shared(launch.kernel);
}

// Host memory that is not pinned is read when the copy is asked for, as the runtime does.
std::map<const std::byte*, std::size_t>& pinned() {
  static std::map<const std::byte*, std::size_t> memory;
  return memory;
}

bool is_pinned(const void* memory) {
  const auto* at = static_cast<const std::byte*>(memory);
  auto found = pinned().upper_bound(at);
  if (found == pinned().begin()) return false;
  --found;
  return at < found->first + found->second;
}

bool valid_copy(const void* memory, std::size_t bytes, bool on_device) {
  DeviceMemory& device = DeviceMemory::get();
  return device.owns(memory) == on_device && (!on_device || device.holds(memory, bytes));
}

cudaError_t enqueue_copy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                         cudaStream_t stream) {
  if (bytes == 0) return cudaSuccess;
  const bool any = kind == cudaMemcpyDefault;
  const bool from_device = any ? DeviceMemory::get().owns(from)
                               : kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
  const bool to_device = any ? DeviceMemory::get().owns(to)
                             : kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
  if (!valid_copy(to, bytes, to_device) || !valid_copy(from, bytes, from_device)) {
    return cudaErrorInvalidValue;
  }
  Device& device = Device::get();
  if (from_device || is_pinned(from)) {
    return device.add(stream, [=] { std::memcpy(to, from, bytes); });
  }
  const auto* first = static_cast<const std::byte*>(from);
  std::vector<std::byte> staged(first, first + bytes);
  return device.add(
      stream, [to, staged = std::move(staged)] { std::memcpy(to, staged.data(), staged.size()); });
}

bool capturing() {
  return std::ranges::any_of(Device::get().streams,
                             [](const auto& s) { return s->captured_by != nullptr; });
}

}  // namespace

namespace lpdm::shim {

cudaError_t enqueue(Launch launch, cudaStream_t stream) {
  Device& device = Device::get();
  const std::lock_guard lock(device.mutex);
  if (!valid(launch)) return device.remember(cudaErrorInvalidConfiguration);
  return device.remember(device.add(stream, [&device, launch = std::move(launch)] {
    BlockRunner::current().run_grid(launch.grid, launch.block, launch.shared_bytes, launch.body,
                                    launch.arguments.get(), device.seed + ++device.runs);
  }));
}

cudaError_t enqueue_host(std::function<void()> run, cudaStream_t stream) {
  Device& device = Device::get();
  const std::lock_guard lock(device.mutex);
  return device.remember(device.add(stream, std::move(run)));
}

cudaError_t set_dynamic_shared(const void* kernel, std::size_t bytes) {
  Device& device = Device::get();
  const std::lock_guard lock(device.mutex);
  if (bytes > kMostShared) return device.remember(cudaErrorInvalidValue);
  asked_shared()[kernel] = bytes;
  return cudaSuccess;
}

std::size_t dynamic_shared(const void* kernel) {
  const std::lock_guard lock(Device::get().mutex);
  return allowed_shared(kernel);
}

void set_seed(std::uint64_t seed) {
  Device& device = Device::get();
  const std::lock_guard lock(device.mutex);
  device.seed = seed * 0x100000001B3U;
  device.runs = 0;
  device.shuffler = Shuffler(seed);
}

}  // namespace lpdm::shim

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  Device& device = Device::get();
  const std::lock_guard lock(device.mutex);
  return device.remember(enqueue_copy(to, from, bytes, kind, stream));
}

cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  Device& device = Device::get();
  const std::lock_guard lock(device.mutex);
  if (capturing()) return device.remember(cudaErrorStreamCaptureUnsupported);
  const cudaError_t status = enqueue_copy(to, from, bytes, kind, nullptr);
  if (status != cudaSuccess) return device.remember(status);
  return cudaStreamSynchronize(nullptr);
}

cudaError_t cudaMemsetAsync(void* memory, int value, std::size_t bytes, cudaStream_t stream) {
  Device& device = Device::get();
  const std::lock_guard lock(device.mutex);
  if (!valid_copy(memory, bytes, true)) return device.remember(cudaErrorInvalidValue);
  return device.remember(device.add(stream, [=] { std::memset(memory, value, bytes); }));
}

cudaError_t cudaMemset(void* memory, int value, std::size_t bytes) {
  const cudaError_t status = cudaMemsetAsync(memory, value, bytes, nullptr);
  return status != cudaSuccess ? status : cudaStreamSynchronize(nullptr);
}

cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t function, void* data) {
  Device& device = Device::get();
  const std::lock_guard lock(device.mutex);
  return device.remember(device.add(stream, [=] { function(data); }));
}

cudaError_t cudaHostAlloc(void** memory, std::size_t bytes, unsigned) {
  Device& device = Device::get();
  const std::lock_guard lock(device.mutex);
  auto* at = new std::byte[std::max<std::size_t>(bytes, 1)];
  pinned()[at] = bytes;
  *memory = at;
  return cudaSuccess;
}

cudaError_t cudaMallocHost(void** memory, std::size_t bytes) {
  return cudaHostAlloc(memory, bytes, cudaHostAllocDefault);
}

cudaError_t cudaFreeHost(void* memory) {
  Device& device = Device::get();
  const std::lock_guard lock(device.mutex);
  if (memory == nullptr) return cudaSuccess;
  auto* at = static_cast<std::byte*>(memory);
  if (pinned().erase(at) == 0) return device.remember(cudaErrorInvalidValue);
  device.work_until([&] {
    return std::ranges::all_of(device.streams, [](const auto& s) { return s->tasks.empty(); });
  });
  delete[] at;
  return cudaSuccess;
}

// ---- streams and events -------------------------------------------------------------------------

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  Device& device = Device::get();
  const std::lock_guard lock(device.mutex);
  device.streams.push_back(std::make_unique<Stream>());
  *stream = device.streams.back().get();
  return cudaSuccess;
}

cudaError_t cudaStreamCreate(cudaStream_t* stream) {
  return cudaStreamCreateWithFlags(stream, cudaStreamDefault);
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  Device& device = Device::get();
  const std::lock_guard lock(device.mutex);
  const cudaError_t status = cudaStreamSynchronize(stream);
  std::erase_if(device.streams, [&](const auto& s) { return s.get() == stream; });
  return status;
}

cudaError_t cudaStreamSynchronize(cudaStream_t handle) {
  Device& device = Device::get();
  const std::lock_guard lock(device.mutex);
  Stream& stream = device.of(handle);
  if (stream.captured_by != nullptr) return device.remember(cudaErrorStreamCaptureUnsupported);
  return device.work_until([&] { return stream.tasks.empty(); });
}

cudaError_t cudaStreamQuery(cudaStream_t stream) {
  Device& device = Device::get();
  const std::lock_guard lock(device.mutex);
  return device.of(stream).tasks.empty() ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t cudaDeviceSynchronize() {
  Device& device = Device::get();
  const std::lock_guard lock(device.mutex);
  if (capturing()) return device.remember(cudaErrorStreamCaptureUnsupported);
  return device.work_until([&] {
    return std::ranges::all_of(device.streams, [](const auto& s) { return s->tasks.empty(); });
  });
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  *event = new Event;
  return cudaSuccess;
}

cudaError_t cudaEventCreate(cudaEvent_t* event) {
  return cudaEventCreateWithFlags(event, cudaEventDefault);
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t handle) {
  Device& device = Device::get();
  const std::lock_guard lock(device.mutex);
  Stream& stream = device.of(handle);
  event->captured_by = stream.captured_by;
  if (stream.captured_by != nullptr) {
    event->nodes = stream.last_nodes;
    return cudaSuccess;
  }
  event->mark = std::make_shared<Mark>();
  stream.tasks.push_back({nullptr, {}, event->mark});
  return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t handle, cudaEvent_t event, unsigned) {
  Device& device = Device::get();
  const std::lock_guard lock(device.mutex);
  Stream& stream = device.of(handle);
  if (event->captured_by != nullptr) {
    if (stream.captured_by != nullptr && stream.captured_by != event->captured_by) {
      return device.remember(cudaErrorStreamCaptureInvalidated);
    }
    stream.captured_by = event->captured_by;
    stream.last_nodes.insert(stream.last_nodes.end(), event->nodes.begin(), event->nodes.end());
    return cudaSuccess;
  }
  if (stream.captured_by != nullptr) return device.remember(cudaErrorStreamCaptureUnsupported);
  if (event->mark != nullptr) stream.tasks.push_back({nullptr, {event->mark}, nullptr});
  return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  Device& device = Device::get();
  const std::lock_guard lock(device.mutex);
  if (event->mark == nullptr) return cudaSuccess;
  return device.work_until([&] { return event->mark->reached; });
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  Device& device = Device::get();
  const std::lock_guard lock(device.mutex);
  return event->mark == nullptr || event->mark->reached ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  Device& device = Device::get();
  const std::lock_guard lock(device.mutex);
  if (start->mark == nullptr || end->mark == nullptr) {
    return device.remember(cudaErrorInvalidResourceHandle);
  }
  if (!start->mark->reached || !end->mark->reached) return cudaErrorNotReady;
  *milliseconds = static_cast<float>(1e3 * (end->mark->seconds - start->mark->seconds));
  return cudaSuccess;
}
