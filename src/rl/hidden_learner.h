// How the hidden layers learn: by their local loss, by backpropagation, or not at all.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "lpdm/backend.h"
#include "lpdm/config.h"
#include "lpdm/network.h"
#include "lpdm/update.h"
#include "nn/activations.h"
#include "rl/rollout_rows.h"
#include "rl/row_sampler.h"

namespace lpdm {

// Whether layers learn from pairs of a batch some of which can be compared before the others are
// known: all pairs, or those with landmarks.
bool begins_early(const HiddenConfig& hidden);

// Borrows the network and its activations. Per update: prepare_target, which may be left out,
// compute_gradients, then step; under backprop the hidden layers' step is made with the policy
// head's (shared_slices). As a listener it lets the backend begin with the local loss of rows that
// are still being played.
class HiddenLearner final : public RowListener {
 public:
  HiddenLearner(Backend& backend, Network& network, HiddenActivations& activations,
                const Config& config);

  // What the local loss needs besides the activations.
  struct Inputs {
    Rows rows;
    const float* values = nullptr;                         // (N), guides the loss if hidden.guided
    const std::int64_t* iteration = nullptr;               // names the landmark draw
    const std::vector<std::int64_t>* landmarks = nullptr;  // instead of drawn ones; may be null
    // As in PairwiseTarget, for hidden.block episode; null where rows are no whole episodes.
    const std::int64_t* episode_ends = nullptr;
    const std::int64_t* episode_count = nullptr;
    bool diagnostics = false;
    bool played = false;  // these are the rows that were listened to
  };

  // Whether there is anything to gain by listening; it is to listen then. iteration: as of the
  // inputs to come, and known as soon as their rows are played.
  bool follow_rows(const std::int64_t* iteration);
  void expect(std::int64_t capacity) override;
  void played(std::int64_t rows) override;
  void pause() noexcept override;

  // What the local loss needs of the network's input, and of inputs.values if it is guided: it may
  // run beside the forward pass whose results compute_gradients, with the same inputs, learns from.
  void prepare_target(const Inputs& inputs);
  bool guided() const { return hidden_.loss.guided; }
  // Gradients of all hidden layers; for backpropagation from the heads' deltas, else `heads` may be
  // null. The local loss is evaluated where it is learned from, and for the diagnostics.
  void compute_gradients(const Inputs& inputs, HeadActivations* heads);

  // One clipped Adam step for each hidden layer that learns by its local loss. rate_factor: in
  // backend memory.
  void step(const double* rate_factor);
  // Under backprop the hidden layers, which form one group with the policy head; else empty.
  std::vector<ParameterSlice> shared_slices();

  // Adds the layers' state at the latest compute_gradients and step, and a sample of its rows.
  void diagnose(const Inputs& inputs, UpdateReport& report);
  // Throws NumericalError if something is not finite. diagnostics: as of the latest inputs.
  void check_finite(bool diagnostics);

 private:
  bool evaluates_local_loss(bool diagnostics) const;
  ParameterSlice slice(std::size_t layer);
  LocalLoss local_loss(const PairwiseTarget& target, bool gradient, bool prepared);
  RowFollower* follower_of(const Inputs& inputs) const {
    return inputs.played && following_ ? follower_.get() : nullptr;
  }
  void evaluate_local_loss(const Inputs& inputs, bool gradient);
  std::int64_t select_landmarks(const Inputs& inputs);  // returns their capacity
  PairwiseTarget target(const Inputs& inputs);
  std::vector<LayerDiagnostics> diagnostics(const Inputs& inputs);

  Backend& backend_;
  Network& network_;
  HiddenActivations& activations_;
  HiddenConfig hidden_;
  double value_scale_;
  std::uint64_t seed_;
  DeviceArray<float> shift_;                             // (capacity)
  DeviceArray<std::int64_t> landmarks_;                  // (M)
  DeviceArray<std::int64_t> landmark_count_;             // (1)
  DeviceArray<TargetScales> scales_;                     // (1)
  DeviceArray<LocalLossStatistics> statistics_;          // (hidden layers)
  DeviceArray<ActivationSummary> activation_summaries_;  // (hidden layers)
  std::optional<PairwiseTarget> target_;                 // prepared and not yet used
  std::vector<LocalLossLayer> layers_;                   // of the latest local_loss
  std::unique_ptr<RowFollower> follower_;                // null: nothing can be begun early
  bool following_ = false;                               // it has begun with the next loss
  std::optional<RowSampler> sampler_;                    // none: no samples are wanted
};

}  // namespace lpdm
