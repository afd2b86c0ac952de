#include "cpu/ops/gather_rows.h"

#include <algorithm>

namespace lpdm::cpu {

void gather_rows(Context&, const GatherRows& op) {
  for (std::int64_t i = 0; i < *op.rows.count; ++i) {
    std::copy_n(op.source + op.index[i] * op.width, op.width, op.destination + i * op.width);
  }
}

}  // namespace lpdm::cpu
