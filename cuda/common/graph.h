// Sequences of ops as CUDA Graphs.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <map>

#include "common/context.h"

namespace lpdm::cuda {

// Belongs to one owner of buffers; see Recording in lpdm/backend.h. A sequence runs op by op the
// first time, so that all scratch memory is there, is captured into a graph the second time, and
// replayed from then on. Where scratch memory has moved since, it is captured anew.
class GraphRecording {
 public:
  GraphRecording() = default;
  ~GraphRecording() { forget(); }
  GraphRecording(const GraphRecording&) = delete;
  GraphRecording& operator=(const GraphRecording&) = delete;

  // Enqueues the graph of `variant`, or says that its ops are to be run between here and end.
  bool begin(std::uint64_t variant, Context& context, Shared& shared);
  void end(Context& context, Shared& shared, bool succeeded);
  void forget() noexcept;

 private:
  struct Sequence {
    cudaGraphExec_t graph = nullptr;  // null: has run once, op by op
    std::uint64_t generation = 0;     // of the scratch memory that it uses
  };
  static void destroy(Sequence& sequence) noexcept;

  std::map<std::uint64_t, Sequence> sequences_;
  Sequence* captured_ = nullptr;  // that is being captured
};

}  // namespace lpdm::cuda
