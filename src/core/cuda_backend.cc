#include "core/cuda_backend.h"

#include <algorithm>
#include <array>
#include <type_traits>

#include "core/staged_backend.h"
#include "lpdm/error.h"

namespace lpdm {

namespace {

// Calls a function of the table, `arguments` first, and throws what it reports.
template <class Function, class... Arguments>
auto call(Function* function, Arguments... arguments) {
  CudaFailure failure;
  const auto raise = [&failure] {
    switch (failure.kind) {
      case CudaFailure::kNone:
        return;
      case CudaFailure::kUsage:
        throw UsageError(failure.message);
      case CudaFailure::kNumerical:
        throw NumericalError(failure.message);
      default:
        throw Error(failure.message);
    }
  };
  if constexpr (std::is_void_v<decltype(function(arguments..., &failure))>) {
    function(arguments..., &failure);
    raise();
  } else {
    const auto result = function(arguments..., &failure);
    raise();
    return result;
  }
}

class CudaRecording final : public Recording {
 public:
  CudaRecording(const CudaInterface& table, void* backend)
      : table_(table), backend_(backend), recording_(table.make_recording(backend)) {}
  ~CudaRecording() override { table_.destroy_recording(backend_, recording_); }
  CudaRecording(const CudaRecording&) = delete;
  CudaRecording& operator=(const CudaRecording&) = delete;

  void enqueue(std::uint64_t variant, const std::function<void()>& ops) override {
    if (call(table_.begin_recording, backend_, recording_, variant) == 0) return;
    try {
      ops();
    } catch (...) {
      CudaFailure ignored;  // the exception under way says more
      table_.end_recording(backend_, 0, &ignored);
      throw;
    }
    call(table_.end_recording, backend_, 1);
  }
  void forget() override { table_.forget_recording(backend_, recording_); }

 private:
  const CudaInterface& table_;
  void* backend_;
  void* recording_;
};

class CudaBackend final : public Backend, public StagedBackend {
 public:
  CudaBackend(const CudaInterface& table, const CudaOptions& options)
      : table_(table), backend_(call(table.create, &options)) {}
  ~CudaBackend() override { table_.destroy(backend_); }
  CudaBackend(const CudaBackend&) = delete;
  CudaBackend& operator=(const CudaBackend&) = delete;

  std::string name() const override { return "cuda"; }
  std::string description() const override {
    char text[512] = {};
    table_.describe(backend_, text, sizeof text);
    return text;
  }

  void* allocate(std::size_t bytes) override { return call(table_.allocate, backend_, bytes); }
  void release(void* memory, std::size_t bytes) noexcept override {
    table_.release(backend_, memory, bytes);
  }
  void copy_to_device(void* to, const void* from, std::size_t bytes) override {
    call(table_.copy_to_device, backend_, to, from, bytes);
  }
  void copy_to_host(void* to, const void* from, std::size_t bytes) override {
    call(table_.copy_to_host, backend_, to, from, bytes);
  }
  void fill_zero(void* memory, std::size_t bytes) override {
    call(table_.fill_zero, backend_, memory, bytes);
  }
  std::size_t peak_bytes() const override { return table_.peak_bytes(backend_); }

  std::unique_ptr<Recording> make_recording() override {
    return std::make_unique<CudaRecording>(table_, backend_);
  }
  void parallel(std::int64_t count, const std::function<void(std::int64_t)>& enqueue) override {
    for (std::int64_t i = 0; i < count; ++i) {
      call(table_.enter_branch, backend_, i);
      const Leave leave{table_, backend_};
      enqueue(i);
    }
    call(table_.join_branches, backend_, count);
  }

  TimeMark mark() override { return call(table_.mark, backend_); }
  double seconds_between(TimeMark first, TimeMark second) override {
    return call(table_.seconds_between, backend_, first, second);
  }

  void time_stages() override { table_.time_stages(backend_); }
  std::vector<StageTime> take_stages() override {
    std::array<CudaStage, 16> stages;  // more than any op has
    const std::int64_t count =
        call(table_.take_stages, backend_, stages.data(), std::int64_t{stages.size()});
    std::vector<StageTime> times;
    for (std::int64_t s = 0; s < std::min(count, std::int64_t{stages.size()}); ++s) {
      const CudaStage& stage = stages[static_cast<std::size_t>(s)];
      times.push_back({stage.name, stage.calls, stage.seconds});
    }
    return times;
  }

  void dense_forward(const DenseForward& op) override { run(CudaOp::kDenseForward, op); }
  void dense_gradient(const DenseGradient& op) override { run(CudaOp::kDenseGradient, op); }
  void dense_input_gradient(const DenseInputGradient& op) override {
    run(CudaOp::kDenseInputGradient, op);
  }
  void guided_shift(const GuidedShift& op) override { run(CudaOp::kGuidedShift, op); }
  void draw_landmarks(const DrawLandmarks& op) override { run(CudaOp::kDrawLandmarks, op); }
  void target_statistics(const TargetStatistics& op) override {
    run(CudaOp::kTargetStatistics, op);
  }
  void local_loss(const LocalLoss& op) override { run(CudaOp::kLocalLoss, op); }
  void activation_statistics(const ActivationStatistics& op) override {
    run(CudaOp::kActivationStatistics, op);
  }
  void clip_adam(const ClipAdam& op) override { run(CudaOp::kClipAdam, op); }
  void discounted_returns(const DiscountedReturns& op) override {
    run(CudaOp::kDiscountedReturns, op);
  }
  void advantages(const Advantages& op) override { run(CudaOp::kAdvantages, op); }
  void generalized_advantage(const GeneralizedAdvantage& op) override {
    run(CudaOp::kGeneralizedAdvantage, op);
  }
  void gather_rows(const GatherRows& op) override { run(CudaOp::kGatherRows, op); }
  void categorical_loss(const CategoricalLoss& op) override { run(CudaOp::kCategoricalLoss, op); }
  void gaussian_loss(const GaussianLoss& op) override { run(CudaOp::kGaussianLoss, op); }
  void ppo_categorical_loss(const PpoCategoricalLoss& op) override {
    run(CudaOp::kPpoCategoricalLoss, op);
  }
  void ppo_gaussian_loss(const PpoGaussianLoss& op) override { run(CudaOp::kPpoGaussianLoss, op); }
  void value_loss(const ValueLoss& op) override { run(CudaOp::kValueLoss, op); }
  void pack_inference(const PackInference& op) override { run(CudaOp::kPackInference, op); }
  void infer(const Infer& op) override { run(CudaOp::kInfer, op); }

 private:
  // Goes back to where the branch came from, whatever happens in it.
  struct Leave {
    const CudaInterface& table;
    void* backend;
    Leave(const CudaInterface& table_in, void* backend_in) : table(table_in), backend(backend_in) {}
    Leave(const Leave&) = delete;
    Leave& operator=(const Leave&) = delete;
    ~Leave() { table.leave_branch(backend); }
  };

  template <class Op>
  void run(CudaOp code, const Op& op) {
    call(table_.run, backend_, code, static_cast<const void*>(&op));
  }

  const CudaInterface& table_;
  void* backend_;
};

}  // namespace

std::unique_ptr<Backend> make_cuda_backend(const CudaInterface& table,
                                           const BackendOptions& options) {
  return std::make_unique<CudaBackend>(
      table, CudaOptions{.arithmetic = static_cast<std::int32_t>(options.arithmetic),
                         .distance_bytes = options.distance_bytes});
}

}  // namespace lpdm
