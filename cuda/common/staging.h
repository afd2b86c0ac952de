// Copies between host and device through pinned memory: from the host they return as soon as the
// source may be overwritten, while the device is still being written.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>

namespace lpdm::cuda {

class Staging {
 public:
  Staging() = default;
  ~Staging();
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  void copy_to_device(void* to, const void* from, std::size_t bytes, cudaStream_t stream);
  // Waits for all that was enqueued on the stream.
  void copy_to_host(void* to, const void* from, std::size_t bytes, cudaStream_t stream);

 private:
  // Two of them: while the device reads one, the host fills the other.
  struct Buffer {
    void* data = nullptr;
    std::size_t bytes = 0;
    cudaEvent_t free = nullptr;  // the device has done with it
  };
  // At least `bytes` of memory, or kMostBytes, that nobody uses any more.
  Buffer& next(std::size_t bytes);

  Buffer buffers_[2];
  std::size_t turn_ = 0;
};

}  // namespace lpdm::cuda
