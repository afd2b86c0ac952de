#include "lpdm/random.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <set>

namespace lpdm {
namespace {

// Philox4x32-10 written out from the paper's definition, as a second opinion on the library.
std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::uint64_t seed) {
  std::uint32_t key[2] = {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)};
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t first = 0xD2511F53ULL * counter[0];
    const std::uint64_t second = 0xCD9E8D57ULL * counter[2];
    counter = {static_cast<std::uint32_t>(second >> 32) ^ counter[1] ^ key[0],
               static_cast<std::uint32_t>(second),
               static_cast<std::uint32_t>(first >> 32) ^ counter[3] ^ key[1],
               static_cast<std::uint32_t>(first)};
    key[0] += 0x9E3779B9U;
    key[1] += 0xBB67AE85U;
  }
  return counter;
}

TEST(RandomStream, DrawsPhiloxBlocksInOrder) {
  // The published known answer of the generator itself: zero counter, zero key.
  EXPECT_EQ(philox({0, 0, 0, 0}, 0),
            (std::array<std::uint32_t, 4>{0x6627e8d5U, 0xe169c58dU, 0xbc57ac4cU, 0x9b00dbd8U}));
  constexpr std::uint64_t kSeed = 0x0123456789abcdefULL;
  RandomStream stream(kSeed,
                      {.purpose = StreamPurpose::kAction, .index = 3, .episode = 2, .step = 1});
  for (std::uint32_t block = 0; block < 3; ++block) {
    for (const std::uint32_t word : philox({(3U << 24) | block, 3, 2, 1}, kSeed)) {
      EXPECT_EQ(stream.next_u32(), word);
    }
  }
}

TEST(RandomStream, EveryPartOfTheNameMatters) {
  const auto first = [](std::uint64_t seed, StreamId id) {
    return RandomStream(seed, id).next_u32();
  };
  const StreamPurpose purpose = StreamPurpose::kAction;
  const std::set<std::uint32_t> draws{
      first(0, {purpose}),          first(1, {purpose}),
      first(1ULL << 32, {purpose}), first(0, {StreamPurpose::kLandmarks}),
      first(0, {purpose, 1}),       first(0, {purpose, 0, 1}),
      first(0, {purpose, 0, 0, 1})};
  EXPECT_EQ(draws.size(), 7U);
}

TEST(RandomStream, UniformAndNormalHaveTheirMoments) {
  RandomStream random(1, {.purpose = StreamPurpose::kBenchmark});
  constexpr int kDraws = 200000;
  double sum = 0.0, normal_sum = 0.0, normal_squared = 0.0, normal_fourth = 0.0;
  for (int i = 0; i < kDraws; ++i) {
    const double u = random.uniform();
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    sum += u;
    const double z = random.normal();
    normal_sum += z;
    normal_squared += z * z;
    normal_fourth += z * z * z * z;
  }
  EXPECT_NEAR(sum / kDraws, 0.5, 5.0 * std::sqrt(1.0 / 12.0 / kDraws));
  EXPECT_NEAR(normal_sum / kDraws, 0.0, 5.0 / std::sqrt(kDraws));
  EXPECT_NEAR(normal_squared / kDraws, 1.0, 5.0 * std::sqrt(2.0 / kDraws));
  EXPECT_NEAR(normal_fourth / kDraws, 3.0, 5.0 * std::sqrt(96.0 / kDraws));
}

TEST(RandomStream, UniformRangeIsRespected) {
  RandomStream random(2, {.purpose = StreamPurpose::kBenchmark});
  for (int i = 0; i < 1000; ++i) {
    const double u = random.uniform(-0.05, 0.05);
    ASSERT_GE(u, -0.05);
    ASSERT_LT(u, 0.05);
  }
}

}  // namespace
}  // namespace lpdm
