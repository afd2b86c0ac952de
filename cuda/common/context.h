// What every CUDA op needs: the stream that it enqueues on, scratch memory, cuBLAS, the device.
//
// An op only enqueues: it neither waits for the device nor reads its memory. N is read by the
// kernels (*rows.count); grids are sized by rows.capacity, and blocks past N have nothing to do.
// Rows N .. capacity of every delta and activation that an op produces are written as zero, so that
// products over `capacity` rows are right.
#pragma once

#include <cublas_v2.h>
#include <cuda_runtime.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/kept_memory.h"
#include "common/memory.h"
#include "common/stage_log.h"
#include "lpdm/config.h"

namespace lpdm::cuda {

struct DeviceProperties {
  std::string name;
  int architecture = 0;  // 90 for compute capability 9.0
  int multiprocessors = 0;
  double clock = 0.0;                // [Hz], the boost clock
  std::size_t memory = 0;            // [byte]
  std::size_t cache = 0;             // [byte], of the second level
  std::size_t shared_per_block = 0;  // [byte], the most a block can ask for
};

// What the contexts of one backend have in common.
struct Shared {
  DeviceProperties device;
  DeviceMemory memory;
  Arithmetic arithmetic = Arithmetic::kFp32;  // never kAuto
  std::size_t memory_budget = 0;  // [byte], that may be used to keep distances between passes
  bool recording = false;         // ops are being recorded into a graph
  KeptMemory kept{memory, recording};
  StageLog stages;
};

// One stream with its scratch memory. Side streams are contexts of their own (fork.h). One thread.
class Context {
 public:
  explicit Context(Shared& shared);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  // Enqueue on it; do not wait for it.
  const cudaStream_t stream;
  const DeviceProperties& device;
  const Arithmetic arithmetic;
  const std::size_t memory_budget;

  // Bound to the stream, with a workspace of its own, in float32 without tensor cores' rounding.
  cublasHandle_t blas();

  // Uninitialised memory for `count` elements until the end of the op; a count of 0 is one.
  template <class T>
  T* scratch(std::int64_t count) {
    const auto elements = static_cast<std::size_t>(std::max<std::int64_t>(count, 1));
    return static_cast<T*>(arena_.get(elements * sizeof(T)));
  }

  // What ops leave for later ones.
  KeptMemory& kept() { return shared_.kept; }

  // Called by the backend before each op, and by fork_join for the side streams.
  void begin_op() { arena_.restart(shared_.recording); }

  // Puts the pieces of all scratch memory together, before ops are recorded.
  void settle();

  // The side stream `index`, made when it is first asked for.
  Context& side(std::size_t index);
  // Recorded in this stream's order, to be waited for by another one.
  cudaEvent_t event() const { return event_; }

  // Runs a part of an op, which `lpdm profile` times for itself under this name.
  template <class Run>
  void stage(const char* name, const Run& run) {
    if (profiled()) shared_.stages.begin(name, stream);
    run();
    if (profiled()) shared_.stages.end(stream);
  }
  bool profiled() const { return shared_.stages.on(); }

  // Of all scratch memory, side streams included: as long as it is the same, so are addresses.
  std::uint64_t generation() const;

 private:
  Shared& shared_;
  ScratchArena arena_;
  cudaEvent_t event_ = nullptr;
  cublasHandle_t blas_ = nullptr;
  void* workspace_ = nullptr;
  std::vector<std::unique_ptr<Context>> sides_;
};

}  // namespace lpdm::cuda
