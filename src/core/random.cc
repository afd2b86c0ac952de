#include "lpdm/random.h"

#include <Random123/philox.h>

#include <cmath>
#include <numbers>

namespace lpdm {

namespace {
constexpr std::uint32_t kPurposeShift =
    24;  // the top byte of word 0 is the purpose, the rest the block
}  // namespace

RandomStream::RandomStream(std::uint64_t seed, const StreamId& id) : seed_(seed), id_(id) {}

std::uint32_t RandomStream::next_u32() {
  if (position_ == words_.size()) {
    const r123::Philox4x32::ctr_type counter{
        {(static_cast<std::uint32_t>(id_.purpose) << kPurposeShift) | block_, id_.index,
         id_.episode, id_.step}};
    const r123::Philox4x32::ukey_type key{
        {static_cast<std::uint32_t>(seed_), static_cast<std::uint32_t>(seed_ >> 32)}};
    const auto block = r123::Philox4x32{}(counter, key);
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] = block[i];
    ++block_;
    position_ = 0;
  }
  return words_[position_++];
}

double RandomStream::uniform() {
  const std::uint64_t high = next_u32();
  const std::uint64_t low = next_u32();
  return static_cast<double>(((high << 32) | low) >> 11) * 0x1.0p-53;
}

double RandomStream::uniform(double low, double high) { return low + (high - low) * uniform(); }

double RandomStream::normal() {
  const double radius = std::sqrt(-2.0 * std::log1p(-uniform()));  // 1 - u lies in (0, 1]
  return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

}  // namespace lpdm
