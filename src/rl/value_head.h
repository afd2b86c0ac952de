// The value head as an update sees it: the squared error to the returns, and its own optimiser.
#pragma once

#include "lpdm/backend.h"
#include "lpdm/config.h"
#include "lpdm/network.h"
#include "nn/activations.h"

namespace lpdm {

class ValueHead {
 public:
  // Borrows backend and network, which must have a value head.
  ValueHead(Backend& backend, Network& network, const Config& config);

  // What the values are fitted to.
  struct Targets {
    Rows rows;
    const float* returns = nullptr;     // (N)
    const float* old_values = nullptr;  // (N), where the loss is to be clipped around them
    double clip = 0.0;                  // 0: off
    double* loss = nullptr;
  };
  // Writes the head's delta and gradients, and the loss.
  void loss(HeadActivations& heads, const Targets& targets);

  // One clipped Adam step. rate_factor: in backend memory.
  void step(const double* rate_factor);

 private:
  Backend& backend_;
  Network& network_;
  double learning_rate_;
  double grad_clip_;
};

}  // namespace lpdm
