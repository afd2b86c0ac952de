#include "common/staging.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "common/checks.h"
#include "lpdm/error.h"

namespace lpdm::cuda {

namespace {

constexpr const char* kToDevice = "a copy to the GPU";
constexpr const char* kToHost = "a copy from the GPU";
constexpr std::size_t kFewestBytes = 64 << 10;
constexpr std::size_t kMostBytes = 8 << 20;  // more gains nothing: copies are cut into such pieces

}  // namespace

Staging::~Staging() {
  for (Buffer& buffer : buffers_) {
    if (buffer.free != nullptr) {
      cudaEventSynchronize(buffer.free);
      cudaEventDestroy(buffer.free);
    }
    if (buffer.data != nullptr) cudaFreeHost(buffer.data);
  }
}

Staging::Buffer& Staging::next(std::size_t bytes) {
  Buffer& buffer = buffers_[turn_++ % 2];
  if (buffer.free == nullptr) {
    check(cudaEventCreateWithFlags(&buffer.free, cudaEventDisableTiming), "the making of an event");
  } else {
    check(cudaEventSynchronize(buffer.free), kToDevice);
  }
  const std::size_t wanted = std::clamp(std::bit_ceil(bytes), kFewestBytes, kMostBytes);
  if (buffer.bytes < wanted) {
    if (buffer.data != nullptr) cudaFreeHost(buffer.data);
    buffer.data = nullptr;
    buffer.bytes = 0;
    const cudaError_t status = cudaMallocHost(&buffer.data, wanted);
    if (status == cudaErrorMemoryAllocation) {
      cudaGetLastError();  // or the next call would report it again
      throw Error(fmt::format(
          "this machine has no {} bytes of pinned memory left for copies to and from the GPU; end "
          "other programs",
          wanted));
    }
    check(status, "an allocation of pinned memory");
    buffer.bytes = wanted;
  }
  return buffer;
}

void Staging::copy_to_device(void* to, const void* from, std::size_t bytes, cudaStream_t stream) {
  for (std::size_t done = 0; done < bytes;) {
    Buffer& buffer = next(bytes - done);
    const std::size_t piece = std::min(bytes - done, buffer.bytes);
    std::memcpy(buffer.data, static_cast<const char*>(from) + done, piece);
    check(cudaMemcpyAsync(static_cast<char*>(to) + done, buffer.data, piece, cudaMemcpyHostToDevice,
                          stream),
          kToDevice);
    check(cudaEventRecord(buffer.free, stream), kToDevice);
    done += piece;
  }
}

void Staging::copy_to_host(void* to, const void* from, std::size_t bytes, cudaStream_t stream) {
  for (std::size_t done = 0; done < bytes;) {
    Buffer& buffer = next(bytes - done);
    const std::size_t piece = std::min(bytes - done, buffer.bytes);
    check(cudaMemcpyAsync(buffer.data, static_cast<const char*>(from) + done, piece,
                          cudaMemcpyDeviceToHost, stream),
          kToHost);
    check(cudaStreamSynchronize(stream), kToHost);
    std::memcpy(static_cast<char*>(to) + done, buffer.data, piece);
    done += piece;
  }
}

}  // namespace lpdm::cuda
