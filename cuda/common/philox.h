// The engine's random numbers (lpdm/random.h) on the device: the same integers and uniforms.
#pragma once

#include <Random123/philox.h>
#include <cuda_runtime.h>

#include <cstdint>

#include "lpdm/random.h"

namespace lpdm::cuda {

// What RandomStream(seed, id).uniform() returns when it is called for the `number`-th time, from 0.
__device__ inline double philox_uniform(std::uint64_t seed, const StreamId& id,
                                        std::uint32_t number) {
  constexpr std::uint32_t kPurposeShift = 24;
  constexpr std::uint32_t kPerBlock = 2;  // of four words
  const r123::Philox4x32::ctr_type counter{
      {(static_cast<std::uint32_t>(id.purpose) << kPurposeShift) | (number / kPerBlock), id.index,
       id.episode, id.step}};
  const r123::Philox4x32::ukey_type key{
      {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)}};
  const auto words = r123::Philox4x32{}(counter, key);
  const std::uint64_t high = words[2 * (number % kPerBlock)];
  const std::uint64_t low = words[2 * (number % kPerBlock) + 1];
  return static_cast<double>(((high << 32) | low) >> 11) * 0x1.0p-53;
}

}  // namespace lpdm::cuda
