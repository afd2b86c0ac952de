#include "cpu/pairs/pairwise_memory.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "cpu/landmarks/early_landmarks.h"
#include "cpu/landmarks/landmark_level_gradient.h"
#include "cpu/landmarks/landmark_pass.h"
#include "cpu/landmarks/landmark_set.h"
#include "cpu/landmarks/landmark_tile.h"
#include "cpu/lowrank/lowrank_pass.h"
#include "cpu/pairs/distance_store.h"
#include "cpu/pairs/levels.h"
#include "cpu/pairs/pairwise_tile.h"
#include "cpu/pairs/stored_pass.h"

namespace lpdm::cpu {
namespace {

constexpr double kFloat = sizeof(float);
constexpr double kDouble = sizeof(double);
constexpr double kIndex = sizeof(std::int64_t);
constexpr auto kTileRows = static_cast<double>(kTile);

// See uses_levels.
bool in_levels(const PairwiseWork& work, std::int64_t out) {
  return work.fixed && work.tanh && work.loss.metric == Metric::kL1 &&
         work.loss.target == TargetRule::kInput && out <= kMostLevelDims;
}

double level_row_bytes(std::int64_t out) {
  return static_cast<double>(level_panels_of(out) * kLevelPanelWidth) * sizeof(std::int16_t);
}

// LevelBlocks: words, sums and panels, and a block of rows for each thread.
double level_block_bytes(const PairwiseWork& work, double blocks, std::int64_t out) {
  const double words = static_cast<double>(level_words_of(out) + 1) * sizeof(std::int32_t);
  const double row = level_row_bytes(out);
  return kTileRows * (blocks * (words + row) + static_cast<double>(work.threads) * row);
}

// A matrix of `dim` columns as PackedBlocks holds it, with its sums.
double packed_bytes(double blocks, std::int64_t dim) {
  return blocks * kTileRows * static_cast<double>(dim + 1) * kFloat;
}

double panel_bytes(std::int64_t out) {
  return static_cast<double>(panels_of(out) * kPanelWidth) * kTileRows * kFloat;
}

// Values in panels and the bits of the tie map.
double value_bytes(const PairwiseWork& work, double group_blocks, std::int64_t out) {
  if (in_levels(work, out)) return 0.0;  // they are among level_block_bytes
  const bool l1 = work.loss.metric == Metric::kL1;
  const auto panels = static_cast<double>(panels_of(out));
  const double ties = l1 ? panels * work.groups * group_blocks * (group_blocks + 1) / 16 : 0.0;
  return work.groups * group_blocks * panel_bytes(out) + ties;
}

// StreamedLayer: the gradient in panels, each thread's columns of a tile on the diagonal, offsets.
double streamed_gradient_bytes(const PairwiseWork& work, double blocks) {
  double bytes = 0.0;
  for (const std::int64_t out : work.outputs) {
    bytes += (blocks + static_cast<double>(work.threads)) * panel_bytes(out) +
             blocks * kTileRows * kDouble;
  }
  return bytes;
}

// StoredLayer: tiles, with the sums of their rows and columns and a unit; StoredPass: the gradients
// under way, with their offsets.
double stored_bytes(const PairwiseWork& work, double tiles, double blocks) {
  const double all_tiles =
      std::min(tiles * static_cast<double>(work.outputs.size()),
               static_cast<double>(DistanceStore::kBudget / DistanceStore::kTileBytes));
  const double tile = static_cast<double>(DistanceStore::kTileBytes) + (2 * kTileRows + 1) * kFloat;
  if (!work.gradient) return all_tiles * tile;
  return all_tiles * tile + StoredPass::gradient_bytes(blocks, work.threads) +
         static_cast<double>(work.threads) * blocks * kTileRows * kDouble;
}

// TieMap's hash tables: at most eight slots of two words per row, and a chain.
double tie_search_bytes(const PairwiseWork& work, double blocks) {
  constexpr double kPerRow = 8 * 8;
  constexpr double kPerPosition = 4;
  std::int64_t panels = 0;
  for (const std::int64_t out : work.outputs) {
    if (!in_levels(work, out)) panels = std::max(panels, panels_of(out));
  }
  return static_cast<double>(std::min(work.threads, panels)) *
         (work.rows * kPerRow + blocks * kTileRows * kPerPosition);
}

double round_up(double value, std::int64_t step) {
  return std::ceil(value / static_cast<double>(step)) * static_cast<double>(step);
}

// LandmarkFloats: the landmarks' values, twice for distances and once for gradients.
double landmark_floats_bytes(const PairwiseWork& work, std::int64_t dim, bool gradient) {
  const auto landmarks = static_cast<double>(work.loss.pairs.landmarks);
  const auto width = static_cast<double>(dim);
  const double paired = gradient ? round_up(width, kPairWidth) * landmarks : 0.0;
  return 2 * kFloat * (width + 1) * round_up(landmarks, kLandmarkLanes) +
         (kFloat + sizeof(std::uint16_t)) * paired;
}

// LandmarkLevels: the rows, and the landmarks as panels and, twice, as words.
double landmark_levels_bytes(const PairwiseWork& work, double rows, std::int64_t out) {
  const auto landmarks = static_cast<double>(work.loss.pairs.landmarks);
  const double words = static_cast<double>(level_words_of(out) + 1) * sizeof(std::int32_t);
  const double padded = round_up(rows, kLandmarkBlock);
  return (padded + landmarks) * level_row_bytes(out) + padded * sizeof(std::int32_t) +
         2 * round_up(landmarks, kLandmarkLanes) * words;
}

// LandmarkLayer: its distances, its outputs in one arithmetic, and a gradient of the landmarks for
// each chunk.
double landmark_layer_bytes(const PairwiseWork& work, double rows, std::int64_t out) {
  constexpr double kEnough = 1e6;  // rows that have the most chunks
  const auto landmarks = static_cast<double>(work.loss.pairs.landmarks);
  const auto chunks = static_cast<double>(
      LandmarkSet::chunks_of(static_cast<std::int64_t>(std::min(rows, kEnough))));
  const double credit = round_up(static_cast<double>(out), kPairWidth) * landmarks;
  return kFloat * round_up(rows, kLandmarkBlock) * round_up(landmarks, kLandmarkLanes) +
         (work.gradient ? kFloat * chunks * credit : 0.0) +
         (in_levels(work, out) ? landmark_levels_bytes(work, rows, out)
                               : landmark_floats_bytes(work, out, work.gradient));
}

// LandmarkPass: its target, and places for as many layers as go together. The first may take any
// layer; one after it a layer that, with as many before it, has few enough outputs.
double landmark_bytes(const PairwiseWork& work) {
  const double stride = round_up(static_cast<double>(work.loss.pairs.landmarks), kLandmarkLanes);
  double bytes = landmark_floats_bytes(work, work.input, false) +
                 kFloat * round_up(work.rows, kLandmarkBlock) * stride;
  for (std::size_t place = 0; place < work.outputs.size(); ++place) {
    double largest = 0.0;
    for (std::size_t layer = place; layer < work.outputs.size(); ++layer) {
      double width = 0.0;  // of all layers that go together up to this one
      for (std::size_t l = layer - place; l <= layer; ++l) {
        width += static_cast<double>(work.outputs[l]);
      }
      const double most = static_cast<double>(LandmarkPass::kMostOutputs) / width;
      const double rows = place == 0 ? work.rows : std::min(work.rows, most);
      largest = std::max(largest, landmark_layer_bytes(work, rows, work.outputs[layer]));
    }
    bytes += largest;
  }
  return bytes;
}

// Between the blocks of each group, each with itself too.
double tile_count(const PairwiseWork& work) {
  const double group_blocks = std::ceil(work.rows / work.groups / kTileRows);
  return work.groups * group_blocks * (group_blocks + 1) / 2;
}

// All other pairs: tiles.
double tile_bytes(const PairwiseWork& work) {
  constexpr double kTilesPerWorker = 5;
  const double group_blocks = std::ceil(work.rows / work.groups / kTileRows);
  const double blocks = work.groups * group_blocks;
  const auto threads = static_cast<double>(work.threads);
  const double tile = kTileRows * kTileRows * kFloat;
  double bytes = packed_bytes(blocks, work.input) + work.rows * kIndex;
  if (work.loss.guided) bytes += blocks * kTileRows * kFloat;
  if (work.loss.pairs.sparse != SparsePairs::kNone) {
    bytes += threads * blocks * tile + 2 * work.rows * (kFloat + kIndex);
  }
  for (const std::int64_t out : work.outputs) {
    bytes +=
        in_levels(work, out) ? level_block_bytes(work, blocks, out) : packed_bytes(blocks, out);
    if (work.gradient) bytes += value_bytes(work, group_blocks, out);
  }
  // A shorter batch may be kept where the longest one is not, and landmarks keep some tiles only.
  const bool fit = tile_count(work) * static_cast<double>(work.outputs.size()) <=
                   static_cast<double>(DistanceStore::kBudget / DistanceStore::kTileBytes);
  const bool input = work.loss.target == TargetRule::kInput;
  const double kept = input ? stored_bytes(work, tile_count(work), blocks) : 0.0;
  const double streamed =
      work.gradient && !(input && fit) ? streamed_gradient_bytes(work, blocks) : 0.0;
  bytes += std::max(kept, streamed);
  if (work.gradient && work.loss.metric == Metric::kL1) bytes += tie_search_bytes(work, blocks);
  return bytes + threads * kTilesPerWorker * tile;
}

// LowRankPass goes by layers; the widest needs most.
double low_rank_bytes(const PairwiseWork& work) {
  std::int64_t widest = 0;
  for (const std::int64_t out : work.outputs) widest = std::max(widest, out);
  return LowRankPass::scratch_bytes(work.rows, work.input, widest, work.loss.pairs.low_rank,
                                    work.gradient, static_cast<double>(work.threads));
}

}  // namespace

double most_followed_rows(const PairwiseWork& work) {
  const std::int64_t landmarks = work.loss.pairs.landmarks;
  const auto layers = static_cast<std::int64_t>(work.outputs.size());
  if (landmarks == 0) return static_cast<double>(DistanceStore::most_rows(layers));
  if (landmarks > kMostLandmarks) return 0.0;
  return static_cast<double>(EarlyLandmarks::most_rows(
      std::accumulate(work.outputs.begin(), work.outputs.end(), std::int64_t{0})));
}

double pairwise_scratch_bytes(const PairwiseWork& work) {
  if (work.loss.pairs.low_rank > 0) return low_rank_bytes(work);
  const std::int64_t landmarks = work.loss.pairs.landmarks;
  const double enough = 2.0 * static_cast<double>(landmarks);  // rows from which LandmarkPass works
  if (landmarks == 0 || landmarks > kMostLandmarks || work.rows < enough) return tile_bytes(work);
  // Shorter batches go by tiles; so do all, but for their target's statistics, with propagation.
  PairwiseWork tiles = work;
  if (work.loss.target == TargetRule::kInput) tiles.rows = enough;
  return landmark_bytes(work) + tile_bytes(tiles);
}

}  // namespace lpdm::cpu
