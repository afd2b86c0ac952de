#include "common/memory.h"

#include <cuda_runtime.h>
#include <fmt/format.h>

#include <algorithm>

#include "common/checks.h"
#include "lpdm/error.h"

namespace lpdm::cuda {

namespace {

constexpr std::size_t kAlignment = 256;
constexpr std::size_t kSmallestBlock = 1 << 16;

std::size_t aligned(std::size_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace

void* DeviceMemory::allocate(std::size_t bytes) {
  void* memory = nullptr;
  const cudaError_t status = cudaMalloc(&memory, std::max<std::size_t>(bytes, 1));
  if (status == cudaErrorMemoryAllocation) {
    throw_out_of_memory(
        fmt::format("{} bytes more than the {} that this run holds", bytes, current_));
  }
  check(status, "an allocation of memory");
  current_ += bytes;
  peak_ = std::max(peak_, current_);
  return memory;
}

void DeviceMemory::release(void* memory, std::size_t bytes) noexcept {
  if (memory == nullptr) return;
  cudaFree(memory);  // fails only where the device is lost, and its memory with it
  current_ -= bytes;
}

ScratchArena::~ScratchArena() { release_blocks(); }

void ScratchArena::release_blocks() noexcept {
  for (const Block& block : blocks_) memory_.release(block.data, block.bytes);
  blocks_.clear();
}

void ScratchArena::restart(bool recording) {
  recording_ = recording;
  block_ = 0;
  offset_ = 0;
  if (recording || blocks_.size() < 2) return;
  std::size_t total = 0;
  for (const Block& block : blocks_) total += block.bytes;
  release_blocks();
  ++generation_;
  blocks_.push_back({memory_.allocate(total), total});
}

void* ScratchArena::get(std::size_t bytes) {
  const std::size_t size = aligned(bytes);
  while (block_ < blocks_.size() && offset_ + size > blocks_[block_].bytes) {
    ++block_;
    offset_ = 0;
  }
  if (block_ == blocks_.size()) {
    if (recording_) throw Error("an op asked for more scratch memory while being recorded");
    const std::size_t block = std::max(size, kSmallestBlock);
    blocks_.push_back({memory_.allocate(block), block});
  }
  void* piece = static_cast<char*>(blocks_[block_].data) + offset_;
  offset_ += size;
  return piece;
}

}  // namespace lpdm::cuda
