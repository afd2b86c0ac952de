#include "common/checks.h"
#include "common/fork.h"
#include "landmarks/landmark_loss.h"
#include "lowrank/lowrank_loss.h"
#include "lpdm/error.h"
#include "ops/local_loss.h"
#include "pairs/column_order.h"
#include "pairs/finish_gradient.h"
#include "pairs/landmark_order.h"
#include "pairs/largest_entry.h"
#include "pairs/layer_weights.h"
#include "pairs/pack_rows.h"
#include "pairs/packed_outputs.h"
#include "pairs/pair_gradient.h"
#include "pairs/pair_sides.h"
#include "pairs/pair_sums.h"
#include "pairs/row_limits.h"
#include "pairs/settle_maxima.h"

namespace lpdm::cuda {

namespace {

// The op, its pairs and the target that its layers share.
struct LossPass {
  const LocalLoss& op;
  PairDomains domains;
  TargetView target;
};

// The same view from the other side.
TargetView turned(TargetView view) {
  std::swap(view.rows, view.columns);
  for (int l = 0; l < view.links; ++l) std::swap(view.chain[l].rows, view.chain[l].columns);
  return view;
}

LayerView turned(LayerView view) {
  std::swap(view.rows, view.columns);
  std::swap(view.stored, view.mirrored);
  return view;
}

LossPass prepare(Context& context, const LocalLoss& op) {
  const PairwiseTarget& target = op.target;
  LossPass pass{op, make_domains(context, target), {}};
  const auto pack = [&](const PairSide& side) {
    return pack_rows(context, side, target.input, target.dim, target.metric, Arithmetic::kFp32);
  };
  pass.target.rows = pack(pass.domains.all.rows);
  pass.target.columns = pass.domains.landmarks ? pack(pass.domains.all.columns) : pass.target.rows;
  pass.target.scales = op.scales;
  pass.target.one_plus = op.error_rule == ErrorRule::kOnePlus;
  if (target.sparse != SparsePairs::kNone) {
    pass.domains.all.limits =
        find_row_limits(context, pass.domains.all, pass.target, target.metric, target.sparse);
    pass.domains.from_batch = pass.domains.all;
  }
  return pass;
}

// Keeps T and D between the passes where memory allows: it saves forming them a second time.
void store_pairs(Context& context, const LossPass& pass, LayerView& view) {
  constexpr std::int64_t kFewLandmarks = 512;  // 8 KiB a row of the batch at most
  constexpr std::size_t kMostOfDevice = 16;    // a layer takes no more than this part of its memory
  const PairDomains& domains = pass.domains;
  const std::int64_t rows = round_up(domains.all.rows.capacity, kTileColumns);
  const std::int64_t columns = round_up(domains.all.columns.capacity, kTileColumns);
  const std::int64_t matrices = domains.landmarks ? 4 : 2;
  const auto bytes = static_cast<std::size_t>(matrices * rows * columns) * sizeof(float);
  const bool few =
      domains.landmarks && rows <= kFewLandmarks && bytes <= context.device.memory / kMostOfDevice;
  const auto layers = static_cast<std::size_t>(pass.op.layer_count);
  if (!few && bytes > context.memory_budget / layers) return;
  // Of a tile that the gradient reads, what no episode has pairs in may not have been formed.
  const bool gaps = domains.all.episode_begin != nullptr;
  const auto matrix = [&] {
    auto* entries = context.scratch<float>(rows * columns);
    const auto size = static_cast<std::size_t>(rows * columns) * sizeof(float);
    if (gaps) check(cudaMemsetAsync(entries, 0, size, context.stream), "clearing memory");
    return entries;
  };
  view.stored = {matrix(), matrix(), columns};
  view.mirrored = domains.landmarks ? StoredPairs{matrix(), matrix(), rows} : view.stored;
}

LayerView pack_layer(Context& context, const LossPass& pass, const LocalLossLayer& layer) {
  const Metric metric = pass.op.target.metric;
  LayerView view;
  view.arithmetic = layer_arithmetic(context.arithmetic, pass.op, layer);
  const auto pack = [&](const PairSide& side) {
    return pack_rows(context, side, layer.output, layer.out, metric, view.arithmetic);
  };
  const std::optional<PackedRows> packed =
      layer.prepared && !pass.domains.landmarks
          ? find_packed_output(context, layer.output, layer.out, pass.domains.batch.capacity,
                               view.arithmetic)
          : std::nullopt;
  view.rows = packed ? *packed : pack(pass.domains.all.rows);
  view.columns = pass.domains.landmarks ? pack(pass.domains.all.columns) : view.rows;
  if (pass.op.target_rule == TargetRule::kInput) store_pairs(context, pass, view);
  return view;
}

// The gradient of the rows of one side of the pairs.
GradientParts side_gradient(Context& context, const PairDomain& domain, const TargetView& target,
                            const LayerView& view, const LayerOptions& options,
                            const OrderedRows& rows, const OrderedRows& columns,
                            const LayerState* state) {
  const TileGrid grid = gradient_grid(domain, context.device.multiprocessors);
  const GradientParts parts = make_gradient_parts(context, grid, rows.width);
  add_pair_gradient(context, grid, domain, target, view, options, rows, columns, state, parts);
  return parts;
}

// What decides the directions of the pairs of both sides.
struct SideOrders {
  OrderedRows batch, landmarks;
};

SideOrders order_sides(Context& context, const LossPass& pass, const LocalLossLayer& layer) {
  const PairDomains& domains = pass.domains;
  const Metric metric = pass.op.target.metric;
  const PairSide& landmarks = domains.all.rows;
  const bool few =
      domains.landmarks && metric == Metric::kL1 && landmarks.capacity <= kMostOrderedLandmarks;
  SideOrders orders;
  orders.batch =
      few ? order_among_landmarks(context, domains.batch, landmarks, layer.output, layer.out)
          : order_columns(context, domains.batch, layer.output, layer.out, metric);
  if (domains.landmarks) orders.landmarks = gather_order(context, landmarks, orders.batch);
  return orders;
}

void write_gradient(Context& context, const LossPass& pass, const LocalLossLayer& layer,
                    const TargetView& target, const LayerView& view, const LayerOptions& options,
                    const SideOrders& orders, const LayerState* state) {
  const PairDomains& domains = pass.domains;
  GradientParts parts, of_landmarks;
  context.stage("pass 2", [&] {
    if (domains.landmarks) {
      of_landmarks = side_gradient(context, domains.all, target, view, options, orders.landmarks,
                                   orders.batch, state);
      parts = side_gradient(context, domains.from_batch, turned(target), turned(view), options,
                            orders.batch, orders.landmarks, state);
    } else {
      parts = side_gradient(context, domains.all, target, view, options, orders.batch, orders.batch,
                            state);
    }
  });
  context.stage("finish", [&] {
    finish_gradient(context, domains.from_batch, layer, pass.op.target.metric, orders.batch.width,
                    state, parts, of_landmarks);
  });
}

// target_dim: the width of the rows whose distances T is made of. Returns where the layer's error
// weights will be.
LayerState* run_layer(Context& context, const LossPass& pass, const TargetView& target,
                      const LocalLossLayer& layer, const LayerView& view, std::int64_t target_dim) {
  const LayerOptions options = layer_options(pass.op, layer, target_dim);
  auto* state = context.scratch<LayerState>(1);
  check(cudaMemsetAsync(state, 0, sizeof(LayerState), context.stream), "clearing memory");
  const TileGrid grid = tile_grid(pass.domains.all, context.device.multiprocessors);
  const PairScratch scratch = make_pair_scratch(context, grid);
  Context& aside = fork(context, 0);  // the order is not needed before pass 2
  SideOrders orders;
  if (options.gradient) {
    aside.stage("order", [&] { orders = order_sides(aside, pass, layer); });
  }
  if (context.profiled()) join(context, aside);
  context.stage("pass 1", [&] {
    sum_pairs(context, grid, pass.domains.all, target, view, options, scratch, state);
  });
  context.stage("maxima", [&] {
    settle_maxima(context, grid, pass.domains.all, target, view, options, scratch, layer.output,
                  layer.out, state, layer.statistics);
  });
  join(context, aside);
  if (options.gradient) {
    write_gradient(context, pass, layer, target, view, options, orders, state);
  }
  return state;
}

// From the error of a layer to the target of the next one.
void add_link(Context& context, const LossPass& pass, const LayerView& view,
              const LayerState* state, TargetView& target) {
  const TileGrid grid = tile_grid(pass.domains.all, context.device.multiprocessors);
  const PairwiseTarget& options = pass.op.target;
  auto* link = context.scratch<ErrorLink>(1);
  target.chain[target.links] = {view.rows, view.columns, &state->weights, link};
  find_largest(context, grid, pass.domains.all, target, options.metric, TargetStep::kError,
               {.use = LargestUse::kErrorScale,
                .error_scale = &link->error_scale,
                .weights = &state->weights});
  ++target.links;
  find_scales(context, grid, pass.domains.all, target, options, &link->scales);
}

void propagate_errors(Context& context, const LossPass& pass) {
  const LocalLoss& op = pass.op;
  if (op.layer_count > kMostLinks) {
    throw UsageError(
        "error propagation through more than 16 hidden layers was asked for on a GPU; "
        "set hidden.target to input or use --device cpu");
  }
  TargetView target = pass.target;
  for (std::int64_t l = 0; l < op.layer_count; ++l) {
    const LayerView view = pack_layer(context, pass, op.layers[l]);
    const std::int64_t target_dim = l > 1 ? op.layers[l - 2].out : op.target.dim;
    const LayerState* state = run_layer(context, pass, target, op.layers[l], view, target_dim);
    if (l + 1 < op.layer_count) add_link(context, pass, view, state, target);
  }
}

}  // namespace

void local_loss(Context& context, const LocalLoss& op) {
  if (op.target.low_rank > 0) {
    low_rank_loss(context, op);
    return;
  }
  if (takes_few_landmarks(context, op.target, op.target_rule)) {
    landmark_loss(context, op);
    return;
  }
  const LossPass pass = prepare(context, op);
  if (op.target_rule == TargetRule::kErrorPropagation) {
    propagate_errors(context, pass);
    return;
  }
  fork_join(context, static_cast<std::size_t>(op.layer_count), [&](std::size_t l, Context& side) {
    const LayerView view = pack_layer(side, pass, op.layers[l]);
    run_layer(side, pass, pass.target, op.layers[l], view, op.target.dim);
  });
}

}  // namespace lpdm::cuda
