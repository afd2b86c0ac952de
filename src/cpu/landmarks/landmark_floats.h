// Rows of float32 against the landmarks among them. Only the landmarks are packed.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/common/context.h"
#include "cpu/landmarks/landmark_rows.h"
#include "cpu/landmarks/landmark_tile.h"
#include "lpdm/ops.h"

namespace lpdm::cpu {

class LandmarkFloats : public LandmarkRows {
 public:
  LandmarkFloats(Context& context, const LandmarkSet& set);

  // Without a delta: for distances only. The output must outlive the use of this.
  void prepare(const LocalLossLayer& layer, Metric metric);

  void pack(std::int64_t part) override;
  void distances(const RowRange& block, float* distances) override;
  void renew(std::span<const std::int32_t> landmarks) override;
  void renew_distances(const RowRange& block, float* distances) const override;
  void take_coefficients(const RowRange&, const float*, float*) override {}
  void gradient(const LandmarkPanel& panel) const override;

 private:
  // Landmarks as distances read them.
  struct Columns {
    explicit Columns(MemoryCounter& memory) : transposed(memory), sums(memory) {}
    Scratch<float> transposed;  // (dim, stride)
    Scratch<float> sums;        // (stride)
  };

  void write_column(const Columns& columns, std::int64_t stride, std::int64_t column,
                    std::int64_t m) const;
  void pack_pairs(std::int64_t m);

  const LandmarkSet& set_;
  LocalLossLayer layer_;
  Metric metric_ = Metric::kL1;
  LandmarkValues landmarks_;                 // in columns_, pairs_ and low_halves_
  LandmarkValues renewed_;                   // in renewed_columns_; for distances only
  std::vector<std::int32_t> renewed_index_;  // which of the landmarks they are
  Columns columns_;
  Columns renewed_columns_;
  Scratch<float> pairs_;
  Scratch<std::uint16_t> low_halves_;
};

}  // namespace lpdm::cpu
