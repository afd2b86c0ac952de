// One layer of a pass that keeps what it works out of each tile of pairs: distances, then the
// gradient's coefficients in their place.
//
// Owned by StoredPass. The blocks and tiles of rows that are already there may be worked out before
// the others, in a layout that will have more rows. pack, form_distances, form_errors and
// write_gradient may be called from several threads at once for different blocks, tiles or
// dimensions; everything else belongs to the calling thread.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/common/context.h"
#include "cpu/pairs/distance_store.h"
#include "cpu/pairs/layer_errors.h"
#include "cpu/pairs/pair_blocks.h"
#include "cpu/pairs/pair_tile.h"
#include "cpu/pairs/tie_map.h"
#include "lpdm/ops.h"

namespace lpdm::cpu {

class StoredLayer {
 public:
  explicit StoredLayer(Context& context);

  // Takes up a layer and makes room for what is worked out of its rows.
  void begin(const LocalLoss& op, const LocalLossLayer& spec, const PairLayout& layout);
  void pack(const PairLayout& layout, std::int64_t block, int worker);
  // D_Y of a tile, both of whose blocks are packed; returns the largest.
  float form_distances(const PairLayout& layout, std::int64_t tile);

  // All blocks are packed. op and layout must outlive the rest of the pass.
  void complete(const LocalLoss& op, const LocalLossLayer& spec, const PairLayout& layout);
  const DistanceStore& store() const { return store_; }

  LayerErrors& errors() { return errors_; }
  // A tile's coefficients from its distances. tile: T and the weights are given, the rest is
  // scratch.
  void form_errors(std::int64_t number, const PairTile& tile, LayerErrors::Found& found);

  bool wants_gradient() const { return spec_.delta != nullptr; }
  // Panels, the units that the gradient's dimensions are handed out in.
  std::int64_t panels() const;
  std::int64_t panel_width() const;
  // Writes delta for `count` panels of dimensions. memory: (gradient_size(count))
  void write_gradient(std::int64_t first_panel, std::int64_t count, float* memory) const;
  std::int64_t gradient_size(std::int64_t count) const;

 private:
  // A run of dimensions [first, end) of the layer.
  struct Range {
    std::int64_t first = 0;
    std::int64_t end = 0;
    std::int64_t block_size = 0;  // floats of a block's gradient
  };

  void add_tile(const Range& range, std::int64_t strip, std::int64_t block, float* column_gradient,
                float* row_gradient) const;
  void write_rows(const Range& range, const float* gradient, const double* offsets) const;
  void add_offsets(std::int64_t strip, std::int64_t block, double* offsets) const;

  std::int64_t values_size() const { return panels_of(spec_.out) * kTile * kPanelWidth; }
  float* row_sums(std::int64_t tile) const { return sums_.data() + 2 * tile * kTile; }
  float* column_sums(std::int64_t tile) const { return row_sums(tile) + kTile; }
  // A tile's coefficients in whole numbers, where its distances were.
  std::int32_t* words(std::int64_t tile) const {
    return reinterpret_cast<std::int32_t*>(store_.tile(tile));
  }

  Context& context_;
  Metric metric_ = Metric::kL1;
  const PairLayout* layout_ = nullptr;
  LocalLossLayer spec_;
  LayerErrors errors_;
  PackedBlocks blocks_;
  DistanceStore store_;
  TieMap ties_;
  Scratch<float> values_;     // (blocks, panels, kTile, kPanelWidth); not in levels
  Scratch<float> sums_;       // (tiles, 2, kTile): of the coefficients of each row and column
  std::vector<float> units_;  // (tiles), of the coefficients in words; in levels
};

}  // namespace lpdm::cpu
