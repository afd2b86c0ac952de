#include "common/checks.h"
#include "common/fork.h"
#include "landmarks/finish_landmarks.h"
#include "landmarks/landmark_gradient.h"
#include "landmarks/landmark_loss.h"
#include "landmarks/landmark_maxima.h"
#include "landmarks/landmark_sums.h"
#include "landmarks/landmark_target.h"
#include "pairs/layer_weights.h"

namespace lpdm::cuda {

namespace {

std::int64_t landmark_capacity(const PairwiseTarget& target) {
  return target.landmark_capacity > 0 ? target.landmark_capacity : target.rows.capacity;
}

LandmarkPairs landmark_pairs(const Context& context, const PairwiseTarget& target) {
  LandmarkPairs pairs{.row_count = target.rows.count,
                      .row_capacity = target.rows.capacity,
                      .landmarks = target.landmarks,
                      .landmark_count = target.landmark_count,
                      .landmark_capacity = static_cast<int>(landmark_capacity(target)),
                      .shift = target.shift,
                      .stride = round_up(target.rows.capacity, kRowPadding)};
  // Large blocks issue fewer instructions; small ones are faster where large ones would leave a
  // third of the device without any.
  pairs.few_rows = 3 * landmark_grid(pairs).blocks() <= 2 * context.device.multiprocessors;
  return pairs;
}

void run_layer(Context& context, const LocalLoss& op, const LandmarkPairs& pairs,
               const LandmarkTarget& target, const LocalLossLayer& layer) {
  const LayerOptions options = layer_options(op, layer, op.target.dim);
  auto* state = context.scratch<LayerState>(1);
  check(cudaMemsetAsync(state, 0, sizeof(LayerState), context.stream), "clearing memory");
  auto* distances = context.scratch<float>(pairs.landmark_capacity * pairs.stride);
  const RowQuads output = row_quads(context, op.target.rows, layer.output, layer.out);
  const PairScratch scratch = make_pair_scratch(context, landmark_grid(pairs));
  context.stage("pass 1", [&] {
    sum_landmark_pairs(context, pairs, target, output, options, scratch, distances, state);
  });
  context.stage("maxima", [&] {
    settle_landmark_maxima(context, pairs, target, distances, layer, options, scratch, state);
  });
  if (!options.gradient) return;
  LandmarkEnds ends;
  context.stage("pass 2", [&] {
    ends = add_landmark_gradient(context, pairs, target, distances, output, layer, options, state);
  });
  context.stage("finish",
                [&] { finish_landmarks(context, pairs, layer, options.metric, state, ends); });
}

}  // namespace

bool takes_few_landmarks(const Context& context, const PairwiseTarget& target, TargetRule rule) {
  return target.landmarks != nullptr && landmark_capacity(target) <= kMostLandmarks &&
         rule == TargetRule::kInput && target.sparse == SparsePairs::kNone &&
         target.episode_ends == nullptr && target.low_rank == 0 &&
         landmark_gradient_bytes(static_cast<int>(landmark_capacity(target))) <=
             context.device.shared_per_block;
}

void landmark_statistics(Context& context, const TargetStatistics& op) {
  form_landmark_target(context, landmark_pairs(context, op.target), op.target, op.scales);
}

void landmark_loss(Context& context, const LocalLoss& op) {
  const LandmarkPairs pairs = landmark_pairs(context, op.target);
  const LandmarkTarget target = formed_landmark_target(context, pairs, op.target, op.scales);
  fork_join(context, static_cast<std::size_t>(op.layer_count), [&](std::size_t l, Context& side) {
    run_layer(side, op, pairs, target, op.layers[l]);
  });
}

}  // namespace lpdm::cuda
