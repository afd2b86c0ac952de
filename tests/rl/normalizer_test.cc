#include "rl/normalizer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "lpdm/error.h"

namespace lpdm {
namespace {

Config normalizing_config() {
  Config config;
  config.env.normalize_observations = true;
  config.env.normalize_rewards = true;
  config.algorithm.discount = 0.5;
  return config;
}

std::vector<float> normalized(const Normalizer& normalizer, const std::vector<float>& raw) {
  std::vector<float> result(raw.size());
  normalizer.normalize(raw, result);
  return result;
}

TEST(Normalizer, OffChangesNothing) {
  Normalizer normalizer(Config{}, 2);
  SequenceMoments sequence = normalizer.make_sequence();
  double discounted = 0.0;
  normalizer.note(sequence, std::vector<float>{1.0F, 2.0F});
  normalizer.note_reward(sequence, discounted, 5.0);
  normalizer.merge(sequence);
  normalizer.refresh();
  EXPECT_EQ(normalized(normalizer, {300.0F, -5.0F}), (std::vector<float>{300.0F, -5.0F}));
  EXPECT_EQ(normalizer.normalize_reward(1e6), 1e6F);
  EXPECT_FALSE(normalizer.state().observations);
  EXPECT_FALSE(normalizer.state().returns);
}

TEST(Normalizer, UsesWhatWasMergedBeforeTheLatestRefresh) {
  Normalizer normalizer(normalizing_config(), 2);
  EXPECT_EQ(normalized(normalizer, {3.0F, -50.0F}), (std::vector<float>{3.0F, -10.0F}));
  SequenceMoments sequence = normalizer.make_sequence();
  for (const float x : {1.0F, 3.0F}) normalizer.note(sequence, std::vector<float>{x, 7.0F});
  normalizer.merge(sequence);
  EXPECT_EQ(normalized(normalizer, {3.0F, 7.0F}), (std::vector<float>{3.0F, 7.0F}));
  normalizer.refresh();  // column 0: mean 2, standard deviation 1; column 1 is constant
  const std::vector<float> values = normalized(normalizer, {4.0F, 7.0F, -1.0F, 8.0F});
  EXPECT_NEAR(values[0], 2.0, 1e-6);
  EXPECT_EQ(values[1], 0.0F);
  EXPECT_NEAR(values[2], -3.0, 1e-6);
  EXPECT_EQ(values[3], 10.0F);  // 1e4 standard deviations of 1e-4
}

// Discount 0.5; episodes of rewards (4, 4) and (2): discounted returns 4, 6 and 2.
TEST(Normalizer, DividesRewardsByTheDeviationOfTheDiscountedReturn) {
  Normalizer normalizer(normalizing_config(), 1);
  EXPECT_EQ(normalizer.normalize_reward(3.0), 3.0F);
  SequenceMoments sequence = normalizer.make_sequence();
  double discounted = 0.0;
  normalizer.note_reward(sequence, discounted, 4.0);
  normalizer.note_reward(sequence, discounted, 4.0);
  discounted = 0.0;
  normalizer.note_reward(sequence, discounted, 2.0);
  normalizer.merge(sequence);
  normalizer.refresh();
  const double deviation = std::sqrt(8.0 / 3.0);
  EXPECT_NEAR(normalizer.normalize_reward(3.0), 3.0 / deviation, 1e-6);  // the mean stays
  EXPECT_EQ(normalizer.normalize_reward(-1e3), -10.0F);
}

TEST(Normalizer, GoesOnFromItsState) {
  Normalizer first(normalizing_config(), 2);
  SequenceMoments sequence = first.make_sequence();
  double discounted = 0.0;
  for (int i = 0; i < 9; ++i) {
    first.note(sequence, std::vector<float>{0.1F * static_cast<float>(i * i), 1.0F});
    first.note_reward(sequence, discounted, i * 0.3);
  }
  first.merge(sequence);
  first.refresh();
  Normalizer second(normalizing_config(), 2);
  second.restore(first.state());
  EXPECT_EQ(normalized(first, {0.37F, 1.1F}), normalized(second, {0.37F, 1.1F}));
  EXPECT_EQ(first.normalize_reward(0.37), second.normalize_reward(0.37));

  Normalizer other(normalizing_config(), 3);
  EXPECT_THROW(other.restore(first.state()), Error);
  Normalizer off(Config{}, 2);
  EXPECT_THROW(off.restore(first.state()), Error);
}

}  // namespace
}  // namespace lpdm
