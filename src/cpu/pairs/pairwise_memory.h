// How much scratch memory the local loss will take, before anything is allocated.
#pragma once

#include <cstdint>
#include <vector>

#include "lpdm/config.h"

namespace lpdm::cpu {

// One update's local loss. gradient: false where only its statistics are wanted.
struct PairwiseWork {
  double rows = 0;                    // N
  double groups = 1;                  // equal parts whose pairs are formed: 1, or the episodes
  std::int64_t input = 0;             // width of the network's input
  std::vector<std::int64_t> outputs;  // widths of the hidden layers
  LocalLossConfig loss;
  bool gradient = true;
  bool tanh = true;    // the hidden layers' activation
  bool fixed = false;  // backend.arithmetic
  std::int64_t threads = 1;
};

// [bytes], an upper bound, also for parts of unequal size up to rows / groups, that follows the
// buffers of InputTarget, PairMask, StreamedLayer, StoredLayer, StoredPass, DistanceStore, TieMap,
// LevelBlocks, LandmarkPass, LowRankPass and WorkerTiles one by one. In floating point, since N may
// be any product of two settings.
double pairwise_scratch_bytes(const PairwiseWork& work);

// Rows of which the distances are formed while they come (EarlyDistances, EarlyLandmarks), at most.
double most_followed_rows(const PairwiseWork& work);

}  // namespace lpdm::cpu
