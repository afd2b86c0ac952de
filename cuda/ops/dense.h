// Dense layers and their gradients, by cuBLAS.
#pragma once

#include "common/context.h"
#include "lpdm/ops.h"

namespace lpdm::cuda {

void dense_forward(Context& context, const DenseForward& op);
void dense_gradient(Context& context, const DenseGradient& op);
void dense_input_gradient(Context& context, const DenseInputGradient& op);

}  // namespace lpdm::cuda
