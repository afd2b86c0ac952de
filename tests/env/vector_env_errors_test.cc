// What a VectorEnv refuses, and what the message says.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "io/usage_error.h"
#include "lpdm/vector_env.h"

namespace lpdm {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

void reset_all(VectorEnv& envs) {
  for (std::int64_t e = 0; e < envs.count(); ++e) {
    envs.reset(e, RandomStream(
                      1, {StreamPurpose::kEnvironmentReset, static_cast<std::uint32_t>(e), 0, 0}));
  }
}

template <typename Expected>
void expect_error(VectorEnv& envs, const std::vector<std::int64_t>& rows,
                  std::initializer_list<std::string> parts) {
  const std::string message = message_of<Expected>([&] { envs.step(rows); });
  for (const std::string& part : parts) {
    EXPECT_NE(message.find(part), std::string::npos) << "no \"" << part << "\" in: " << message;
  }
}

TEST(VectorEnvErrorsTest, RefusesNonFiniteActionsBeforeAnythingMoves) {
  for (const int threads : {1, 3}) {
    ThreadPool pool(threads);
    VectorEnv envs("Hopper-v4", {}, 3, 0, pool);
    reset_all(envs);
    std::ranges::fill(envs.actions(), 0.1F);
    envs.step(std::vector<std::int64_t>{0, 1, 2});
    const std::vector<float> before(envs.observations().begin(), envs.observations().end());
    envs.actions()[3 * 1 + 2] = kNan;
    expect_error<NumericalError>(
        envs, {0, 1, 2}, {"Hopper-v4", "environment 1", "action[2]", "step 2", "nan", "finite"});
    envs.actions()[3 * 1 + 2] = -kInfinity;
    expect_error<NumericalError>(envs, {0, 1, 2}, {"environment 1", "-inf"});
    EXPECT_TRUE(std::ranges::equal(before, envs.observations()));
    EXPECT_EQ(envs.elapsed()[0], 1);
    envs.step(std::vector<std::int64_t>{0, 2});  // the rows of others do not matter
    EXPECT_EQ(envs.elapsed()[0], 2);
  }
}

TEST(VectorEnvErrorsTest, RefusesDiscreteActionsOutOfRange) {
  ThreadPool pool(1);
  VectorEnv envs("Acrobot-v1", {}, 2, 0, pool);
  reset_all(envs);
  for (const float bad : {-1.0F, 3.0F, 0.5F, kNan, kInfinity}) {
    envs.actions()[1] = bad;
    expect_error<NumericalError>(envs, {0, 1}, {"Acrobot-v1", "environment 1", "step 1"});
  }
  envs.actions()[1] = 2.0F;
  envs.step(std::vector<std::int64_t>{0, 1});
}

// A noise scale that puts the pendulum's positions beyond float32.
TEST(VectorEnvErrorsTest, NamesAnObservationThatIsNotFinite) {
  ThreadPool pool(1);
  VectorEnv envs("HalfCheetah-v4", {{"reset_noise_scale", {1e60}}}, 2, 0, pool);
  const std::string message = message_of<NumericalError>([&] { reset_all(envs); });
  EXPECT_NE(message.find("HalfCheetah-v4, environment 0: observation["), std::string::npos)
      << message;
}

TEST(VectorEnvErrorsTest, RefusesEnvironmentsWithoutARunningEpisode) {
  ThreadPool pool(1);
  VectorEnv envs("CartPole-v1", {}, 2, 1, pool);
  expect_error<Error>(envs, {1}, {"environment 1", "CartPole-v1", "reset"});
  reset_all(envs);
  envs.step(std::vector<std::int64_t>{1});
  EXPECT_EQ(envs.truncated()[1], 1);
  expect_error<Error>(envs, {0, 1}, {"environment 1", "reset"});
  EXPECT_EQ(envs.elapsed()[0], 0);
}

TEST(VectorEnvErrorsTest, RefusesRowsThatDoNotExist) {
  ThreadPool pool(1);
  VectorEnv envs("CartPole-v1", {}, 2, 0, pool);
  reset_all(envs);
  expect_error<Error>(envs, {2}, {"environment 2"});
  expect_error<Error>(envs, {-1}, {"environment -1"});
  EXPECT_THROW(envs.reset(2, RandomStream(1, {StreamPurpose::kEnvironmentReset})), Error);
}

TEST(VectorEnvErrorsTest, RefusesImpossibleSizes) {
  ThreadPool pool(1);
  expect_usage_error([&] { VectorEnv("CartPole-v1", {}, 0, 0, pool); }, {"at least 1", "0"});
  expect_usage_error([&] { VectorEnv("CartPole-v1", {}, 1, -1, pool); }, {"CartPole-v1", "-1"});
  expect_usage_error([&] { VectorEnv("Cart", {}, 1, 0, pool); }, {"Cart"});
}

}  // namespace
}  // namespace lpdm
