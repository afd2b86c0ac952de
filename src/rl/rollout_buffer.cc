#include "rl/rollout_buffer.h"

#include "lpdm/error.h"

namespace lpdm {

namespace {

// The λ that makes GAE what the rule says.
double lambda_of(const PpoConfig& ppo) {
  switch (ppo.advantage) {
    case AdvantageRule::kReturn:
      return 1.0;
    case AdvantageRule::kTd:
      return 0.0;
    case AdvantageRule::kGae:
      return ppo.gae_lambda;
  }
  throw Error("an advantage rule without a meaning was asked for");
}

}  // namespace

RolloutBuffer::RolloutBuffer(Backend& backend, Network& network, const Config& config)
    : backend_(backend),
      network_(network),
      discount_(config.algorithm.discount),
      lambda_(lambda_of(config.algorithm.ppo)),
      hidden_(backend, network),
      heads_(backend, network),
      row_count_(backend, 1),
      seen_count_(backend, 1) {}

bool RolloutBuffer::reserve(const HorizonRollout& rollout, std::int64_t seen) {
  const bool more_seen = seen > hidden_.capacity();
  if (more_seen) {
    hidden_.reserve(seen);
    heads_.reserve(seen);
    observations_ = DeviceArray<float>(backend_, hidden_.capacity() * network_.shape().input);
  }
  const std::int64_t rows = rollout.rows();
  if (rows <= rewards_.size()) return more_seen;
  const auto size = [&](const std::vector<float>& values) {
    return static_cast<std::int64_t>(values.size());
  };
  actions_ = DeviceArray<float>(backend_, size(rollout.actions));
  old_outputs_ = DeviceArray<float>(backend_, size(rollout.policy_outputs));
  rewards_ = DeviceArray<float>(backend_, rows);
  terminated_ = DeviceArray<std::uint8_t>(backend_, rows);
  truncated_ = DeviceArray<std::uint8_t>(backend_, rows);
  advantages_ = DeviceArray<float>(backend_, rows);
  returns_ = DeviceArray<float>(backend_, rows);
  return true;
}

void RolloutBuffer::upload(const HorizonRollout& rollout) {
  const std::int64_t first_final = rollout.rows() + rollout.count;
  observations_.write(rollout.observations);
  observations_.write(rollout.final_observations, first_final * network_.shape().input);
  actions_.write(rollout.actions);
  old_outputs_.write(rollout.policy_outputs);
  rewards_.write(rollout.rewards);
  terminated_.write(rollout.terminated);
  truncated_.write(rollout.truncated);
}

bool RolloutBuffer::load(const HorizonRollout& rollout) {
  size_ = rollout.rows();
  const std::int64_t seen = size_ + rollout.count + static_cast<std::int64_t>(rollout.ends.size());
  const bool reserved = reserve(rollout, seen);
  upload(rollout);
  row_count_.write(std::vector<std::int64_t>{size_});
  seen_count_.write(std::vector<std::int64_t>{seen});
  bucket_ = row_bucket(seen);
  const Rows all{.count = seen_count_.data(), .capacity = bucket_};
  hidden_.forward(all, observations_.data());
  heads_.forward(all, hidden_.features());
  backend_.generalized_advantage({.horizon = rollout.horizon,
                                  .count = rollout.count,
                                  .rewards = rewards_.data(),
                                  .terminated = terminated_.data(),
                                  .truncated = truncated_.data(),
                                  .values = heads_.values(),
                                  .discount = discount_,
                                  .lambda = lambda_,
                                  .advantages = advantages_.data(),
                                  .returns = returns_.data()});
  return reserved;
}

}  // namespace lpdm
