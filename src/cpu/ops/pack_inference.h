// The weights as inference reads them: transposed, outputs padded.
#pragma once

#include "cpu/common/context.h"
#include "lpdm/ops.h"

namespace lpdm::cpu {

inline std::int64_t padded_width(std::int64_t out) {
  return ceil_div(out, kInferencePad) * kInferencePad;
}

void pack_inference(const PackInference& op);

}  // namespace lpdm::cpu
