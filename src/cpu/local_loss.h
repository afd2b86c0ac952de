// The local loss of all hidden layers and its gradient, in one pass over the pairs and O(N·D)
// memory.
//
// The gradient is linear in E = s_T·T − (s_Y/m)·D_Y once m = max D_Y is known. A few furthest-point
// sweeps nearly always find m beforehand, so each tile of pairs is visited once: T, D_Y, E, its
// sums and both blocks' gradients. If a tile shows a larger distance, or more pairs share the
// maximum than are worth listing, that layer's pass is repeated with what is then known; the result
// is exact either way.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "cpu/context.h"
#include "cpu/pair_blocks.h"
#include "cpu/pair_schedule.h"
#include "cpu/pairwise_error.h"
#include "lpdm/ops.h"

namespace lpdm::cpu {

class LocalLossPass {
 public:
  explicit LocalLossPass(Context& context);

  // *op.scales must hold the result of target_statistics for the same target.
  void run(const LocalLoss& op);

  PackedBlocks& input_blocks() { return input_; }

 private:
  struct Pair {
    std::int64_t first, second;  // batch rows
  };

  // One layer during a run.
  struct Layer {
    explicit Layer(Context& context) : blocks(context), strip_gradient(context.memory) {}

    LocalLossLayer spec;
    PackedBlocks blocks;
    Scratch<float> strip_gradient;     // (tasks, panels, kTile, kPanelWidth)
    std::int64_t panels_size = 0;      // floats of one task in strip_gradient
    double target_weight = 0.0;        // s_T
    double output_weight = 0.0;        // s_Y
    float maximum = 0.0F;              // max D_Y, as far as known
    float value_scale = 1.0F;          // GradientTile::value_scale
    double maximum_coefficient = 0.0;  // E-units, for every pair at the maximum; 0: listed instead
    PairSums sums;
    std::int64_t maxima_count = 0;  // unordered pairs at the maximum
    std::vector<Pair> maxima;       // the first kMaxListed of them
    bool wants_gradient() const { return spec.delta != nullptr; }
  };

  // What a task found in one layer.
  struct Found {
    PairSums sums;
    std::int64_t maxima_count = 0;
    std::vector<Pair> maxima;
  };

  struct WorkerScratch {
    explicit WorkerScratch(MemoryCounter& memory) : tiles(memory), columns(memory) {}
    Scratch<float> tiles;    // T, D_Y and coefficients
    Scratch<float> columns;  // every layer's column panels
  };

  void prepare(const LocalLoss& op);
  void pass(const std::vector<Layer*>& layers);
  void run_task(const std::vector<Layer*>& layers, std::int64_t strip, std::int64_t task,
                WorkerScratch& scratch);
  void run_tile(Layer& layer, std::int64_t strip, std::int64_t task, std::int64_t block,
                const float* target, float* distances, float* coefficients, const float* columns,
                Found& found);
  void form_target(std::int64_t strip, std::int64_t block, float* tile) const;
  void add_diagonal(const Layer& layer, std::int64_t strip, const float* target,
                    PairSums& sums) const;
  void list_maxima(const Layer& layer, std::int64_t strip, std::int64_t block,
                   const float* distances, Found& found) const;
  void reduce_strip(Layer& layer, std::int64_t strip);
  bool settle(Layer& layer) const;
  void finish(Layer& layer);
  void add_listed_maxima(Layer& layer);

  static constexpr std::int64_t kMaxListed = 256;

  Context& context_;
  const LocalLoss* op_ = nullptr;
  std::unique_ptr<PairLayout> layout_;
  std::unique_ptr<PairSchedule> schedule_;
  PackedBlocks input_;
  std::vector<float> shifts_;  // by position, empty: unguided
  std::vector<std::unique_ptr<Layer>> layers_;
  std::vector<WorkerScratch> workers_;
  std::vector<Found> found_;  // (tasks, layers of the pass)
};

}  // namespace lpdm::cpu
