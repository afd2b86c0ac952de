// Every op beside the CPU backend's on awkward numbers of rows: one, a few, around a warp, and
// several chunks; in buffers with more room than rows, whose rest holds what must not matter.
#include <gtest/gtest.h>

#include <cmath>

#include "lpdm/backend.h"
#include "lpdm/random.h"
#include "reference/closeness.h"
#include "test_backend.h"

namespace lpdm {
namespace {

using reference::all_close;

constexpr std::int64_t kRoom = 67;  // rows beyond N in every buffer

std::vector<double> as_double(const std::vector<float>& values) {
  return {values.begin(), values.end()};
}

// The same op on two backends: inputs are drawn once, outputs are compared.
class OpParity : public ::testing::TestWithParam<std::int64_t> {
 protected:
  struct Side {
    std::unique_ptr<Backend> backend;
    std::vector<DeviceArray<float>> floats;
    std::vector<DeviceArray<std::int64_t>> integers;
    std::vector<DeviceArray<std::uint8_t>> flags;
  };

  OpParity() {
    sides_[0].backend = make_backend("cpu", pool_);
    sides_[1].backend = make_test_backend(pool_);
  }

  std::int64_t n() const { return GetParam(); }
  std::int64_t capacity() const { return n() + kRoom; }

  // A buffer with the same draws on both sides: (rows, width), noise where it is room.
  std::vector<float> draw(std::int64_t size, double low = -1.0, double high = 1.0) {
    RandomStream random(seed_++, {.purpose = StreamPurpose::kBenchmark});
    std::vector<float> values(static_cast<std::size_t>(size));
    for (float& value : values) value = static_cast<float>(random.uniform(low, high));
    return values;
  }
  float* put(Side& side, const std::vector<float>& values) {
    side.floats.emplace_back(*side.backend, static_cast<std::int64_t>(values.size()));
    side.floats.back().write(values);
    return side.floats.back().data();
  }
  std::int64_t* put(Side& side, const std::vector<std::int64_t>& values) {
    side.integers.emplace_back(*side.backend, static_cast<std::int64_t>(values.size()));
    side.integers.back().write(values);
    return side.integers.back().data();
  }
  std::uint8_t* put(Side& side, const std::vector<std::uint8_t>& values) {
    side.flags.emplace_back(*side.backend, static_cast<std::int64_t>(values.size()));
    side.flags.back().write(values);
    return side.flags.back().data();
  }
  Rows rows(Side& side) { return {put(side, std::vector<std::int64_t>{n()}), capacity()}; }

  template <class T>
  std::vector<T> read(Side& side, const T* memory, std::int64_t size) {
    std::vector<T> values(static_cast<std::size_t>(size));
    side.backend->copy_to_host(values.data(), memory, values.size() * sizeof(T));
    return values;
  }

  // op(side) runs the op and returns where it has written `size` floats.
  template <class Op>
  void expect_equal(std::int64_t size, const Op& op, double relative = 1e-5) {
    const float* outputs[2] = {op(sides_[0]), op(sides_[1])};
    EXPECT_TRUE(all_close(read(sides_[1], outputs[1], size),
                          as_double(read(sides_[0], outputs[0], size)), relative, 1e-7));
  }
  // What lies beyond N of a gradient or activation of the given width is zero.
  void expect_cleared(const float* output, std::int64_t width) {
    const auto room = read(sides_[1], output + n() * width, kRoom * width);
    EXPECT_EQ(room, std::vector<float>(room.size(), 0.0F));
  }

  ThreadPool pool_{1};
  Side sides_[2];  // the CPU's, then the tested one's
  std::uint64_t seed_ = 1;
};

TEST_P(OpParity, DenseLayers) {
  constexpr std::int64_t kIn = 5, kOut = 33;
  const auto x = draw(capacity() * kIn), w = draw(kOut * kIn), b = draw(kOut),
             below = draw(capacity() * kIn, 0.1, 0.9), value = draw(capacity()), row = draw(kIn);
  auto delta = draw(capacity() * kOut);
  std::fill(delta.begin() + n() * kOut, delta.end(), 0.0F);  // as every op leaves it
  float* output = nullptr;
  expect_equal(n() * kOut, [&](Side& side) {
    output = put(side, draw(capacity() * kOut));
    side.backend->dense_forward({.rows = rows(side),
                                 .in = kIn,
                                 .out = kOut,
                                 .input = put(side, x),
                                 .weight = put(side, w),
                                 .bias = put(side, b),
                                 .output = output});
    return output;
  });
  expect_cleared(output, kOut);
  expect_equal(kOut * kIn + kOut, [&](Side& side) {
    float* gradient = put(side, draw(kOut * kIn + kOut));
    side.backend->dense_gradient({.rows = rows(side),
                                  .in = kIn,
                                  .out = kOut,
                                  .delta = put(side, delta),
                                  .input = put(side, x),
                                  .weight_gradient = gradient,
                                  .bias_gradient = gradient + kOut * kIn});
    return gradient;
  });
  expect_equal(n() * kIn, [&](Side& side) {
    output = put(side, draw(capacity() * kIn));
    side.backend->dense_input_gradient({.rows = rows(side),
                                        .in = kIn,
                                        .out = kOut,
                                        .delta = put(side, delta),
                                        .weight = put(side, w),
                                        .input = put(side, below),
                                        .value_delta = put(side, value),
                                        .value_weight = put(side, row),
                                        .value_scale = 0.3,
                                        .input_delta = output});
    return output;
  });
  expect_cleared(output, kIn);
}

TEST_P(OpParity, GuidedShift) {
  const auto values = draw(capacity(), -9.0, 5.0);
  expect_equal(n(), [&](Side& side) {
    float* shift = put(side, draw(capacity()));
    side.backend->guided_shift({.rows = rows(side), .values = put(side, values), .shift = shift});
    return shift;
  });
}

TEST_P(OpParity, LandmarkDrawsAreTheSame) {
  for (const std::int64_t wanted : {std::int64_t{1}, n() / 2 + 1, n(), n() + 5}) {
    for (const std::int64_t iteration : {0, 12345}) {
      std::vector<std::int64_t> selected[2];
      for (const int s : {0, 1}) {
        Side& side = sides_[s];
        std::int64_t* const rows_drawn =
            put(side, std::vector<std::int64_t>(static_cast<std::size_t>(wanted)));
        std::int64_t* const count = put(side, std::vector<std::int64_t>{-1});
        side.backend->draw_landmarks({.rows = rows(side),
                                      .landmarks = wanted,
                                      .seed = 0x123456789ABCDEFULL,
                                      .iteration = put(side, std::vector<std::int64_t>{iteration}),
                                      .selected = rows_drawn,
                                      .selected_count = count});
        ASSERT_EQ(read(side, count, 1).front(), std::min(wanted, n()));
        selected[s] = read(side, rows_drawn, std::min(wanted, n()));
      }
      EXPECT_EQ(selected[1], selected[0]);
    }
  }
}

TEST_P(OpParity, ActivationStatistics) {
  constexpr std::int64_t kOut = 7;
  const auto output = draw(capacity() * kOut, -1.3, 1.3);
  ActivationSummary summaries[2];
  for (const int s : {0, 1}) {
    DeviceArray<ActivationSummary> summary(*sides_[s].backend, 1);
    sides_[s].backend->activation_statistics({.rows = rows(sides_[s]),
                                              .out = kOut,
                                              .output = put(sides_[s], output),
                                              .summary = summary.data()});
    summaries[s] = summary.read().front();
  }
  EXPECT_NEAR(summaries[1].mean_abs, summaries[0].mean_abs, 1e-12);
  EXPECT_NEAR(summaries[1].saturated, summaries[0].saturated, 1e-12);
}

// Episodes of several lengths; those that end by truncation go on with a value.
TEST_P(OpParity, ReturnsAndAdvantages) {
  std::vector<std::int64_t> ends;
  std::vector<std::uint8_t> bootstrap;
  for (std::int64_t end = 1; end < n(); end = 2 * end + 1) {
    ends.push_back(end);
    bootstrap.push_back(ends.size() % 2);
  }
  ends.push_back(n());
  bootstrap.push_back(1);
  const auto rewards = draw(capacity(), -1.0, 2.0), values = draw(capacity() + n());
  for (const bool normalize : {false, true}) {
    if (normalize && n() < 3) continue;  // what is left then is rounding
    expect_equal(
        n(),
        [&](Side& side) {
          float* returns = put(side, draw(capacity()));
          side.backend->discounted_returns(
              {.rows = rows(side),
               .rewards = put(side, rewards),
               .episode_ends = put(side, ends),
               .episode_count =
                   put(side, std::vector<std::int64_t>{static_cast<std::int64_t>(ends.size())}),
               .discount = 0.97,
               .normalize = normalize,
               .values = put(side, values),
               .bootstrap = put(side, bootstrap),
               .returns = returns});
          return returns;
        },
        1e-6);
    expect_equal(n(), [&](Side& side) {
      float* both = put(side, rewards);
      side.backend->advantages({.rows = rows(side),
                                .returns = both,
                                .values = put(side, values),
                                .normalize = normalize,
                                .advantages = both});
      return both;
    });
  }
}

TEST_P(OpParity, GeneralizedAdvantage) {
  for (const std::int64_t count : {std::int64_t{1}, std::int64_t{3}}) {
    const std::int64_t all = n() * count;
    std::vector<std::uint8_t> terminated(static_cast<std::size_t>(all)), truncated = terminated;
    std::int64_t ends = 0;
    for (std::int64_t i = 0; i < all; ++i) {
      terminated[static_cast<std::size_t>(i)] = i % 29 == 7;
      truncated[static_cast<std::size_t>(i)] = i % 53 == 11;
      ends += i % 29 == 7 || i % 53 == 11;
    }
    const auto rewards = draw(all), values = draw(all + count + ends);
    expect_equal(2 * all, [&](Side& side) {
      float* results = put(side, draw(2 * all));
      side.backend->generalized_advantage({.horizon = n(),
                                           .count = count,
                                           .rewards = put(side, rewards),
                                           .terminated = put(side, terminated),
                                           .truncated = put(side, truncated),
                                           .values = put(side, values),
                                           .discount = 0.99,
                                           .lambda = 0.95,
                                           .advantages = results,
                                           .returns = results + all});
      return results;
    });
  }
}

TEST_P(OpParity, GatheredRows) {
  constexpr std::int64_t kWidth = 3;
  std::vector<std::int64_t> index;
  for (std::int64_t i = 0; i < n(); ++i) index.push_back((7 * i + 3) % n());
  const auto source = draw(n() * kWidth);
  float* destination = nullptr;
  expect_equal(n() * kWidth, [&](Side& side) {
    destination = put(side, draw(capacity() * kWidth));
    side.backend->gather_rows({.rows = rows(side),
                               .width = kWidth,
                               .source = put(side, source),
                               .index = put(side, index),
                               .destination = destination});
    return destination;
  });
  expect_cleared(destination, kWidth);
}

TEST_P(OpParity, ValueLoss) {
  const auto values = draw(capacity()), returns = draw(capacity()), old = draw(capacity());
  for (const double clip : {0.0, 0.2}) {
    float* delta = nullptr;
    double losses[2] = {};
    expect_equal(n(), [&](Side& side) {
      DeviceArray<double> loss(*side.backend, 1);
      delta = put(side, draw(capacity()));
      side.backend->value_loss({.rows = rows(side),
                                .values = put(side, values),
                                .returns = put(side, returns),
                                .old_values = put(side, old),
                                .clip = clip,
                                .delta = delta,
                                .loss = loss.data()});
      losses[&side - sides_] = loss.read().front();
      return delta;
    });
    expect_cleared(delta, 1);
    EXPECT_NEAR(losses[1], losses[0], 1e-12);
  }
}

TEST_P(OpParity, ClippedAdam) {
  const std::int64_t sizes[] = {n(), 3 * n() + 1, 1};
  std::vector<std::vector<float>> initial;
  for (const std::int64_t size : sizes) {
    for (int part = 0; part < 4; ++part) initial.push_back(draw(size, 0.0, 1.0));
  }
  std::vector<double> norms[2];
  for (const int s : {0, 1}) {
    Side& side = sides_[s];
    DeviceArray<double> norm(*side.backend, 3), factor(*side.backend, 1);
    factor.write(std::vector<double>{0.5});
    std::vector<ParameterSlice> slices;
    for (std::size_t k = 0; k < 3; ++k) {
      slices.push_back({.value = put(side, initial[4 * k]),
                        .gradient = put(side, initial[4 * k + 1]),
                        .first_moment = put(side, initial[4 * k + 2]),
                        .second_moment = put(side, initial[4 * k + 3]),
                        .size = sizes[k],
                        .learning_rate = 0.1 * static_cast<double>(k + 1),
                        .gradient_norm = norm.data() + k});
    }
    std::int64_t* const step = put(side, std::vector<std::int64_t>{4});
    for (int repeat = 0; repeat < 2; ++repeat) {
      side.backend->clip_adam({.slices = slices.data(),
                               .slice_count = 3,
                               .clip = 0.5,
                               .rate_factor = factor.data(),
                               .step = step});
    }
    EXPECT_EQ(read(side, step, 1).front(), 6);
    norms[s] = norm.read();
  }
  EXPECT_TRUE(all_close(norms[1], norms[0], 1e-6, 0.0));
  for (std::size_t k = 0; k < sides_[0].floats.size(); ++k) {
    EXPECT_TRUE(
        all_close(sides_[1].floats[k].read(), as_double(sides_[0].floats[k].read()), 1e-6, 1e-7));
  }
}

INSTANTIATE_TEST_SUITE_P(Rows, OpParity, ::testing::Values(1, 2, 3, 127, 129, 1023, 1025, 2600));

}  // namespace
}  // namespace lpdm
