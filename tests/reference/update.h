// One REINFORCE update of a whole network in float64, as plainly as method.md's section 8 states
// it.
#pragma once

#include <cstdint>
#include <vector>

#include "lpdm/config.h"
#include "reference/local_loss.h"

namespace lpdm::reference {

struct LayerParameters {
  Values weight;  // (out, in)
  Values bias;    // (out)
};

struct UpdateBatch {
  std::int64_t n = 0;
  std::int64_t dim = 0;
  Values x;                             // (n, dim)
  Values actions;                       // (n) indices, or (n, actions)
  Values rewards;                       // (n), one episode
  std::vector<std::int64_t> landmarks;  // empty: all pairs
};

// A network with tanh hidden layers, its optimisers, and the update rule.
class ReferenceTrainer {
 public:
  ReferenceTrainer(std::vector<LayerParameters> layers, bool discrete, const Config& config);

  // Losses before the step: one per hidden layer (lpdm only), then the policy loss.
  Values update(const UpdateBatch& batch);
  const std::vector<LayerParameters>& layers() const { return layers_; }

 private:
  struct Moments {
    Values first, second;
    std::int64_t step = 0;
  };

  void clip_and_step(std::size_t first_layer, std::size_t last_layer,
                     const std::vector<LayerParameters>& gradients, double clip);

  std::vector<LayerParameters> layers_;
  std::vector<Moments> moments_;
  bool discrete_;
  Config config_;
};

Values normalized_returns(const Values& rewards, double discount);

}  // namespace lpdm::reference
