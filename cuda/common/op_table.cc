#include "common/op_table.h"

#include <array>
#include <cstddef>

#include "ops/activation_statistics.h"
#include "ops/advantages.h"
#include "ops/clip_adam.h"
#include "ops/dense.h"
#include "ops/gather_rows.h"
#include "ops/generalized_advantage.h"
#include "ops/guided_shift.h"
#include "ops/infer.h"
#include "ops/landmarks.h"
#include "ops/local_loss.h"
#include "ops/policy_loss.h"
#include "ops/ppo_loss.h"
#include "ops/returns.h"
#include "ops/target_statistics.h"
#include "ops/value_loss.h"

namespace lpdm::cuda {

namespace {

template <class Op, void (*kFunction)(Context&, const Op&)>
void run(Context& context, const void* arguments) {
  kFunction(context, *static_cast<const Op*>(arguments));
}

// In the order of CudaOp.
constexpr std::array kOps = {
    OpEntry{"dense_forward", run<DenseForward, dense_forward>},
    OpEntry{"dense_gradient", run<DenseGradient, dense_gradient>},
    OpEntry{"dense_input_gradient", run<DenseInputGradient, dense_input_gradient>},
    OpEntry{"guided_shift", run<GuidedShift, guided_shift>},
    OpEntry{"draw_landmarks", run<DrawLandmarks, draw_landmarks>},
    OpEntry{"target_statistics", run<TargetStatistics, target_statistics>},
    OpEntry{"local_loss", run<LocalLoss, local_loss>},
    OpEntry{"activation_statistics", run<ActivationStatistics, activation_statistics>},
    OpEntry{"clip_adam", run<ClipAdam, clip_adam>},
    OpEntry{"discounted_returns", run<DiscountedReturns, discounted_returns>},
    OpEntry{"advantages", run<Advantages, advantages>},
    OpEntry{"generalized_advantage", run<GeneralizedAdvantage, generalized_advantage>},
    OpEntry{"gather_rows", run<GatherRows, gather_rows>},
    OpEntry{"categorical_loss", run<CategoricalLoss, categorical_loss>},
    OpEntry{"gaussian_loss", run<GaussianLoss, gaussian_loss>},
    OpEntry{"ppo_categorical_loss", run<PpoCategoricalLoss, ppo_categorical_loss>},
    OpEntry{"ppo_gaussian_loss", run<PpoGaussianLoss, ppo_gaussian_loss>},
    OpEntry{"value_loss", run<ValueLoss, value_loss>},
    OpEntry{"pack_inference", run<PackInference, pack_inference>},
    OpEntry{"infer", run<Infer, infer>},
};
static_assert(kOps.size() == static_cast<std::size_t>(CudaOp::kCount));

}  // namespace

const OpEntry& op_entry(CudaOp op) { return kOps.at(static_cast<std::size_t>(op)); }

}  // namespace lpdm::cuda
