// The engine's random numbers (lpdm/random.h) on the device: the same integers.
#pragma once

#include <Random123/philox.h>
#include <cuda_runtime.h>

#include <cstdint>

#include "lpdm/random.h"

namespace lpdm::cuda {

// draw_below of what RandomStream(seed, id).next_u32() returns when it is called for the
// `number`-th time, from 0.
__device__ inline std::int64_t philox_below(std::uint64_t seed, const StreamId& id,
                                            std::uint32_t number, std::int64_t bound) {
  constexpr std::uint32_t kPurposeShift = 24;
  constexpr std::uint32_t kPerBlock = 4;
  const r123::Philox4x32::ctr_type counter{
      {(static_cast<std::uint32_t>(id.purpose) << kPurposeShift) | (number / kPerBlock), id.index,
       id.episode, id.step}};
  const r123::Philox4x32::ukey_type key{
      {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)}};
  const std::uint64_t word = r123::Philox4x32{}(counter, key)[number % kPerBlock];
  return static_cast<std::int64_t>((word * static_cast<std::uint64_t>(bound)) >> 32);
}

}  // namespace lpdm::cuda
