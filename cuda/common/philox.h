// The engine's random numbers (lpdm/random.h) on the device: the same integers and uniforms.
#pragma once

#include <Random123/philox.h>
#include <cuda_runtime.h>

#include <cstdint>

#include "lpdm/random.h"

namespace lpdm::cuda {

// Four words of a stream, from number 4 · block on.
__device__ inline r123::Philox4x32::ctr_type philox_words(std::uint64_t seed, const StreamId& id,
                                                          std::uint32_t block) {
  constexpr std::uint32_t kPurposeShift = 24;
  const r123::Philox4x32::ctr_type counter{
      {(static_cast<std::uint32_t>(id.purpose) << kPurposeShift) | block, id.index, id.episode,
       id.step}};
  const r123::Philox4x32::ukey_type key{
      {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)}};
  return r123::Philox4x32{}(counter, key);
}

// draw_below of what RandomStream(seed, id).next_u32() returns when it is called for the
// `number`-th time, from 0.
__device__ inline std::int64_t philox_below(std::uint64_t seed, const StreamId& id,
                                            std::uint32_t number, std::int64_t bound) {
  const std::uint64_t word = philox_words(seed, id, number / 4)[number % 4];
  return static_cast<std::int64_t>((word * static_cast<std::uint64_t>(bound)) >> 32);
}

// What RandomStream(seed, id).uniform() returns when it is called for the `number`-th time, from 0.
__device__ inline double philox_uniform(std::uint64_t seed, const StreamId& id,
                                        std::uint32_t number) {
  constexpr std::uint32_t kPerBlock = 2;  // of four words
  const auto words = philox_words(seed, id, number / kPerBlock);
  const std::uint64_t high = words[2 * (number % kPerBlock)];
  const std::uint64_t low = words[2 * (number % kPerBlock) + 1];
  return static_cast<double>(((high << 32) | low) >> 11) * 0x1.0p-53;
}

}  // namespace lpdm::cuda
