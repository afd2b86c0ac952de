// The table of functions of the shared object, see core/cuda_interface.h.
#include <algorithm>
#include <cstring>
#include <string_view>

#include "common/device.h"
#include "common/device_backend.h"
#include "core/cuda_interface.h"
#include "lpdm/error.h"

namespace lpdm::cuda {

namespace {

void copy_text(std::string_view text, char* to, std::size_t size) {
  const std::size_t length = std::min(text.size(), size - 1);
  std::memcpy(to, text.data(), length);
  to[length] = '\0';
}

void report(CudaFailure::Kind kind, const char* message, CudaFailure* failure) {
  failure->kind = kind;
  copy_text(message, failure->message, sizeof failure->message);
}

// Runs `work` and reports what it throws; then the result is the type's zero.
template <class Work>
auto guard(CudaFailure* failure, const Work& work) -> decltype(work()) {
  try {
    return work();
  } catch (const UsageError& error) {
    report(CudaFailure::kUsage, error.what(), failure);
  } catch (const NumericalError& error) {
    report(CudaFailure::kNumerical, error.what(), failure);
  } catch (const std::exception& error) {
    report(CudaFailure::kError, error.what(), failure);
  }
  return decltype(work())();
}

DeviceBackend& device(void* backend) { return *static_cast<DeviceBackend*>(backend); }
GraphRecording& graph(void* recording) { return *static_cast<GraphRecording*>(recording); }

CudaInterface make_table() {
  CudaInterface table{};
  table.version = kCudaInterfaceVersion;
  table.layout = kCudaLayout;
  table.status = [](CudaDeviceStatus* status) {
    const DeviceStatus found = device_status();
    status->kind = found.kind;
    copy_text(found.text, status->text, sizeof status->text);
    status->lane_rate = found.lane_rate;
  };
  table.create = [](const CudaOptions* options, CudaFailure* failure) {
    return guard(failure, [&] { return static_cast<void*>(new DeviceBackend(*options)); });
  };
  table.destroy = [](void* backend) { delete &device(backend); };
  table.describe = [](void* backend, char* text, std::size_t size) {
    copy_text(device(backend).description(), text, size);
  };
  table.allocate = [](void* backend, std::size_t bytes, CudaFailure* failure) {
    return guard(failure, [&] { return device(backend).allocate(bytes); });
  };
  table.release = [](void* backend, void* memory, std::size_t bytes) {
    device(backend).release(memory, bytes);
  };
  table.copy_to_device = [](void* backend, void* to, const void* from, std::size_t bytes,
                            CudaFailure* failure) {
    guard(failure, [&] { device(backend).copy_to_device(to, from, bytes); });
  };
  table.copy_to_host = [](void* backend, void* to, const void* from, std::size_t bytes,
                          CudaFailure* failure) {
    guard(failure, [&] { device(backend).copy_to_host(to, from, bytes); });
  };
  table.fill_zero = [](void* backend, void* memory, std::size_t bytes, CudaFailure* failure) {
    guard(failure, [&] { device(backend).fill_zero(memory, bytes); });
  };
  table.peak_bytes = [](void* backend) { return device(backend).peak_bytes(); };
  table.run = [](void* backend, CudaOp op, const void* arguments, CudaFailure* failure) {
    guard(failure, [&] { device(backend).run(op, arguments); });
  };
  return table;
}

// The rest of the table: sequences of ops, and time.
void add_sequences(CudaInterface& table) {
  table.make_recording = [](void*) { return static_cast<void*>(new GraphRecording); };
  table.destroy_recording = [](void*, void* recording) { delete &graph(recording); };
  table.forget_recording = [](void*, void* recording) { graph(recording).forget(); };
  table.begin_recording = [](void* backend, void* recording, std::uint64_t variant,
                             CudaFailure* failure) {
    return guard(failure, [&]() -> std::int32_t {
      return device(backend).begin_recording(graph(recording), variant) ? 1 : 0;
    });
  };
  table.end_recording = [](void* backend, std::int32_t succeeded, CudaFailure* failure) {
    guard(failure, [&] { device(backend).end_recording(succeeded != 0); });
  };
  table.enter_branch = [](void* backend, std::int64_t branch, CudaFailure* failure) {
    guard(failure, [&] { device(backend).enter_branch(static_cast<std::size_t>(branch)); });
  };
  table.leave_branch = [](void* backend) { device(backend).leave_branch(); };
  table.join_branches = [](void* backend, std::int64_t count, CudaFailure* failure) {
    guard(failure, [&] { device(backend).join_branches(static_cast<std::size_t>(count)); });
  };
  table.mark = [](void* backend, CudaFailure* failure) {
    return guard(failure, [&] { return device(backend).mark(); });
  };
  table.seconds_between = [](void* backend, std::uint64_t first, std::uint64_t second,
                             CudaFailure* failure) {
    return guard(failure, [&] { return device(backend).seconds_between(first, second); });
  };
  table.time_stages = [](void* backend) { device(backend).stages().turn_on(); };
  table.take_stages = [](void* backend, CudaStage* stages, std::int64_t capacity,
                         CudaFailure* failure) {
    return guard(failure, [&] {
      const std::vector<StageLog::Stage> taken = device(backend).stages().take();
      for (std::size_t s = 0; s < taken.size() && s < static_cast<std::size_t>(capacity); ++s) {
        copy_text(taken[s].name, stages[s].name, sizeof stages[s].name);
        stages[s].calls = taken[s].calls;
        stages[s].seconds = taken[s].seconds;
      }
      return static_cast<std::int64_t>(taken.size());
    });
  };
}

}  // namespace

}  // namespace lpdm::cuda

extern "C" __attribute__((visibility("default"))) const lpdm::CudaInterface* lpdm_cuda_interface() {
  static const lpdm::CudaInterface table = [] {
    lpdm::CudaInterface made = lpdm::cuda::make_table();
    lpdm::cuda::add_sequences(made);
    return made;
  }();
  return &table;
}
