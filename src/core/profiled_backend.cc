#include "core/profiled_backend.h"

#include <algorithm>
#include <utility>

namespace lpdm {

namespace {

void add_to(std::vector<OpProfile>& profiles, const StageTime& time, const OpWork& work) {
  auto found = std::ranges::find(profiles, time.name, &OpProfile::name);
  if (found == profiles.end()) {
    found = profiles.insert(profiles.end(), OpProfile{.name = time.name, .work = {}});
  }
  found->calls += time.calls;
  found->seconds += time.seconds;
  found->work.bytes += work.bytes;
  found->work.instructions += work.instructions;
}

}  // namespace

void Profile::add(const std::string& name, double seconds, const OpWork& work) {
  add_to(ops_, {.name = name, .calls = 1, .seconds = seconds}, work);
}

void Profile::add_stage(const std::string& op, const StageTime& stage, const OpWork& work) {
  const auto found = std::ranges::find(ops_, op, &OpProfile::name);
  if (found != ops_.end()) add_to(found->stages, stage, work);
}

namespace {

class ProfiledBackend final : public Backend {
 public:
  ProfiledBackend(std::unique_ptr<Backend> backend, Profile& profile)
      : backend_(std::move(backend)),
        staged_(dynamic_cast<StagedBackend*>(backend_.get())),
        profile_(profile) {
    if (staged_ != nullptr) staged_->time_stages();
  }

  std::string name() const override { return backend_->name(); }
  std::string description() const override { return backend_->description(); }
  void* allocate(std::size_t bytes) override { return backend_->allocate(bytes); }
  void release(void* memory, std::size_t bytes) noexcept override {
    backend_->release(memory, bytes);
  }
  void copy_to_device(void* to, const void* from, std::size_t bytes) override {
    measure("copy_to_device", copied(bytes), [&] { backend_->copy_to_device(to, from, bytes); });
  }
  void copy_to_host(void* to, const void* from, std::size_t bytes) override {
    measure("copy_to_host", copied(bytes), [&] { backend_->copy_to_host(to, from, bytes); });
  }
  void fill_zero(void* memory, std::size_t bytes) override { backend_->fill_zero(memory, bytes); }
  std::size_t peak_bytes() const override { return backend_->peak_bytes(); }
  TimeMark mark() override { return backend_->mark(); }
  double seconds_between(TimeMark first, TimeMark second) override {
    return backend_->seconds_between(first, second);
  }

  void dense_forward(const DenseForward& op) override {
    measure("dense_forward", work_of(op, rows_of(op)), [&] { backend_->dense_forward(op); });
  }
  void dense_gradient(const DenseGradient& op) override {
    measure("dense_gradient", work_of(op, rows_of(op)), [&] { backend_->dense_gradient(op); });
  }
  void dense_input_gradient(const DenseInputGradient& op) override {
    measure("dense_input_gradient", work_of(op, rows_of(op)),
            [&] { backend_->dense_input_gradient(op); });
  }
  void guided_shift(const GuidedShift& op) override {
    measure("guided_shift", {}, [&] { backend_->guided_shift(op); });
  }
  void draw_landmarks(const DrawLandmarks& op) override {
    measure("draw_landmarks", {}, [&] { backend_->draw_landmarks(op); });
  }
  void target_statistics(const TargetStatistics& op) override {
    measure("target_statistics", work_of(op, rows_of(op.target)),
            [&] { backend_->target_statistics(op); });
  }
  void local_loss(const LocalLoss& op) override {
    const std::int64_t rows = rows_of(op.target);
    measure("local_loss", work_of(op, rows), [&] { backend_->local_loss(op); });
    if (staged_ == nullptr) return;
    for (const StageTime& stage : staged_->take_stages()) {
      profile_.add_stage("local_loss", stage, stage_work(op, rows, stage.name));
    }
  }
  void activation_statistics(const ActivationStatistics& op) override {
    measure("activation_statistics", work_of(op, rows_of(op)),
            [&] { backend_->activation_statistics(op); });
  }
  void clip_adam(const ClipAdam& op) override {
    measure("clip_adam", work_of(op), [&] { backend_->clip_adam(op); });
  }
  void discounted_returns(const DiscountedReturns& op) override {
    measure("discounted_returns", {}, [&] { backend_->discounted_returns(op); });
  }
  void advantages(const Advantages& op) override {
    measure("advantages", {}, [&] { backend_->advantages(op); });
  }
  void generalized_advantage(const GeneralizedAdvantage& op) override {
    measure("generalized_advantage", {}, [&] { backend_->generalized_advantage(op); });
  }
  void gather_rows(const GatherRows& op) override {
    measure("gather_rows", work_of(op, rows_of(op)), [&] { backend_->gather_rows(op); });
  }
  void categorical_loss(const CategoricalLoss& op) override {
    measure("categorical_loss", {}, [&] { backend_->categorical_loss(op); });
  }
  void gaussian_loss(const GaussianLoss& op) override {
    measure("gaussian_loss", {}, [&] { backend_->gaussian_loss(op); });
  }
  void ppo_categorical_loss(const PpoCategoricalLoss& op) override {
    measure("ppo_categorical_loss", {}, [&] { backend_->ppo_categorical_loss(op); });
  }
  void ppo_gaussian_loss(const PpoGaussianLoss& op) override {
    measure("ppo_gaussian_loss", {}, [&] { backend_->ppo_gaussian_loss(op); });
  }
  void value_loss(const ValueLoss& op) override {
    measure("value_loss", {}, [&] { backend_->value_loss(op); });
  }
  void pack_inference(const PackInference& op) override {
    measure("pack_inference", {}, [&] { backend_->pack_inference(op); });
  }
  void infer(const Infer& op) override {
    measure("infer", {}, [&] { backend_->infer(op); });
  }

 private:
  static OpWork copied(std::size_t bytes) {
    return {.bytes = static_cast<double>(bytes), .instructions = 0.0};
  }
  template <class Op>
  std::int64_t rows_of(const Op& op) {
    std::int64_t rows = 0;
    backend_->copy_to_host(&rows, op.rows.count, sizeof rows);
    return rows;
  }

  template <class Run>
  void measure(const char* name, const OpWork& work, const Run& run) {
    const TimeMark start = backend_->mark();
    run();
    const TimeMark end = backend_->mark();
    profile_.add(name, backend_->seconds_between(start, end), work);
  }

  std::unique_ptr<Backend> backend_;
  StagedBackend* staged_;  // the same one; null: its ops have no stages
  Profile& profile_;
};

}  // namespace

std::unique_ptr<Backend> make_profiled_backend(std::unique_ptr<Backend> backend, Profile& profile) {
  return std::make_unique<ProfiledBackend>(std::move(backend), profile);
}

}  // namespace lpdm
