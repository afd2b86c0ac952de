// The local loss in other arithmetics, and where the plain sums of float32 would not do.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "cpu/local_loss_case.h"

namespace lpdm {
namespace {

struct Tolerance {
  Arithmetic arithmetic;
  double loss, gradient;  // relative; the gradient's to its largest entry
};

// Fixed point rounds a value to 2⁻²², halves to 2⁻¹² of it.
constexpr Tolerance kTolerances[] = {{Arithmetic::kFp32, 1e-6, 1e-5},
                                     {Arithmetic::kFixed, 1e-6, 1e-5},
                                     {Arithmetic::kHalf2, 1e-3, 1e-2}};

void expect_close(Case c, const Tolerance& tolerance, const std::string& name) {
  SCOPED_TRACE(name + ", arithmetic " + std::to_string(static_cast<int>(tolerance.arithmetic)));
  c.backend.arithmetic = tolerance.arithmetic;
  c.through = Activation::kTanh;
  const std::vector<Outcome> outcomes = run_layers(c);
  const std::vector<reference::LocalLossResult> results = expected(c);
  for (std::size_t l = 0; l < results.size(); ++l) {
    EXPECT_NEAR(outcomes[l].statistics.loss, results[l].loss, tolerance.loss * results[l].loss);
    double largest = 0.0, difference = 0.0;
    for (std::size_t k = 0; k < results[l].grad_y.size(); ++k) {
      largest = std::max(largest, std::abs(results[l].grad_y[k]));
      difference = std::max(difference, std::abs(outcomes[l].grad_y[k] - results[l].grad_y[k]));
    }
    EXPECT_LE(difference, tolerance.gradient * largest + 1e-7);
  }
}

TEST(Arithmetics, ComeAsCloseToTheReferenceAsTheirNumbersAllow) {
  for (const Tolerance& tolerance : kTolerances) {
    for (const std::int64_t n : {2, 65, 321}) {
      for (const std::int64_t out : {7, 64, 530}) {
        expect_close(random_case(n, 5, out), tolerance,
                     std::to_string(n) + "x" + std::to_string(out));
      }
    }
    Case guided = random_case(150, 5, 33);
    guided.values = uniform_values(guided.n, 3);
    guided.options.guided = true;
    expect_close(guided, tolerance, "guided");
  }
}

TEST(Arithmetics, GiveTheSameBitsWhereDistancesAreKeptBetweenPasses) {
  for (const Tolerance& tolerance : kTolerances) {
    for (const bool episodes : {false, true}) {
      Case c = random_case(200, 5, 33);
      add_layer(c, 9);
      c.backend.arithmetic = tolerance.arithmetic;
      if (episodes) c.episode_ends = {3, 70, 199, 200};
      c.backend.distance_bytes = 1;  // too few for any
      const std::vector<Outcome> formed = run_layers(c);
      c.backend.distance_bytes = std::int64_t{1} << 24;
      const std::vector<Outcome> kept = run_layers(c);
      for (std::size_t l = 0; l < formed.size(); ++l) {
        EXPECT_EQ(formed[l].statistics.loss, kept[l].statistics.loss);
        EXPECT_EQ(formed[l].grad_y, kept[l].grad_y);
      }
    }
  }
}

TEST(Arithmetics, KeepSmallLossesExact) {
  // Outputs that reproduce the inputs' distances up to a little noise: the loss is the difference
  // of sums a thousand times as large.
  Case c = random_case(150, 12, 12);
  const std::vector<float> noise = uniform_values(c.n * c.out, 9);
  for (std::size_t k = 0; k < c.y.size(); ++k) c.y[k] = 0.5F * c.x[k] + 1e-3F * noise[k];
  c.options.scale = LossScale::kNone;
  const Outcome outcome = run(c);
  const reference::LocalLossResult result = expected(c).front();
  EXPECT_NEAR(outcome.statistics.loss, result.loss, 1e-4 * result.loss);
}

}  // namespace
}  // namespace lpdm
