#include "common/launch.h"
#include "common/rows.h"
#include "lpdm/error.h"
#include "pairs/pair_sides.h"

namespace lpdm::cuda {

namespace {

// place[row]: which landmark the row is, or −1. First of no row, then of those that are.
__global__ void no_landmarks_kernel(PairSide batch, std::int32_t* place) {
  for_chunk_items(batch.capacity, [&](std::int64_t row) { place[row] = -1; });
}

__global__ void place_landmarks_kernel(PairSide landmarks, std::int32_t* place) {
  for_chunk_items(*landmarks.count, [&](std::int64_t k) {
    place[landmarks.index[k]] = static_cast<std::int32_t>(k);
  });
}

__global__ void gather_shift_kernel(PairSide landmarks, const float* shift, float* to) {
  for_chunk_items(landmarks.capacity, [&](std::int64_t k) {
    to[k] = k < *landmarks.count ? shift[landmarks.index[k]] : 0.0F;
  });
}

// begins[row], ends[row]: of the row's episode.
__global__ void bound_episodes_kernel(PairSide batch, const std::int64_t* episode_ends,
                                      const std::int64_t* episode_count, std::int64_t* begins,
                                      std::int64_t* ends) {
  for_chunk_items(*batch.count, [&](std::int64_t row) {
    std::int64_t low = 0, high = *episode_count - 1;  // the first episode that ends past the row
    while (low < high) {
      const std::int64_t middle = (low + high) / 2;
      if (episode_ends[middle] <= row) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    begins[row] = low > 0 ? episode_ends[low - 1] : 0;
    ends[row] = episode_ends[low];
  });
}

PairSide landmark_side(Context& context, const PairwiseTarget& target) {
  PairSide side{
      .count = target.landmark_count,
      .capacity = target.landmark_capacity > 0 ? target.landmark_capacity : target.rows.capacity,
      .index = target.landmarks};
  if (target.shift == nullptr) return side;
  auto* shift = context.scratch<float>(side.capacity);
  launch(gather_shift_kernel, chunk_shape(side.capacity), context.stream, side, target.shift,
         shift);
  side.shift = shift;
  return side;
}

void bound_episodes(Context& context, const PairwiseTarget& target, PairDomain& domain) {
  if (target.sparse != SparsePairs::kNone || target.landmarks != nullptr) {
    throw UsageError(
        "hidden.block episode was asked for together with landmarks or sparse pairs; set "
        "hidden.pairs to all or hidden.block to batch");
  }
  auto* begins = context.scratch<std::int64_t>(target.rows.capacity);
  auto* ends = context.scratch<std::int64_t>(target.rows.capacity);
  launch(bound_episodes_kernel, chunk_shape(target.rows.capacity), context.stream, domain.rows,
         target.episode_ends, target.episode_count, begins, ends);
  domain.episode_begin = begins;
  domain.episode_end = ends;
}

}  // namespace

PairDomains make_domains(Context& context, const PairwiseTarget& target) {
  PairDomains domains;
  domains.batch = {
      .count = target.rows.count, .capacity = target.rows.capacity, .shift = target.shift};
  domains.all.rows = domains.all.columns = domains.batch;
  if (target.episode_ends != nullptr) bound_episodes(context, target, domains.all);
  domains.from_batch = domains.all;
  if (target.landmarks == nullptr) return domains;
  const PairSide landmarks = landmark_side(context, target);
  auto* place = context.scratch<std::int32_t>(target.rows.capacity);
  launch(no_landmarks_kernel, chunk_shape(target.rows.capacity), context.stream, domains.batch,
         place);
  launch(place_landmarks_kernel, chunk_shape(landmarks.capacity), context.stream, landmarks, place);
  domains.landmarks = true;
  domains.all.rows = landmarks;
  domains.all.landmark = place;
  domains.all.square = false;
  domains.from_batch = domains.all;
  std::swap(domains.from_batch.rows, domains.from_batch.columns);
  return domains;
}

}  // namespace lpdm::cuda
