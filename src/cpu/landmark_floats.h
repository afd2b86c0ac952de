// Rows of float32 against the landmarks among them. Only the landmarks are packed.
#pragma once

#include <cstdint>

#include "cpu/context.h"
#include "cpu/landmark_rows.h"
#include "cpu/landmark_tile.h"
#include "lpdm/ops.h"

namespace lpdm::cpu {

class LandmarkFloats : public LandmarkRows {
 public:
  LandmarkFloats(Context& context, const LandmarkSet& set);

  // Without a delta: for distances only. The output must outlive the use of this.
  void prepare(const LocalLossLayer& layer, Metric metric);

  void pack(std::int64_t part) override;
  float distances(const RowRange& block, float* distances) override;
  void take_coefficients(const RowRange&, const float*, float*) override {}
  void gradient(const LandmarkPanel& panel) const override;

 private:
  void pack_pairs(std::int64_t m);

  const LandmarkSet& set_;
  LocalLossLayer layer_;
  Metric metric_ = Metric::kL1;
  LandmarkValues landmarks_;  // in:
  Scratch<float> transposed_;
  Scratch<float> sums_;
  Scratch<float> pairs_;
  Scratch<std::uint16_t> low_halves_;
};

}  // namespace lpdm::cpu
