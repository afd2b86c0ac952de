// Outputs of dense layers, kept packed beside them for the local loss that follows.
//
// The forward pass writes both at once. A packed copy belongs to an output and a capacity: an
// update of another size has one of its own. It lives as long as the output.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/memory.h"
#include "lpdm/config.h"
#include "pairs/pair_domain.h"

namespace lpdm::cuda {

struct PackedOutput {
  const float* output = nullptr;
  std::int64_t dim = 0;
  std::int64_t capacity = 0;
  Arithmetic arithmetic = Arithmetic::kFp32;  // of its words
  PackedRows rows;
  std::uint32_t* words = nullptr;  // of `rows`, to be written
  std::size_t bytes = 0;

  bool is_of(const float* values, std::int64_t width, std::int64_t room, Arithmetic of) const {
    return output == values && dim == width && capacity == room && arithmetic == of;
  }
};

// Belongs to one backend; one thread.
class PackedOutputs {
 public:
  explicit PackedOutputs(DeviceMemory& memory) : memory_(memory) {}
  ~PackedOutputs();
  PackedOutputs(const PackedOutputs&) = delete;
  PackedOutputs& operator=(const PackedOutputs&) = delete;

  // The copy of these rows; null: there is none.
  const PackedRows* find(const float* output, std::int64_t dim, std::int64_t capacity,
                         Arithmetic arithmetic) const;
  // That, made if there is none, of whatever contents.
  const PackedOutput& reserve(const float* output, std::int64_t dim, std::int64_t capacity,
                              Arithmetic arithmetic);
  // The memory is about to be released.
  void forget(const void* memory, std::size_t bytes) noexcept;

 private:
  DeviceMemory& memory_;
  std::vector<PackedOutput> outputs_;
};

}  // namespace lpdm::cuda
