#include "pairs/layer_weights.h"

namespace lpdm::cuda {

LayerOptions layer_options(const LocalLoss& op, const LocalLossLayer& layer,
                           std::int64_t target_dim) {
  LayerOptions options{.norm = op.norm,
                       .metric = op.target.metric,
                       .through_maximum = op.max_gradient == MaxGradient::kThrough,
                       .gradient = layer.delta != nullptr};
  const double per_in = 1.0 / static_cast<double>(target_dim);
  const double per_out = 1.0 / static_cast<double>(layer.out);
  if (op.scale == LossScale::kOwn) {
    options.target_weight = per_in;
    options.output_weight = per_out;
  } else if (op.scale == LossScale::kCross) {
    options.target_weight = per_out;
    options.output_weight = per_in;
  }
  return options;
}

Arithmetic output_arithmetic(Arithmetic wanted, Activation activation) {
  return activation == Activation::kTanh ? wanted : Arithmetic::kFp32;
}

Arithmetic layer_arithmetic(Arithmetic wanted, const LocalLoss& op, const LocalLossLayer& layer) {
  const bool may_round = op.target.metric == Metric::kL1 && op.target_rule == TargetRule::kInput;
  return may_round ? output_arithmetic(wanted, layer.activation) : Arithmetic::kFp32;
}

}  // namespace lpdm::cuda
