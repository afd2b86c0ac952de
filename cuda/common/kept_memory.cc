#include "common/kept_memory.h"

#include <functional>

#include "lpdm/error.h"

namespace lpdm::cuda {

KeptMemory::~KeptMemory() {
  for (const Piece& piece : pieces_) memory_.release(piece.data, piece.bytes);
}

void* KeptMemory::find(const Key& key) const {
  for (const Piece& piece : pieces_) {
    if (piece.key == key) return piece.data;
  }
  return nullptr;
}

void* KeptMemory::reserve(const Key& key, std::size_t bytes) {
  if (void* data = find(key)) return data;
  if (recording_) throw Error("an op asked for more memory to keep while being recorded");
  pieces_.push_back({key, memory_.allocate(bytes), bytes});
  return pieces_.back().data;
}

void KeptMemory::forget(const void* memory, std::size_t bytes) noexcept {
  const auto* begin = static_cast<const char*>(memory);
  std::erase_if(pieces_, [&](const Piece& piece) {
    const auto* at = static_cast<const char*>(piece.key.owner);
    const bool inside = !std::less<>{}(at, begin) && std::less<>{}(at, begin + bytes);
    if (inside) memory_.release(piece.data, piece.bytes);
    return inside;
  });
}

}  // namespace lpdm::cuda
