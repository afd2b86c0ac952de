#include "rl/rollout_rows.h"

#include <algorithm>
#include <cstring>

namespace lpdm {

RolloutRows::RolloutRows(Backend& backend, Network& network, std::int64_t spare)
    : backend_(backend),
      spare_(spare),
      width_(network.shape().input),
      outputs_(network.shape().output),
      widths_(network.shape().hidden),
      hidden_(backend, network),
      heads_(backend, network),
      next_hidden_(widths_.size()) {}

RolloutRows::Playing::Playing(RolloutRows& rows) : rows_(rows) {
  rows_.clear();
  if (rows_.listener_ == nullptr) return;
  rows_.listener_->expect(rows_.capacity());
  rows_.listening_ = true;
}

RolloutRows::Playing::~Playing() {
  if (rows_.listening_) rows_.listener_->pause();
  rows_.listening_ = false;
}

RolloutRows::Row RolloutRows::next() {
  reserve(played_ + 1 + spare_);
  // Rows of which the listener does not hear are not those that it heard of before.
  if (played_ == 0 && listener_ != nullptr && !listening_) listener_->expect(0);
  for (std::size_t l = 0; l < widths_.size(); ++l) {
    next_hidden_[l] = hidden_.output(l) + played_ * widths_[l];
  }
  return {.observation = observations_.data() + played_ * width_,
          .hidden = next_hidden_.data(),
          .output = heads_.policy() + played_ * outputs_};
}

bool RolloutRows::holds(std::span<const float> observations) const {
  const auto size = static_cast<std::size_t>(played_ * width_);
  return observations.size() == size && size > 0 &&
         std::memcmp(observations.data(), observations_.data(), observations.size_bytes()) == 0;
}

void RolloutRows::reserve(std::int64_t rows) {
  if (rows <= capacity()) return;
  if (listener_ != nullptr) listener_->pause();
  hidden_.reserve(rows, played_);
  heads_.reserve(rows, played_);
  observations_ =
      DeviceArray<float>(backend_, capacity() * width_, observations_, played_ * width_);
  hidden_.set_input(observations_.data());
  heads_.set_features(hidden_.features());
  if (listener_ != nullptr) listener_->expect(listening_ ? capacity() : 0);
}

void RolloutRows::write(std::span<const float> observations, std::int64_t first) {
  observations_.write(observations, first * width_);
  played_ = std::min(played_, first);
}

void RolloutRows::forward_hidden(std::int64_t first, const Rows& rows) {
  hidden_.forward_from(first, rows, observations_.data());
}

}  // namespace lpdm
