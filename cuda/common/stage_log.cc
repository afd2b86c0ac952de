#include "common/stage_log.h"

#include <algorithm>

#include "common/checks.h"

namespace lpdm::cuda {

void StageLog::begin(const char* name, cudaStream_t stream) {
  Span& span = spans_.emplace_back(Span{name, nullptr, nullptr});
  check(cudaEventCreate(&span.begin), "the making of an event");
  check(cudaEventCreate(&span.end), "the making of an event");
  check(cudaEventRecord(span.begin, stream), "the start of a stage");
}

void StageLog::end(cudaStream_t stream) {
  check(cudaEventRecord(spans_.back().end, stream), "the end of a stage");
}

std::vector<StageLog::Stage> StageLog::take() {
  std::vector<Stage> stages;
  for (const Span& span : spans_) {
    float milliseconds = 0.0F;
    check(cudaEventSynchronize(span.end), "the wait for a stage");
    check(cudaEventElapsedTime(&milliseconds, span.begin, span.end), "the time of a stage");
    auto found = std::ranges::find(stages, span.name, &Stage::name);
    if (found == stages.end()) found = stages.insert(stages.end(), Stage{.name = span.name});
    ++found->calls;
    found->seconds += 1e-3 * milliseconds;
  }
  forget();
  return stages;
}

void StageLog::forget() noexcept {
  for (const Span& span : spans_) {
    if (span.begin != nullptr) cudaEventDestroy(span.begin);
    if (span.end != nullptr) cudaEventDestroy(span.end);
  }
  spans_.clear();
}

}  // namespace lpdm::cuda
