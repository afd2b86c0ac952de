// The distances D of all rows to the landmarks, of the network's input or of a layer's outputs, as
// they come to be.
//
// Calls for different blocks may come from several threads at once.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/common/context.h"
#include "cpu/landmarks/landmark_rows.h"
#include "cpu/landmarks/landmark_set.h"

namespace lpdm::cpu {

class LandmarkMatrix {
 public:
  LandmarkMatrix(Context& context, const LandmarkSet& set);

  // rows: whose distances they are; must outlive the use of this.
  void prepare(LandmarkRows& rows);

  LandmarkRows& rows() { return *rows_; }
  // All distances of a block, or those to the landmarks renewed last.
  void form(std::int64_t block) { rows_->distances(set_.block(block), of(block)); }
  void renew(std::int64_t block) { rows_->renew_distances(set_.block(block), of(block)); }
  // Once a block's distances are there: those of landmarks to themselves, and the maximum.
  void close(std::int64_t block);

  // Over blocks that are closed.
  float maximum(std::int64_t block) const { return maximum_[static_cast<std::size_t>(block)]; }
  float maximum() const;
  // From row `first` on: (rows, stride).
  float* from(std::int64_t first) { return distances_.data() + first * set_.stride(); }
  const float* from(std::int64_t first) const { return distances_.data() + first * set_.stride(); }

 private:
  float* of(std::int64_t block) { return from(set_.block(block).first); }

  const LandmarkSet& set_;
  LandmarkRows* rows_ = nullptr;
  std::vector<float> maximum_;  // (blocks)
  Scratch<float> distances_;    // (N padded, stride)
};

}  // namespace lpdm::cpu
