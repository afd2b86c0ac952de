// Pairs by cosine series: against a float64 version of the same series and its finite differences,
// against the exact loss, degenerate batches, threads.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "cpu/local_loss_case.h"
#include "lpdm/error.h"
#include "reference/low_rank_loss.h"
#include "test_backend.h"

namespace lpdm {
namespace {

Case low_rank_case(std::int64_t n, std::int64_t dim, std::int64_t out, std::int64_t terms) {
  Case c = random_case(n, dim, out);
  c.options.pairs.low_rank = terms;
  return c;
}

void guide(Case& c, GuideBase base) {
  c.options.guided = true;
  c.options.guide_base = base;
  c.values = uniform_values(c.n, 3);
}

double largest(const reference::Values& values) {
  double most = 0.0;
  for (const double value : values) most = std::max(most, std::abs(value));
  return most;
}

// Largest difference of two gradients, over `scale`.
double difference(const std::vector<float>& a, const reference::Values& b, double scale) {
  double most = 0.0;
  for (std::size_t k = 0; k < b.size(); ++k) most = std::max(most, std::abs(a[k] - b[k]));
  return most / scale;
}

// The loss is that of the series, and the gradient is the loss's.
void expect_own_gradient(const Case& c, const std::string& name) {
  SCOPED_TRACE(name);
  const Outcome outcome = run(c);
  reference::LocalLossInputs inputs = reference_inputs(c);
  const std::int64_t terms = c.options.pairs.low_rank;
  const reference::Values ranges = reference::column_ranges(inputs.y, c.n, c.out);
  const double loss = reference::low_rank_loss(inputs, terms, ranges);
  EXPECT_NEAR(outcome.statistics.loss, loss, 1e-5 * loss + 1e-6);
  constexpr double kStep = 1e-6;
  reference::Values gradient(inputs.y.size());
  for (std::size_t k = 0; k < gradient.size(); ++k) {
    const double y = inputs.y[k];
    inputs.y[k] = y + kStep;
    const double above = reference::low_rank_loss(inputs, terms, ranges);
    inputs.y[k] = y - kStep;
    const double below = reference::low_rank_loss(inputs, terms, ranges);
    inputs.y[k] = y;
    gradient[k] = (above - below) / (2.0 * kStep);
  }
  EXPECT_LE(difference(outcome.grad_y, gradient, largest(gradient)), 1e-4);
}

TEST(LowRank, HasTheGradientOfItsLoss) {
  for (const std::int64_t n : {2, 3, 30}) {
    for (const std::int64_t terms : {1, 8, 33}) {
      expect_own_gradient(low_rank_case(n, 3, 5, terms),
                          std::to_string(n) + " rows, R " + std::to_string(terms));
    }
  }
  for (const LossScale scale : {LossScale::kOwn, LossScale::kCross, LossScale::kNone}) {
    for (const LossNorm norm : {LossNorm::kFrobenius, LossNorm::kSquared}) {
      for (const GuideBase base : {GuideBase::kNormalized, GuideBase::kRaw}) {
        for (const std::int64_t terms : {1, 5}) {  // more and fewer rows than columns
          Case c = low_rank_case(24, 4, 6, terms);
          guide(c, base);
          c.options.scale = scale;
          c.options.norm = norm;
          expect_own_gradient(c, "scale " + std::to_string(static_cast<int>(scale)) + " norm " +
                                     std::to_string(static_cast<int>(norm)) + " base " +
                                     std::to_string(static_cast<int>(base)) + " R " +
                                     std::to_string(terms));
        }
      }
    }
  }
}

TEST(LowRank, AddsUpBlocksOfRows) {
  Case c = low_rank_case(2100, 2, 3, 2);
  // Two corners, which every search of the maximum meets.
  for (std::vector<float>* values : {&c.x, &c.y}) {
    const std::int64_t width = values == &c.x ? c.dim : c.out;
    std::fill_n(values->begin(), width, -1.0F);
    std::fill_n(values->begin() + 700 * width, width, 1.0F);
  }
  const reference::LocalLossInputs inputs = reference_inputs(c);
  const double loss =
      reference::low_rank_loss(inputs, 2, reference::column_ranges(inputs.y, c.n, c.out));
  EXPECT_NEAR(run(c).statistics.loss, loss, 1e-5 * loss);
}

TEST(LowRank, ComesCloserToTheExactLossWithMoreTerms) {
  struct Bound {
    std::int64_t terms;
    double loss, gradient;
  };
  for (const std::int64_t n : {129, 300}) {
    if (leaves_out(n - 129)) continue;
    for (const bool guided : {false, true}) {
      Case c = random_case(n, 6, 40);
      if (guided) guide(c, GuideBase::kNormalized);
      const reference::LocalLossResult exact = expected(c).front();
      for (const Bound& bound :
           {Bound{2, 5e-2, 5e-2}, Bound{8, 5e-3, 2e-2}, Bound{32, 1e-3, 5e-3}}) {
        SCOPED_TRACE(std::to_string(n) + " rows, R " + std::to_string(bound.terms));
        c.options.pairs.low_rank = bound.terms;
        const Outcome outcome = run(c);
        EXPECT_NEAR(outcome.statistics.loss, exact.loss, bound.loss * exact.loss);
        EXPECT_NEAR(outcome.statistics.mean_distance, exact.mean_distance, bound.loss);
        EXPECT_NEAR(outcome.statistics.correlation, exact.correlation, bound.loss);
        EXPECT_LE(difference(outcome.grad_y, exact.grad_y, largest(exact.grad_y)), bound.gradient);
      }
    }
  }
}

// Of few rows many are the least or the largest of a column, where a series whose period ended with
// the range would have no slope.
TEST(LowRank, GivesRowsAtTheEndsOfColumnsTheirGradient) {
  for (const GuideBase base : {GuideBase::kNormalized, GuideBase::kRaw}) {
    Case c = random_case(2, 4, 40);
    guide(c, base);
    c.options.max_gradient = MaxGradient::kConstant;
    const reference::LocalLossResult exact = expected(c).front();
    for (const std::int64_t terms : {4, 8, 32}) {
      SCOPED_TRACE("R " + std::to_string(terms));
      c.options.pairs.low_rank = terms;
      EXPECT_LE(difference(run(c).grad_y, exact.grad_y, largest(exact.grad_y)), 0.2);
    }
  }
}

TEST(LowRank, LeavesTheMaximumOutOfTheGradientIfAskedTo) {
  Case c = random_case(130, 6, 40);
  c.options.max_gradient = MaxGradient::kConstant;
  const reference::LocalLossResult exact = expected(c).front();
  c.options.pairs.low_rank = 32;
  EXPECT_LE(difference(run(c).grad_y, exact.grad_y, largest(exact.grad_y)), 7e-2);
}

TEST(LowRank, GoesThroughTheActivation) {
  Case c = low_rank_case(60, 4, 17, 8);
  const std::vector<float> plain = run(c).grad_y;
  c.through = Activation::kTanh;
  const std::vector<float> through = run(c).grad_y;
  for (std::size_t k = 0; k < plain.size(); ++k) {
    EXPECT_NEAR(through[k], plain[k] * (1.0F - c.y[k] * c.y[k]),
                1e-6F * std::abs(plain[k]) + 1e-9F);
  }
}

TEST(LowRank, IsDefinedOnDegenerateBatches) {
  for (const bool guided : {false, true}) {
    for (const std::int64_t n : {1, 2, 40}) {
      Case c = low_rank_case(n, 4, 7, 8);
      if (guided) guide(c, GuideBase::kNormalized);
      Case equal_inputs = c;
      std::ranges::fill(equal_inputs.x, 0.25F);
      for (const float gradient : run(equal_inputs).grad_y) EXPECT_TRUE(std::isfinite(gradient));
      Case equal_outputs = c;
      std::ranges::fill(equal_outputs.y, 0.5F);
      EXPECT_EQ(run(equal_outputs).grad_y, std::vector<float>(c.y.size(), 0.0F));
      std::ranges::fill(equal_outputs.x, 0.25F);
      const double loss = run(equal_outputs).statistics.loss;
      EXPECT_NEAR(loss, expected(equal_outputs).front().loss, 1e-5 * loss + 1e-6);
    }
  }
  Case c = low_rank_case(1, 4, 7, 8);
  EXPECT_EQ(run(c).statistics.loss, 0.0);
}

TEST(LowRank, LeavesOutConstantColumnsAndBearsDuplicates) {
  Case c = low_rank_case(40, 4, 9, 6);
  for (std::int64_t i = 0; i < c.n; ++i) {
    c.y[static_cast<std::size_t>(i * c.out + 3)] = 0.7F;
    c.x[static_cast<std::size_t>(i * c.dim + 1)] = -2.0F;
  }
  std::copy_n(c.y.begin(), c.out, c.y.begin() + 20 * c.out);
  const Outcome outcome = run(c);
  for (std::int64_t i = 0; i < c.n; ++i) {
    EXPECT_EQ(outcome.grad_y[static_cast<std::size_t>(i * c.out + 3)], 0.0F);
  }
  reference::LocalLossInputs inputs = reference_inputs(c);
  const double loss =
      reference::low_rank_loss(inputs, 6, reference::column_ranges(inputs.y, c.n, c.out));
  EXPECT_NEAR(outcome.statistics.loss, loss, 1e-5 * loss);
}

TEST(LowRank, DoesNotDependOnTheNumberOfThreads) {
  for (const std::int64_t n : {300, 2500}) {  // fewer and more rows than columns
    Case c = low_rank_case(n, 6, 40, 4);
    add_layer(c, 33);
    guide(c, GuideBase::kNormalized);
    const std::vector<Outcome> one = run_layers(c, 1);
    for (const int threads : {2, 4}) {
      const std::vector<Outcome> many = run_layers(c, threads);
      for (std::size_t l = 0; l < one.size(); ++l) {
        EXPECT_EQ(one[l].statistics.loss, many[l].statistics.loss);
        EXPECT_EQ(one[l].statistics.correlation, many[l].statistics.correlation);
        EXPECT_EQ(one[l].grad_y, many[l].grad_y);
      }
    }
  }
}

TEST(LowRank, RefusesWhatTheSeriesCannotStandFor) {
  Case c = low_rank_case(10, 4, 7, 8);
  c.options.metric = Metric::kL2;
  EXPECT_THROW(run(c), UsageError);
  c.options.metric = Metric::kL1;
  c.landmarks = {1, 3};
  EXPECT_THROW(run(c), UsageError);
  c.landmarks = {};
  c.options.target = TargetRule::kErrorPropagation;
  EXPECT_THROW(run(c), UsageError);
}

}  // namespace
}  // namespace lpdm
