// The local loss on pairs within episodes (hidden.block episode), against the float64 reference:
// episodes of every size around a tile's, options, ties, degenerate episodes, threads.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "cpu/local_loss_case.h"
#include "lpdm/error.h"
#include "lpdm/random.h"
#include "test_backend.h"

namespace lpdm {
namespace {

using Lengths = std::vector<std::int64_t>;

// Three layers on episodes of these lengths, each around a place of its own: what is far within an
// episode is near against the distances between episodes.
Case episodes_case(const Lengths& lengths) {
  std::vector<std::int64_t> ends;
  std::int64_t n = 0;
  for (const std::int64_t length : lengths) ends.push_back(n += length);
  Case c = random_case(n, 5, 9);
  add_layer(c, 7);
  add_layer(c, 19);
  std::int64_t row = 0;
  for (std::size_t e = 0; e < ends.size(); ++e) {
    for (; row < ends[e]; ++row) {
      for (std::int64_t d = 0; d < c.dim; ++d) {
        c.x[static_cast<std::size_t>(row * c.dim + d)] += 3.0F * static_cast<float>(e);
      }
    }
  }
  c.episode_ends = ends;
  return c;
}

void guide(Case& c) {
  c.options.guided = true;
  c.values = uniform_values(c.n, 3);
}

TEST(LocalLossEpisodes, MatchTheReferenceInEveryCombination) {
  std::int64_t number = 0;
  for (const TargetRule target : {TargetRule::kInput, TargetRule::kErrorPropagation}) {
    for (const Metric metric : {Metric::kL1, Metric::kL2}) {
      for (const bool guided : {false, true}) {
        for (const LossNorm norm : {LossNorm::kFrobenius, LossNorm::kSquared}) {
          for (const MaxGradient max : {MaxGradient::kThrough, MaxGradient::kConstant}) {
            if (leaves_out(number++)) continue;
            Case c = episodes_case({40, 1, 70, 130, 3});
            c.options.target = target;
            c.options.metric = metric;
            c.options.norm = norm;
            c.options.max_gradient = max;
            if (guided) guide(c);
            expect_matches_reference(c, "target " + std::to_string(static_cast<int>(target)) +
                                            " metric " + std::to_string(static_cast<int>(metric)) +
                                            " guided " + std::to_string(guided) + " norm " +
                                            std::to_string(static_cast<int>(norm)) + " max " +
                                            std::to_string(static_cast<int>(max)));
          }
        }
      }
    }
  }
}

TEST(LocalLossEpisodes, MatchTheReferenceOnAwkwardLengths) {
  const std::vector<Lengths> all = {{1},
                                    {2},
                                    {1, 1},
                                    {1, 1, 1, 1, 1},
                                    {64},
                                    {65},
                                    {64, 64},
                                    {63, 65},
                                    {128, 1},
                                    {1, 128},
                                    {129, 127, 2},
                                    {200, 3, 3, 3},
                                    Lengths(40, 5),
                                    Lengths(150, 1)};
  for (const Lengths& lengths : all) {
    Case c = episodes_case(lengths);
    const std::string name =
        std::to_string(lengths.size()) + " from " + std::to_string(lengths.front());
    expect_matches_reference(c, name);
    guide(c);
    expect_matches_reference(c, name + ", guided");
    c.options.target = TargetRule::kErrorPropagation;
    c.options.metric = Metric::kL2;
    expect_matches_reference(c, name + ", guided, propagated, l2");
  }
}

TEST(LocalLossEpisodes, MatchTheReferenceOnRandomEpisodes) {
  RandomStream random(5, {.purpose = StreamPurpose::kBenchmark});
  for (int trial = 0; trial < 20; ++trial) {
    Lengths lengths;
    const std::uint32_t episodes = 1 + random.next_u32() % 6;
    for (std::uint32_t e = 0; e < episodes; ++e) lengths.push_back(1 + random.next_u32() % 150);
    if (leaves_out(trial)) continue;
    Case c = episodes_case(lengths);
    if (trial % 2 == 1) guide(c);
    c.options.metric = trial % 3 == 0 ? Metric::kL2 : Metric::kL1;
    if (trial % 4 >= 2) c.options.target = TargetRule::kErrorPropagation;
    expect_matches_reference(c, "trial " + std::to_string(trial));
  }
}

TEST(LocalLossEpisodes, OneEpisodeIsTheWholeBatch) {
  Case c = episodes_case({200});
  guide(c);
  const std::vector<Outcome> episode = run_layers(c);
  c.episode_ends.clear();
  const std::vector<Outcome> batch = run_layers(c);
  for (std::size_t l = 0; l < batch.size(); ++l) {
    EXPECT_EQ(episode[l].statistics.loss, batch[l].statistics.loss);
    EXPECT_EQ(episode[l].grad_y, batch[l].grad_y);
  }
}

TEST(LocalLossEpisodes, ShareTheMaximumAcrossEpisodesWithTies) {
  // Corners of a cube: equal values everywhere, and the maximum in every episode many times.
  for (const Metric metric : {Metric::kL1, Metric::kL2}) {
    Case c = episodes_case({70, 20, 150});
    for (float& value : c.y) value = value > 0.0F ? 1.0F : -1.0F;
    c.options.metric = metric;
    expect_matches_reference(c, "corners");
  }
  // The maximum twice, in two episodes: both ends of both pairs share its gradient.
  Case c = episodes_case({100, 100});
  for (const std::int64_t first : {10, 110}) {
    for (std::int64_t d = 0; d < c.out; ++d) {
      c.y[static_cast<std::size_t>(first * c.out + d)] = 2.0F;
      c.y[static_cast<std::size_t>((first + 80) * c.out + d)] = -2.0F;
    }
  }
  expect_matches_reference(c, "shared maximum");
}

TEST(LocalLossEpisodes, TiesBetweenBlocksOfAnEpisodeAreFound) {
  Case c = episodes_case({150, 150});
  for (float& value : c.y) value = std::round(40.0F * value) / 40.0F;
  expect_matches_reference(c, "few distinct values");
}

TEST(LocalLossEpisodes, AreDefinedWhereEpisodesAreDegenerate) {
  for (const bool guided : {false, true}) {
    Case c = episodes_case({30, 90});
    if (guided) guide(c);
    for (std::int64_t k = 0; k < 30 * c.dim; ++k) c.x[static_cast<std::size_t>(k)] = 0.5F;
    expect_matches_reference(c, "equal inputs in one episode");
    std::ranges::fill(c.y, 0.25F);
    expect_matches_reference(c, "equal outputs");
    Case single = episodes_case(Lengths(70, 1));
    if (guided) guide(single);
    expect_matches_reference(single, "episodes of one row");
  }
}

TEST(LocalLossEpisodes, DoNotDependOnTheNumberOfThreads) {
  for (const TargetRule target : {TargetRule::kInput, TargetRule::kErrorPropagation}) {
    Case c = episodes_case({333, 1, 64, 500});
    c.options.target = target;
    guide(c);
    const std::vector<Outcome> one = run_layers(c, 1);
    for (const int threads : {2, 5}) {
      const std::vector<Outcome> many = run_layers(c, threads);
      for (std::size_t l = 0; l < one.size(); ++l) {
        EXPECT_EQ(one[l].statistics.loss, many[l].statistics.loss);
        EXPECT_EQ(one[l].statistics.correlation, many[l].statistics.correlation);
        EXPECT_EQ(one[l].grad_y, many[l].grad_y);
      }
    }
  }
}

TEST(LocalLossEpisodes, ExcludeLandmarksAndSparsePairs) {
  Case c = episodes_case({5, 6});
  c.landmarks = {1, 7};
  EXPECT_THROW(run(c), UsageError);
  c.landmarks.clear();
  c.options.pairs.sparse = SparsePairs::kClosest;
  EXPECT_THROW(run(c), UsageError);
}

// The reference itself against central differences of its own loss.
TEST(LocalLossReference, EpisodesGradientMatchesFiniteDifferences) {
  for (const Metric metric : {Metric::kL1, Metric::kL2}) {
    for (const bool guided : {false, true}) {
      Case c = random_case(10, 3, 5);
      c.episode_ends = {4, 5, 10};
      if (guided) guide(c);
      c.options.metric = metric;
      reference::LocalLossInputs inputs = reference_inputs(c);
      const reference::Values gradient = reference::local_loss(inputs).grad_y;
      constexpr double kStep = 1e-6;
      for (std::size_t k = 0; k < gradient.size(); ++k) {
        const double at = inputs.y[k];
        inputs.y[k] = at + kStep;
        const double above = reference::local_loss(inputs).loss;
        inputs.y[k] = at - kStep;
        const double below = reference::local_loss(inputs).loss;
        inputs.y[k] = at;
        EXPECT_NEAR(gradient[k], (above - below) / (2.0 * kStep), 1e-7);
      }
    }
  }
}

}  // namespace
}  // namespace lpdm
