#include "common/graph.h"

#include <utility>

#include "common/checks.h"

namespace lpdm::cuda {

bool GraphRecording::begin(std::uint64_t variant, Context& context, Shared& shared) {
  const auto [found, is_new] = sequences_.try_emplace(variant);
  if (is_new) return true;
  Sequence& sequence = found->second;
  if (sequence.graph != nullptr && sequence.generation == context.generation()) {
    check(cudaGraphLaunch(sequence.graph, context.stream), "the start of an update");
    return false;
  }
  destroy(sequence);
  context.settle();
  sequence.generation = context.generation();
  check(cudaStreamBeginCapture(context.stream, cudaStreamCaptureModeThreadLocal),
        "the recording of an update");
  shared.recording = true;
  captured_ = &sequence;
  return true;
}

void GraphRecording::end(Context& context, Shared& shared, bool succeeded) {
  if (captured_ == nullptr) return;
  Sequence& sequence = *std::exchange(captured_, nullptr);
  shared.recording = false;
  cudaGraph_t graph = nullptr;
  const cudaError_t status = cudaStreamEndCapture(context.stream, &graph);
  if (!succeeded) {
    if (graph != nullptr) cudaGraphDestroy(graph);
    cudaGetLastError();  // of a capture that was cut off; the op's own error has been reported
    return;
  }
  check(status, "the recording of an update");
  const cudaError_t made = cudaGraphInstantiate(&sequence.graph, graph, 0);
  cudaGraphDestroy(graph);
  check(made, "the making of a graph");
  check(cudaGraphLaunch(sequence.graph, context.stream), "the start of an update");
}

void GraphRecording::destroy(Sequence& sequence) noexcept {
  if (sequence.graph != nullptr) cudaGraphExecDestroy(sequence.graph);
  sequence.graph = nullptr;
}

void GraphRecording::forget() noexcept {
  for (auto& [variant, sequence] : sequences_) destroy(sequence);
  sequences_.clear();
}

}  // namespace lpdm::cuda
