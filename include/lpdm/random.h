// Counter-based random numbers: Philox4x32-10 (Salmon et al., SC 2011), through Random123.
//
// A stream is named by what it is for, not by who draws first, so results do not depend on the
// number of threads, on the number of environments stepped together, or on call order.
#pragma once

#include <array>
#include <cstdint>

namespace lpdm {

// What a stream is drawn for. The numbers are part of the checkpoint format: never reuse one.
enum class StreamPurpose : std::uint32_t {
  kInitialWeights = 1,
  kEnvironmentReset = 2,
  kAction = 3,
  kLandmarks = 4,
  kEvaluationReset = 5,
  kEvaluationAction = 6,
  kBenchmark = 7,
  kMinibatches = 8,
};

// The name of one stream under a seed. `index`: environment or layer; `episode`: its episode or the
// iteration; `step`: the step within the episode, or a running number. Unused fields stay 0.
struct StreamId {
  StreamPurpose purpose;
  std::uint32_t index = 0;
  std::uint32_t episode = 0;
  std::uint32_t step = 0;
};

// A sequence of up to 2^26 32-bit draws. Plain value: copying it copies the position.
class RandomStream {
 public:
  RandomStream(std::uint64_t seed, const StreamId& id);

  std::uint32_t next_u32();
  // Uniform on [0, 1) with 53 random bits; consumes two draws.
  double uniform();
  // low + (high - low) * uniform(), rounded once per operation.
  double uniform(double low, double high);
  // Standard normal by Box-Muller; consumes four draws (no value is kept between calls).
  double normal();

 private:
  std::uint64_t seed_;
  StreamId id_;
  std::uint32_t block_ = 0;     // index of the next Philox block
  std::uint32_t position_ = 4;  // next unread word of words_; 4: none left
  std::array<std::uint32_t, 4> words_{};
};

// An integer of [0, bound) made of a draw, bound at most 2^32. No two integers' probabilities
// differ by more than 2^-32.
constexpr std::int64_t draw_below(std::uint32_t draw, std::int64_t bound) {
  return static_cast<std::int64_t>(
      (static_cast<std::uint64_t>(draw) * static_cast<std::uint64_t>(bound)) >> 32);
}

}  // namespace lpdm
