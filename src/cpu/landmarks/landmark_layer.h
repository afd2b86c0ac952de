// One layer's landmark pairs under way: its distances, its errors and its gradient.
//
// Owned by LandmarkPass, which decides what is worked out when. Calls for different parts, blocks,
// chunks and panels may come from several threads at once; everything else belongs to the calling
// thread.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/common/context.h"
#include "cpu/landmarks/landmark_floats.h"
#include "cpu/landmarks/landmark_levels.h"
#include "cpu/landmarks/landmark_matrix.h"
#include "cpu/landmarks/landmark_set.h"
#include "cpu/landmarks/landmark_target.h"
#include "cpu/pairs/loss_terms.h"
#include "cpu/pairs/near_maxima.h"
#include "lpdm/ops.h"

namespace lpdm::cpu {

class LandmarkLayer {
 public:
  LandmarkLayer(Context& context, const LandmarkSet& set, const LandmarkTarget& target);

  // Takes up a layer, with room for the set's rows.
  void prepare(const LocalLoss& op, const LocalLossLayer& spec);
  LandmarkMatrix& distances() { return distances_; }

  // Once the distances of all blocks are closed. op, spec: those of `prepare`, but for the rows;
  // `op` must outlive the use of this.
  void begin(const LocalLoss& op, const LocalLossLayer& spec);
  // Distances → coefficients of the gradient, and the sums over all pairs.
  void form_errors(std::int64_t block);
  // True when the coefficients are those of the gradient; else distances and errors are to follow
  // once more, with what is now known.
  bool settle();

  // Panels of kPairWidth dimensions; none where no gradient is wanted.
  std::int64_t panels() const { return spec_.delta == nullptr ? 0 : pairs_of(spec_.out); }
  // The delta of a chunk's rows, and its part of the landmarks' end.
  void write_gradient(std::int64_t chunk, std::int64_t panel);
  void add_landmark_end(std::int64_t panel) const;
  // Writes the statistics and completes the gradient.
  void finish() const;

 private:
  // What was found in a block.
  struct Found {
    PairSums sums;
    NearMaxima maxima;
  };

  void list_maxima(const RowRange& rows, const float* distances, NearMaxima& maxima) const;
  void add_diagonal(const RowRange& rows, PairSums& sums) const;
  void find_factor();
  std::int64_t panel_size() const { return set_.count() * kPairWidth; }

  Context& context_;
  const LandmarkSet& set_;
  const LandmarkTarget& target_;
  const LocalLoss* op_ = nullptr;
  LocalLossLayer spec_;
  LossWeights weights_;
  LandmarkFloats floats_;
  LandmarkLevels levels_;
  LandmarkMatrix distances_;  // D, then the coefficients

  float maximum_ = 0.0F;
  double maximum_coefficient_ = 0.0;  // in units of E, for every pair at the maximum; 0: listed
  PairSums sums_;
  NearMaxima maxima_;
  double factor_ = 0.0;  // see gradient_factor

  std::vector<Found> found_;             // (blocks)
  std::vector<float> coefficient_sums_;  // (N padded), by row
  std::vector<float> column_sums_;       // (blocks, stride), of the coefficients
  std::vector<float> offsets_;           // (stride): see LandmarkEnd
  Scratch<float> credit_;                // (chunks, panels, M, kPairWidth)
};

}  // namespace lpdm::cpu
