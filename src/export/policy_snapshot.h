// A trained policy as plain values: what leaves lpdm in an exported file.
//
//   x       = observation, or clip((observation - shift) * scale, ±limit) where it is normalised
//   h       = activation(W h' + b) through the hidden layers, from h' = x
//   output  = W h + b of the head: logits of a discrete policy, means of a Gaussian one
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lpdm/config.h"
#include "lpdm/environment.h"
#include "lpdm/trainer.h"

namespace lpdm {

struct PolicySnapshot {
  struct Layer {
    std::string name;  // hidden.0, …, head
    std::int64_t in = 0;
    std::int64_t out = 0;
    Activation activation = Activation::kIdentity;
    std::vector<float> weight;  // (out, in)
    std::vector<float> bias;    // (out)
  };
  struct Scaling {
    std::vector<double> shift;  // (observation_size)
    std::vector<double> scale;  // (observation_size)
    double limit = 0.0;
  };

  std::string environment;
  std::int64_t observation_size = 0;
  ActionSpace action;
  std::optional<Scaling> scaling;  // none: observations enter as they are
  std::vector<Layer> layers;
  std::vector<float> std;  // (action.size), of a Gaussian policy; empty if discrete

  // The first observation of an evaluation and what the policy says to it.
  std::vector<float> example_observation;
  std::vector<float> example_output;

  // What the policy is and where it comes from, by name.
  std::vector<std::pair<std::string, std::string>> facts;

  // What the output is called: "logits" or "mean".
  const char* output_name() const { return action.discrete ? "logits" : "mean"; }
};

PolicySnapshot take_snapshot(Trainer& trainer);

const char* activation_name(Activation activation);

}  // namespace lpdm
