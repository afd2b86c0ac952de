#include "rl/minibatch.h"

namespace lpdm {

Minibatch::Minibatch(Backend& backend, Network& network, std::int64_t capacity,
                     std::int64_t action_width, bool on_features)
    : backend_(backend),
      capacity_(capacity),
      on_features_(on_features),
      input_width_(on_features ? network.head().in() : network.shape().input),
      output_width_(network.head().out()),
      action_width_(action_width),
      inputs_(backend, capacity * input_width_),
      actions_(backend, capacity * action_width),
      old_outputs_(backend, capacity * output_width_),
      old_values_(backend, capacity),
      advantages_(backend, capacity),
      returns_(backend, capacity) {}

void Minibatch::gather(RolloutBuffer& buffer, const std::int64_t* index, const std::int64_t* count,
                       bool normalize) {
  count_ = count;
  const auto take = [&](const float* source, std::int64_t width, DeviceArray<float>& to) {
    backend_.gather_rows({.rows = rows(),
                          .width = width,
                          .source = source,
                          .index = index,
                          .destination = to.data()});
  };
  take(on_features_ ? buffer.hidden().features() : buffer.observations(), input_width_, inputs_);
  take(buffer.actions(), action_width_, actions_);
  take(buffer.old_outputs(), output_width_, old_outputs_);
  take(buffer.old_values(), 1, old_values_);
  take(buffer.advantages(), 1, advantages_);
  take(buffer.returns(), 1, returns_);
  if (!normalize) return;
  backend_.advantages(
      {.rows = rows(), .returns = advantages_.data(), .advantages = advantages_.data()});
}

}  // namespace lpdm
