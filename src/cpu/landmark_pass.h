// The local loss on landmark pairs while landmarks are few: linear in N, and cheap enough that a
// whole update costs less than backpropagation's.
//
// A layer takes three sweeps over the batch's rows, cut into tasks by size alone: the distances to
// all landmarks and their maximum, kept as one N×M matrix; the errors and their sums, which replace
// the distances by the gradient's coefficients; the gradient of each row, written as delta at once,
// with each task's part of the landmarks' gradient beside it, added up in the tasks' order.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/context.h"
#include "cpu/landmark_levels.h"
#include "cpu/landmark_tile.h"
#include "cpu/loss_terms.h"
#include "cpu/near_maxima.h"
#include "lpdm/ops.h"

namespace lpdm::cpu {

class LandmarkPass {
 public:
  explicit LandmarkPass(Context& context);

  // Whether a target is this pass's business: landmarks, and few of them.
  static bool takes(const PairwiseTarget& target);

  void target_statistics(const TargetStatistics& op);
  // T is that of the network input for every layer.
  void run(const LocalLoss& op);

 private:
  // What one task found in a layer.
  struct Found {
    PairSums sums;
    NearMaxima maxima;
    double column_sums[kMostLandmarks] = {};  // of the coefficients
  };
  struct Block {
    std::int64_t first = 0;  // row
    std::int64_t rows = 0;
  };
  // A layer under way.
  struct LayerState {
    LocalLossLayer spec;
    LossWeights weights;
    bool fixed = false;  // in levels_; else:
    LandmarkValues landmarks;
    float maximum = 0.0F;
    double maximum_coefficient = 0.0;  // in units of E, for every pair at the maximum; 0: listed
    PairSums sums;
    NearMaxima maxima;
  };

  void prepare(const PairwiseTarget& target);
  void run_layer(const LocalLoss& op, const LocalLossLayer& spec);
  LandmarkValues pack(const float* values, std::int64_t dim, bool for_gradient);
  template <class Form>
  float form_distances(float* distances, const Form& form);
  float form_layer_distances(const LayerState& layer);
  void form_target(const Block& block, const TargetScales& scales, float* target) const;
  float largest_target(const TargetScales& scales);
  void form_errors(const LocalLoss& op, LayerState& layer);
  void form_block_errors(const LocalLoss& op, const LayerState& layer, const Block& block,
                         Found& found);
  void list_maxima(const LayerState& layer, const Block& block, Found& found) const;
  void write_gradient(const LocalLoss& op, const LayerState& layer);
  void write_rows(const LocalLoss& op, const LayerState& layer, const Block& block, float factor,
                  float* credit) const;
  void add_landmark_ends(const LocalLoss& op, const LayerState& layer, double factor);

  std::int64_t tasks() const { return ceil_div(rows_, rows_per_task_); }
  Block task_rows(std::int64_t task) const {
    const std::int64_t first = task * rows_per_task_;
    return {first, std::min(rows_per_task_, rows_ - first)};
  }
  template <class Run>
  void for_blocks(std::int64_t task, const Run& run) const;

  Context& context_;
  PairwiseTarget target_;
  const TargetScales* scales_ = nullptr;  // made from input_distances_ by target_statistics
  std::int64_t rows_ = 0;
  std::int64_t landmarks_ = 0;
  std::int64_t stride_ = 0;
  std::int64_t rows_per_task_ = 0;
  std::vector<std::int32_t> own_;        // (N padded): which landmark a row is, or kNotLandmark
  std::vector<float> landmark_shift_;    // (stride), empty: unguided
  std::vector<Found> found_;             // (tasks)
  std::vector<float> block_maximum_;     // (blocks): of D
  std::vector<float> coefficient_sums_;  // (N padded), by row
  Scratch<float> input_distances_;       // (N padded, stride): D_X
  Scratch<float> distances_;             // (N padded, stride): D_Y, then the coefficients
  Scratch<float> packed_;                // what LandmarkPacking points into
  Scratch<std::uint16_t> low_halves_;
  LandmarkLevels levels_;
  Scratch<float> credit_;  // (tasks, pairs, M, kPairWidth)
};

}  // namespace lpdm::cpu
