// The backend on the device's side of the table in core/cuda_interface.h. Functions throw; the
// table turns exceptions into CudaFailure.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/context.h"
#include "common/graph.h"
#include "common/staging.h"
#include "core/cuda_interface.h"

namespace lpdm::cuda {

class DeviceBackend {
 public:
  // Throws UsageError or Error if there is no GPU that can be used.
  explicit DeviceBackend(const CudaOptions& options);
  ~DeviceBackend();
  DeviceBackend(const DeviceBackend&) = delete;
  DeviceBackend& operator=(const DeviceBackend&) = delete;

  std::string description() const;

  void* allocate(std::size_t bytes);
  void release(void* memory, std::size_t bytes) noexcept;
  void copy_to_device(void* to, const void* from, std::size_t bytes);
  void copy_to_host(void* to, const void* from, std::size_t bytes);
  void fill_zero(void* memory, std::size_t bytes);
  std::size_t peak_bytes() const { return shared_.memory.peak_bytes(); }

  void run(CudaOp op, const void* arguments);

  bool begin_recording(GraphRecording& recording, std::uint64_t variant);
  void end_recording(bool succeeded);

  void enter_branch(std::size_t branch);
  void leave_branch() { branches_.pop_back(); }
  void join_branches(std::size_t count);

  std::uint64_t mark();
  double seconds_between(std::uint64_t first, std::uint64_t second);

  StageLog& stages() { return shared_.stages; }

 private:
  Context& current() { return branches_.empty() ? *main_ : *branches_.back(); }
  void require_direct(const char* what) const;
  cudaEvent_t event_of(std::uint64_t mark) const;

  Shared shared_;
  std::unique_ptr<Context> main_;
  std::vector<Context*> branches_;  // entered and not left
  Staging staging_;
  GraphRecording* recording_ = nullptr;  // begun and not ended
  std::vector<cudaEvent_t> marks_;       // the latest ones, by their number modulo the size
  std::uint64_t mark_count_ = 0;
};

}  // namespace lpdm::cuda
