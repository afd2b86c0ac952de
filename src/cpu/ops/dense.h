// Dense layers on OpenBLAS. Rows are cut into fixed blocks, each a single-threaded call, so results
// do not depend on the number of threads.
#pragma once

#include "cpu/common/context.h"
#include "lpdm/ops.h"

namespace lpdm::cpu {

void dense_forward(Context& context, const DenseForward& op);
void dense_gradient(Context& context, const DenseGradient& op);
void dense_input_gradient(Context& context, const DenseInputGradient& op);

}  // namespace lpdm::cpu
