// The paper's variants of the local loss, sparse pairs and error propagation, against the float64
// reference: every combination of options, awkward sizes, ties, degenerate batches, threads.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "cpu/local_loss_case.h"
#include "test_backend.h"

namespace lpdm {
namespace {

constexpr SparsePairs kSparseKinds[] = {SparsePairs::kClosest, SparsePairs::kFurthest,
                                        SparsePairs::kClosestFurthest};
constexpr SparsePairs kPairKinds[] = {SparsePairs::kNone, SparsePairs::kClosest,
                                      SparsePairs::kFurthest, SparsePairs::kClosestFurthest};
constexpr ErrorRule kRules[] = {ErrorRule::kOnePlus, ErrorRule::kProduct};

std::string describe(const LocalLossConfig& options) {
  return "metric " + std::to_string(static_cast<int>(options.metric)) + " scale " +
         std::to_string(static_cast<int>(options.scale)) + " norm " +
         std::to_string(static_cast<int>(options.norm)) + " max " +
         std::to_string(static_cast<int>(options.max_gradient)) + " guided " +
         std::to_string(options.guided) + " base " +
         std::to_string(static_cast<int>(options.guide_base)) + " sparse " +
         std::to_string(static_cast<int>(options.pairs.sparse)) + " target " +
         std::to_string(static_cast<int>(options.target)) + " rule " +
         std::to_string(static_cast<int>(options.error_rule));
}

Case three_layers(std::int64_t n) {
  Case c = random_case(n, 5, 9);
  add_layer(c, 7);
  add_layer(c, 17);
  return c;
}

void guide(Case& c, GuideBase base) {
  c.options.guided = true;
  c.options.guide_base = base;
  c.values = uniform_values(c.n, 3);
}

TEST(LocalLossVariants, MatchTheReferenceInEveryCombination) {
  std::int64_t number = 0;
  for (const SparsePairs sparse : kPairKinds) {
    for (const TargetRule target : {TargetRule::kInput, TargetRule::kErrorPropagation}) {
      for (const ErrorRule rule : kRules) {
        for (const Metric metric : {Metric::kL1, Metric::kL2}) {
          for (const LossScale scale : {LossScale::kOwn, LossScale::kCross, LossScale::kNone}) {
            for (const int guided : {0, 1, 2}) {
              if (leaves_out(number++)) continue;
              Case c = three_layers(77);
              c.options.pairs.sparse = sparse;
              c.options.target = target;
              c.options.error_rule = rule;
              c.options.metric = metric;
              c.options.scale = scale;
              if (guided > 0) guide(c, guided == 2 ? GuideBase::kRaw : GuideBase::kNormalized);
              // The rest alternates: what happens after E does not depend on how T was made.
              if (guided == 1) c.options.norm = LossNorm::kSquared;
              if (scale == LossScale::kCross) c.options.max_gradient = MaxGradient::kConstant;
              expect_matches_reference(c, describe(c.options));
            }
          }
        }
      }
    }
  }
}

TEST(LocalLossVariants, MatchTheReferenceOnAwkwardSizes) {
  std::int64_t number = 0;
  for (const std::int64_t n : {1, 2, 3, 4, 5, 6, 63, 64, 65, 129, 200}) {
    for (const SparsePairs sparse : kPairKinds) {
      for (const ErrorRule rule : kRules) {
        if (leaves_out(number++)) continue;
        Case c = three_layers(n);
        c.options.pairs.sparse = sparse;
        c.options.target = TargetRule::kErrorPropagation;
        c.options.error_rule = rule;
        expect_matches_reference(c, std::to_string(n) + " rows, " + describe(c.options));
        guide(c, GuideBase::kNormalized);
        expect_matches_reference(c, std::to_string(n) + " rows, " + describe(c.options));
      }
    }
  }
}

TEST(LocalLossVariants, ErrorPropagationMatchesTheReferenceOnLandmarks) {
  for (const std::int64_t count : {1, 2, 64, 65, 150}) {
    for (const ErrorRule rule : kRules) {
      Case c = three_layers(150);
      choose_landmarks(c, count);
      c.options.target = TargetRule::kErrorPropagation;
      c.options.error_rule = rule;
      expect_matches_reference(c, std::to_string(count) + " landmarks");
      guide(c, GuideBase::kNormalized);
      c.options.metric = Metric::kL2;
      expect_matches_reference(c, std::to_string(count) + " landmarks, guided, l2");
    }
  }
}

TEST(LocalLossVariants, RankTiesByColumn) {
  // Few distinct inputs: the limits of most rows lie within ties, many of them across tiles.
  Case c = random_case(150, 2, 12);
  for (float& x : c.x) x = std::round(2.0F * x);
  for (const SparsePairs sparse : kSparseKinds) {
    c.options.pairs.sparse = sparse;
    expect_matches_reference(c, describe(c.options));
  }
  for (float& x : c.x) x = 1.0F;  // nothing but ties
  for (const SparsePairs sparse : kSparseKinds) {
    c.options.pairs.sparse = sparse;
    expect_matches_reference(c, describe(c.options));
  }
}

TEST(LocalLossVariants, ShareTheMaximumAmongManyTies) {
  // Corners of a cube: more pairs share the largest distance than are listed, so passes repeat.
  for (const SparsePairs sparse : kPairKinds) {
    for (const Metric metric : {Metric::kL1, Metric::kL2}) {
      Case c = random_case(150, 4, 3);
      add_layer(c, 6);
      for (float& value : c.y) value = value > 0.0F ? 1.0F : -1.0F;
      c.options.metric = metric;
      c.options.pairs.sparse = sparse;
      c.options.target = TargetRule::kErrorPropagation;
      expect_matches_reference(c, describe(c.options));
    }
  }
}

TEST(LocalLossVariants, AreDefinedOnDegenerateBatches) {
  for (const SparsePairs sparse : kPairKinds) {
    for (const ErrorRule rule : kRules) {
      for (const bool guided : {false, true}) {
        Case c = three_layers(20);
        c.options.pairs.sparse = sparse;
        c.options.target = TargetRule::kErrorPropagation;
        c.options.error_rule = rule;
        if (guided) guide(c, GuideBase::kNormalized);
        Case equal_inputs = c;
        std::ranges::fill(equal_inputs.x, 0.25F);
        expect_matches_reference(equal_inputs, "equal inputs, " + describe(c.options));
        Case equal_outputs = c;
        std::ranges::fill(equal_outputs.y, 0.5F);
        expect_matches_reference(equal_outputs, "equal outputs, " + describe(c.options));
        std::ranges::fill(equal_inputs.y, 0.5F);  // no error at all, unless guided
        expect_matches_reference(equal_inputs, "all equal, " + describe(c.options));
      }
    }
  }
}

TEST(LocalLossVariants, AnErrorThatIsRoundingCountsAsNone) {
  // The first layer reproduces the input's distances, so nothing is to be enlarged above it.
  Case c = random_case(100, 6, 6);
  for (std::size_t k = 0; k < c.x.size(); ++k) c.y[k] = -3.0F * c.x[k];
  add_layer(c, 8);
  c.options.target = TargetRule::kErrorPropagation;
  const Outcome propagated = run_layers(c).back();
  c.options.target = TargetRule::kInput;
  const Outcome plain = run_layers(c).back();
  EXPECT_NEAR(propagated.statistics.loss, plain.statistics.loss, 1e-5 * plain.statistics.loss);
  c.options.target = TargetRule::kErrorPropagation;
  c.options.error_rule = ErrorRule::kProduct;
  EXPECT_EQ(run_layers(c).back().statistics.correlation, 0.0);  // T = 0
}

TEST(LocalLossVariants, DoNotDependOnTheNumberOfThreads) {
  for (const SparsePairs sparse : kPairKinds) {
    for (const TargetRule target : {TargetRule::kInput, TargetRule::kErrorPropagation}) {
      Case c = three_layers(333);
      c.options.pairs.sparse = sparse;
      c.options.target = target;
      guide(c, GuideBase::kNormalized);
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
}

// The reference itself: each layer's gradient against central differences of its own loss. The mask
// and the layer's target do not depend on its outputs.
TEST(LocalLossReference, VariantsGradientMatchesFiniteDifferences) {
  for (const SparsePairs sparse : kPairKinds) {
    for (const Metric metric : {Metric::kL1, Metric::kL2}) {
      for (const bool guided : {false, true}) {
        Case c = random_case(9, 3, 5);
        if (guided) guide(c, GuideBase::kNormalized);
        c.options.metric = metric;
        c.options.pairs.sparse = sparse;
        c.options.target = TargetRule::kErrorPropagation;
        const reference::LocalLossInputs inputs = reference_inputs(c);
        std::vector<reference::LayerOutputs> layers{{5, inputs.y}};
        layers.push_back({4, reference::Values(9 * 4)});
        std::ranges::copy(uniform_values(9 * 4, 7), layers[1].y.begin());
        for (std::size_t l = 0; l < layers.size(); ++l) {
          const reference::Values gradient = reference::local_losses(inputs, layers)[l].grad_y;
          constexpr double kStep = 1e-6;
          for (std::size_t k = 0; k < gradient.size(); ++k) {
            const double at = layers[l].y[k];
            layers[l].y[k] = at + kStep;
            const double above = reference::local_losses(inputs, layers)[l].loss;
            layers[l].y[k] = at - kStep;
            const double below = reference::local_losses(inputs, layers)[l].loss;
            layers[l].y[k] = at;
            EXPECT_NEAR(gradient[k], (above - below) / (2.0 * kStep), 1e-7);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace lpdm
