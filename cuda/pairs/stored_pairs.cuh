// Tiles of T and D that pass 1 keeps in memory, for what comes after it.
#pragma once

#include <cuda_runtime.h>

#include "pairs/pair_sums.h"
#include "pairs/target_tile.cuh"

namespace lpdm::cuda {

// The running thread's entries of a tile of a matrix, as 16 bytes each: first those of its rows.
__device__ inline float4* stored_quad(float* matrix, std::int64_t stride, const TileBounds& bounds,
                                      const TilePlace& place, int r, int half) {
  return reinterpret_cast<float4*>(matrix + (bounds.first_row + place.row(r)) * stride +
                                   bounds.first_column + place.column(half * kQuad));
}
// Then those of its columns, in the mirror image.
__device__ inline float4* mirrored_quad(float* matrix, std::int64_t stride,
                                        const TileBounds& bounds, const TilePlace& place, int c,
                                        int half) {
  return reinterpret_cast<float4*>(matrix + (bounds.first_column + place.column(c)) * stride +
                                   bounds.first_row + place.row(half * kQuad));
}

// Whether row r and the columns from c on are of the domain: where few landmarks fill a part of a
// tile only, the rest of it is neither written nor read.
__device__ inline bool is_inside(const TileBounds& bounds, const TilePlace& place, int r, int c) {
  return bounds.first_row + place.row(r) < bounds.rows &&
         bounds.first_column + place.column(c) < bounds.columns;
}

__device__ __forceinline__ void store_fragment(float* matrix, std::int64_t stride, float* mirror,
                                               std::int64_t mirror_stride, const TileBounds& bounds,
                                               const Fragment& values) {
  const TilePlace place;
#pragma unroll
  for (int k = 0; k < kOwn; ++k) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int q = half * kQuad;
      if (is_inside(bounds, place, k, q)) {
        *stored_quad(matrix, stride, bounds, place, k, half) =
            make_float4(values[k][q], values[k][q + 1], values[k][q + 2], values[k][q + 3]);
      }
      if (is_inside(bounds, place, q, k)) {
        *mirrored_quad(mirror, mirror_stride, bounds, place, k, half) =
            make_float4(values[q][k], values[q + 1][k], values[q + 2][k], values[q + 3][k]);
      }
    }
  }
}

__device__ __forceinline__ void load_fragment(float* matrix, std::int64_t stride,
                                              const TileBounds& bounds, Fragment& values) {
  const TilePlace place;
#pragma unroll
  for (int r = 0; r < kOwn; ++r) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const float4 quad = is_inside(bounds, place, r, half * kQuad)
                              ? *stored_quad(matrix, stride, bounds, place, r, half)
                              : make_float4(0.0F, 0.0F, 0.0F, 0.0F);
      values[r][half * kQuad] = quad.x, values[r][half * kQuad + 1] = quad.y;
      values[r][half * kQuad + 2] = quad.z, values[r][half * kQuad + 3] = quad.w;
    }
  }
}

// A square domain's mirror image is the lower triangle of the same matrix.
__device__ __forceinline__ void store_pairs(const StoredPairs& stored, const StoredPairs& mirrored,
                                            const TileBounds& bounds, const Fragment& target,
                                            const Fragment& distances) {
  store_fragment(stored.target, stored.stride, mirrored.target, mirrored.stride, bounds, target);
  store_fragment(stored.distance, stored.stride, mirrored.distance, mirrored.stride, bounds,
                 distances);
}

// T, D and the masks of a tile: read where they are kept, else formed.
template <bool kChain, class InputArithmetic, class LayerArithmetic>
__device__ __forceinline__ void form_pairs(const PairDomain& domain, const TargetView& view,
                                           const LayerView& layer, const TileBounds& bounds,
                                           DistanceStages& stages, Fragment& target,
                                           Fragment& distances, EntryMasks& masks) {
  if (!kChain && layer.stored.target != nullptr) {
    load_fragment(layer.stored.target, layer.stored.stride, bounds, target);
    load_fragment(layer.stored.distance, layer.stored.stride, bounds, distances);
    masks = entry_masks(domain, bounds, target);
    return;
  }
  target_tile<kChain, InputArithmetic>(domain, view, bounds, TargetStep::kTarget, stages, target,
                                       masks);
  distance_tile<LayerArithmetic>(layer.rows, bounds.first_row, layer.columns, bounds.first_column,
                                 stages, distances);
}

}  // namespace lpdm::cuda
