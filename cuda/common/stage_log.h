// How long the stages of ops take, for `lpdm profile`.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <string>
#include <vector>

namespace lpdm::cuda {

// What was measured since it was last taken, by name. Belongs to one backend; one thread.
class StageLog {
 public:
  struct Stage {
    std::string name;
    std::int64_t calls = 0;
    double seconds = 0.0;
  };

  StageLog() = default;
  ~StageLog() { forget(); }
  StageLog(const StageLog&) = delete;
  StageLog& operator=(const StageLog&) = delete;

  // While it is on, what would run side by side runs one after the other.
  void turn_on() { on_ = true; }
  bool on() const { return on_; }

  // Of what is enqueued on the stream from here on until the end of it.
  void begin(const char* name, cudaStream_t stream);
  void end(cudaStream_t stream);

  // Waits for the stages.
  std::vector<Stage> take();

 private:
  struct Span {
    const char* name;
    cudaEvent_t begin, end;
  };
  void forget() noexcept;

  bool on_ = false;
  std::vector<Span> spans_;
};

}  // namespace lpdm::cuda
