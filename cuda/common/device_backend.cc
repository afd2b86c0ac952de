#include "common/device_backend.h"

#include <fmt/format.h>

#include <utility>

#include "common/checks.h"
#include "common/device.h"
#include "common/fork.h"
#include "common/op_table.h"
#include "common/range.h"
#include "lpdm/error.h"

namespace lpdm::cuda {

namespace {

constexpr std::size_t kMarks = 4096;

void require_device() {
  const DeviceStatus status = device_status();
  if (status.kind == CudaDeviceStatus::kNone) throw UsageError("device cuda: " + status.text);
  if (status.kind == CudaDeviceStatus::kUnsuitable) throw Error("device cuda: " + status.text);
}

// The library is the machine's own: what it promises about results is its major version's.
void require_blas() {
  int version = 0;
  check(cublasGetProperty(MAJOR_VERSION, &version), "the question for its version");
  constexpr int kBuiltWith = CUBLAS_VERSION / 10000;
  if (version == kBuiltWith) return;
  throw Error(fmt::format(
      "the CUDA backend was built with cuBLAS {} and found cuBLAS {}; install the libraries of "
      "CUDA {}",
      kBuiltWith, version, kBuiltWith));
}

}  // namespace

DeviceBackend::DeviceBackend(const CudaOptions& options) {
  require_device();
  require_blas();
  shared_.device = device_properties();
  shared_.arithmetic =
      resolve_arithmetic(static_cast<Arithmetic>(options.arithmetic), shared_.device.architecture);
  // What the second-level cache holds is the faster way, and no memory to speak of.
  shared_.memory_budget = options.distance_bytes > 0
                              ? static_cast<std::size_t>(options.distance_bytes)
                              : shared_.device.cache / 2;
  main_ = std::make_unique<Context>(shared_);
  main_->blas();  // a GPU without memory for it is to be named before a run begins
}

DeviceBackend::~DeviceBackend() {
  cudaStreamSynchronize(main_->stream);
  for (const cudaEvent_t event : marks_) cudaEventDestroy(event);
}

std::string DeviceBackend::description() const {
  return fmt::format("{}, {}", device_text(shared_.device), arithmetic_name(shared_.arithmetic));
}

void DeviceBackend::require_direct(const char* what) const {
  if (!shared_.recording) return;
  throw Error(fmt::format("{} cannot be part of a recorded update", what));
}

void* DeviceBackend::allocate(std::size_t bytes) {
  require_direct("an allocation");
  return shared_.memory.allocate(bytes);
}

void DeviceBackend::release(void* memory, std::size_t bytes) noexcept {
  shared_.kept.forget(memory, bytes);
  shared_.memory.release(memory, bytes);
}

void DeviceBackend::copy_to_device(void* to, const void* from, std::size_t bytes) {
  require_direct("a copy from the host");
  staging_.copy_to_device(to, from, bytes, current().stream);
}

void DeviceBackend::copy_to_host(void* to, const void* from, std::size_t bytes) {
  require_direct("a copy to the host");
  staging_.copy_to_host(to, from, bytes, current().stream);
}

void DeviceBackend::fill_zero(void* memory, std::size_t bytes) {
  if (bytes == 0) return;
  check(cudaMemsetAsync(memory, 0, bytes, current().stream), "the clearing of memory");
}

void DeviceBackend::run(CudaOp op, const void* arguments) {
  const OpEntry& entry = op_entry(op);
  const Range range(entry.name);
  Context& context = current();
  context.begin_op();
  entry.run(context, arguments);
}

bool DeviceBackend::begin_recording(GraphRecording& recording, std::uint64_t variant) {
  if (recording_ != nullptr) throw Error("a recording was begun within another one");
  const Range range("recorded ops");
  const bool run_ops = recording.begin(variant, *main_, shared_);
  if (run_ops) recording_ = &recording;
  return run_ops;
}

void DeviceBackend::end_recording(bool succeeded) {
  std::exchange(recording_, nullptr)->end(*main_, shared_, succeeded);
}

void DeviceBackend::enter_branch(std::size_t branch) {
  branches_.push_back(&fork(current(), branch));
}

void DeviceBackend::join_branches(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) join(current(), current().side(i));
}

std::uint64_t DeviceBackend::mark() {
  require_direct("a mark");
  if (marks_.size() < kMarks) {
    cudaEvent_t event = nullptr;
    check(cudaEventCreate(&event), "the making of an event");
    marks_.push_back(event);
  }
  const std::uint64_t number = mark_count_++;
  check(cudaEventRecord(marks_[number % kMarks], current().stream), "a mark");
  return number;
}

cudaEvent_t DeviceBackend::event_of(std::uint64_t mark) const {
  if (mark >= mark_count_ || mark + kMarks < mark_count_) {
    throw Error(
        fmt::format("mark {} was asked for, of which only the latest {} are kept", mark, kMarks));
  }
  return marks_[mark % kMarks];
}

double DeviceBackend::seconds_between(std::uint64_t first, std::uint64_t second) {
  const cudaEvent_t start = event_of(first), end = event_of(second);
  float milliseconds = 0.0F;
  check(cudaEventSynchronize(end), "the wait for a mark");
  check(cudaEventElapsedTime(&milliseconds, start, end), "the time between two marks");
  return 1e-3 * milliseconds;
}

}  // namespace lpdm::cuda
