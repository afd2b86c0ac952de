// The CPU backend: every op runs at once, on the calling thread and the pool.
#include <hwy/highway.h>

#include <algorithm>
#include <cstring>

#include "core/blas.h"
#include "cpu/common/context.h"
#include "cpu/ops/activation_statistics.h"
#include "cpu/ops/advantages.h"
#include "cpu/ops/clip_adam.h"
#include "cpu/ops/dense.h"
#include "cpu/ops/gather_rows.h"
#include "cpu/ops/generalized_advantage.h"
#include "cpu/ops/guided_shift.h"
#include "cpu/ops/infer.h"
#include "cpu/ops/landmarks.h"
#include "cpu/ops/local_loss.h"
#include "cpu/ops/pack_inference.h"
#include "cpu/ops/policy_loss.h"
#include "cpu/ops/ppo_loss.h"
#include "cpu/ops/returns.h"
#include "cpu/ops/value_loss.h"
#include "lpdm/backend.h"
#include "lpdm/error.h"

namespace lpdm {

namespace {

// The newest generation of vector units that both this build and this processor have.
std::string vector_unit() {
  const std::int64_t usable = hwy::SupportedTargets() & HWY_TARGETS;
  return hwy::TargetName(usable & -usable);  // newer targets are lower bits
}

class CpuBackend final : public Backend {
 public:
  CpuBackend(ThreadPool& pool, Arithmetic arithmetic)
      : context_{pool, memory_, cpu_arithmetic(arithmetic) == Arithmetic::kFixed},
        local_loss_(context_),
        inference_scratch_(memory_) {
    blas::use_calling_thread();
  }

  std::string name() const override { return "cpu"; }
  std::string description() const override {
    return "CPU, " + vector_unit() + ", " + std::to_string(context_.pool.size()) + " threads" +
           (context_.fixed ? ", fixed" : "");
  }

  void* allocate(std::size_t bytes) override { return memory_.allocate(bytes); }
  void release(void* memory, std::size_t bytes) noexcept override {
    memory_.release(memory, bytes);
  }
  void copy_to_device(void* to, const void* from, std::size_t bytes) override {
    copy(to, from, bytes);
  }
  void copy_to_host(void* to, const void* from, std::size_t bytes) override {
    copy(to, from, bytes);
  }
  void copy(void* to, const void* from, std::size_t bytes) override {
    if (bytes > 0) std::memcpy(to, from, bytes);
  }
  void fill_zero(void* memory, std::size_t bytes) override { std::memset(memory, 0, bytes); }
  std::size_t peak_bytes() const override { return memory_.peak_bytes(); }

  void dense_forward(const DenseForward& op) override { cpu::dense_forward(context_, op); }
  void dense_gradient(const DenseGradient& op) override { cpu::dense_gradient(context_, op); }
  void dense_input_gradient(const DenseInputGradient& op) override {
    cpu::dense_input_gradient(context_, op);
  }

  void guided_shift(const GuidedShift& op) override { cpu::guided_shift(context_, op); }
  void draw_landmarks(const DrawLandmarks& op) override { cpu::draw_landmarks(context_, op); }
  void target_statistics(const TargetStatistics& op) override { local_loss_.target_statistics(op); }
  std::unique_ptr<RowFollower> make_row_follower(const DrawLandmarks* draw) override {
    return local_loss_.make_row_follower(draw);
  }
  void local_loss(const LocalLoss& op) override { local_loss_.run(op); }
  void activation_statistics(const ActivationStatistics& op) override {
    cpu::activation_statistics(context_, op);
  }

  void clip_adam(const ClipAdam& op) override { cpu::clip_adam(context_, op); }

  void discounted_returns(const DiscountedReturns& op) override {
    cpu::discounted_returns(context_, op);
  }
  void advantages(const Advantages& op) override { cpu::advantages(context_, op); }
  void generalized_advantage(const GeneralizedAdvantage& op) override {
    cpu::generalized_advantage(context_, op);
  }
  void gather_rows(const GatherRows& op) override { cpu::gather_rows(context_, op); }
  void categorical_loss(const CategoricalLoss& op) override { cpu::categorical_loss(context_, op); }
  void gaussian_loss(const GaussianLoss& op) override { cpu::gaussian_loss(context_, op); }
  void ppo_categorical_loss(const PpoCategoricalLoss& op) override {
    cpu::ppo_categorical_loss(context_, op);
  }
  void ppo_gaussian_loss(const PpoGaussianLoss& op) override {
    cpu::ppo_gaussian_loss(context_, op);
  }
  void value_loss(const ValueLoss& op) override { cpu::value_loss(context_, op); }

  void pack_inference(const PackInference& op) override { cpu::pack_inference(op); }
  void infer(const Infer& op) override { cpu::infer(context_, inference_scratch_, op); }

 private:
  cpu::MemoryCounter memory_;
  cpu::Context context_;
  cpu::LocalLossPass local_loss_;
  cpu::Scratch<float> inference_scratch_;
};

}  // namespace

Arithmetic cpu_arithmetic(Arithmetic choice) {
  const bool fixed = choice == Arithmetic::kFixed || choice == Arithmetic::kAuto;
  return fixed ? Arithmetic::kFixed : Arithmetic::kFp32;
}

std::unique_ptr<Backend> make_cpu_backend(ThreadPool& pool, Arithmetic arithmetic) {
  return std::make_unique<CpuBackend>(pool, arithmetic);
}

}  // namespace lpdm
