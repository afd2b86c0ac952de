// Memory that one op fills for later ones: it belongs to an array of the caller's and lives as
// long.
//
// Outputs that the forward pass has packed belong to the outputs, distances that the target's
// statistics have formed to the network's inputs. Work of another size has memory of its own, so
// that what a recorded update works on stays where it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/memory.h"

namespace lpdm::cuda {

// Belongs to one backend; one thread.
class KeptMemory {
 public:
  // What is kept, of whom.
  struct Key {
    const void* owner = nullptr;
    std::int64_t rows = 0, width = 0;
    int form = 0;  // where one owner has several of a size
    bool operator==(const Key&) const = default;
  };

  // recording: whether ops are being recorded, when nothing can be allocated.
  KeptMemory(DeviceMemory& memory, const bool& recording)
      : memory_(memory), recording_(recording) {}
  ~KeptMemory();
  KeptMemory(const KeptMemory&) = delete;
  KeptMemory& operator=(const KeptMemory&) = delete;

  // Null: there is none.
  void* find(const Key& key) const;
  // What find gives, made if there is none, of whatever contents. A key always has one size. Throws
  // Error if there is none while ops are being recorded.
  void* reserve(const Key& key, std::size_t bytes);
  // The owners in this memory are about to be released.
  void forget(const void* memory, std::size_t bytes) noexcept;

 private:
  struct Piece {
    Key key;
    void* data = nullptr;
    std::size_t bytes = 0;
  };

  DeviceMemory& memory_;
  const bool& recording_;
  std::vector<Piece> pieces_;
};

}  // namespace lpdm::cuda
