// The maxima that normalise the target T, found exactly in one or two passes over the input pairs.
#pragma once

#include "cpu/context.h"
#include "cpu/pair_blocks.h"
#include "lpdm/ops.h"

namespace lpdm::cpu {

// `blocks` is scratch for the packed input.
void target_statistics(Context& context, PackedBlocks& blocks, const TargetStatistics& op);

// Guided shifts in the layout's order, padded to whole blocks: (blocks · kTile).
std::vector<float> shifts_by_position(const PairLayout& layout, const float* shift);

}  // namespace lpdm::cpu
