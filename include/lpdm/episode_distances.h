// The matrices that the local loss compares (docs/method.md), of one episode: to be looked at.
#pragma once

#include <cstdint>
#include <vector>

namespace lpdm {

struct LayerDistances {
  std::int64_t width = 0;        // of the layer
  double loss = 0.0;             // the local loss of these rows
  double correlation = 0.0;      // of T with D̄_Y
  std::vector<float> distances;  // (N, N), D̄_Y
};

// All as if the N rows were the whole batch and all their pairs entered the loss.
struct EpisodeDistances {
  std::int64_t rows = 0;           // N, in the order of time
  std::int64_t length = 0;         // of the episode; larger than N if rows were left out
  double return_sum = 0.0;         // of the episode
  std::vector<float> target = {};  // (N, N), T; guided if hidden.guided
  std::vector<LayerDistances> layers = {};
};

}  // namespace lpdm
