// The local loss over few landmarks: two passes over N·M pairs and no others.
//
// Distances of the inputs, which the statistics of the target leave behind, and each layer's stand
// in memory, 4 bytes a pair. Pass 1 forms the layer's, their sums and their maximum; pass 2 forms
// each pair's coefficient once and adds it to the gradients of both of its rows. Both make T of the
// inputs' distances as they read them.
#pragma once

#include "common/context.h"
#include "lpdm/ops.h"

namespace lpdm::cuda {

// Whether landmark_statistics and landmark_loss take these pairs, whatever the arithmetic: they
// compute in float32. All others are pairs/'s: more than 64 landmarks (on GPUs with less than 116
// kB of shared memory for a block, more than 56 or so), and error propagation.
bool takes_few_landmarks(const Context& context, const PairwiseTarget& target, TargetRule rule);

void landmark_statistics(Context& context, const TargetStatistics& op);
void landmark_loss(Context& context, const LocalLoss& op);

}  // namespace lpdm::cuda
