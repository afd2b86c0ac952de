// Device memory that is counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lpdm::cuda {

// Counts what the backend holds, scratch memory and workspaces of libraries included. One thread.
class DeviceMemory {
 public:
  // At least 256-byte aligned. Throws Error with the numbers if the device has not that much left.
  void* allocate(std::size_t bytes);
  void release(void* memory, std::size_t bytes) noexcept;
  std::size_t peak_bytes() const { return peak_; }

 private:
  std::size_t current_ = 0;
  std::size_t peak_ = 0;
};

// Scratch memory of the ops of one stream. Each op starts from the beginning, so that it shares its
// memory with the ops before it on that stream. Ops that ask for the same sizes in the same order
// get the same addresses, as long as `generation` is the same.
class ScratchArena {
 public:
  explicit ScratchArena(DeviceMemory& memory) : memory_(memory) {}
  ~ScratchArena();
  ScratchArena(const ScratchArena&) = delete;
  ScratchArena& operator=(const ScratchArena&) = delete;

  // An op begins. Unless the stream is being recorded, pieces become one block of their size.
  void restart(bool recording);
  // Uninitialised, 256-byte aligned. Throws Error if it would have to grow while being recorded.
  void* get(std::size_t bytes);

  std::uint64_t generation() const { return generation_; }

 private:
  struct Block {
    void* data = nullptr;
    std::size_t bytes = 0;
  };
  void release_blocks() noexcept;

  DeviceMemory& memory_;
  std::vector<Block> blocks_;
  std::size_t block_ = 0;   // that the next piece is cut from
  std::size_t offset_ = 0;  // of the next piece in it
  bool recording_ = false;
  std::uint64_t generation_ = 0;
};

}  // namespace lpdm::cuda
