#include "common/context.h"

#include "common/checks.h"

namespace lpdm::cuda {

namespace {

// As cuBLAS asks for by itself before Hopper; a fixed workspace keeps results equal and lets a
// graph be recorded.
constexpr std::size_t kWorkspaceBytes = 4 << 20;

cudaStream_t make_stream() {
  cudaStream_t stream = nullptr;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "the making of a stream");
  return stream;
}

}  // namespace

Context::Context(Shared& shared)
    : stream(make_stream()),
      device(shared.device),
      arithmetic(shared.arithmetic),
      memory_budget(shared.memory_budget),
      shared_(shared),
      arena_(shared.memory) {
  check(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming), "the making of an event");
}

Context::~Context() {
  sides_.clear();
  if (blas_ != nullptr) cublasDestroy(blas_);
  shared_.memory.release(workspace_, kWorkspaceBytes);
  if (event_ != nullptr) cudaEventDestroy(event_);
  cudaStreamDestroy(stream);
}

cublasHandle_t Context::blas() {
  if (blas_ != nullptr) return blas_;
  if (workspace_ == nullptr) workspace_ = shared_.memory.allocate(kWorkspaceBytes);
  check(cublasCreate(&blas_), "its start");
  check(cublasSetStream(blas_, stream), "a stream");
  check(cublasSetWorkspace(blas_, workspace_, kWorkspaceBytes), "a workspace");
  check(cublasSetMathMode(blas_, CUBLAS_PEDANTIC_MATH), "float32 arithmetic");
  return blas_;
}

Context& Context::side(std::size_t index) {
  while (sides_.size() <= index) sides_.push_back(std::make_unique<Context>(shared_));
  return *sides_[index];
}

void Context::settle() {
  arena_.restart(false);
  for (const auto& side : sides_) side->settle();
}

std::uint64_t Context::generation() const {
  std::uint64_t sum = arena_.generation();
  for (const auto& side : sides_) sum += side->generation();
  return sum;
}

}  // namespace lpdm::cuda
