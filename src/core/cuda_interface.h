// What stands between the program and the shared object with the CUDA backend: a table of functions
// with plain types. The arguments of the ops are the structs of lpdm/ops.h and lpdm/rl_ops.h.
//
// Version and layout must be equal on both sides. No exception crosses the table: a function that
// can fail has a CudaFailure to fill in. Backend.h says what each function has to do.
#pragma once

#include <cstddef>
#include <cstdint>

#include "lpdm/ops.h"

namespace lpdm {

inline constexpr std::uint32_t kCudaInterfaceVersion = 2;
inline constexpr const char* kCudaInterfaceSymbol = "lpdm_cuda_interface";

enum class CudaOp : std::uint32_t {
  kDenseForward,
  kDenseGradient,
  kDenseInputGradient,
  kGuidedShift,
  kDrawLandmarks,
  kTargetStatistics,
  kLocalLoss,
  kActivationStatistics,
  kClipAdam,
  kDiscountedReturns,
  kAdvantages,
  kGeneralizedAdvantage,
  kGatherRows,
  kCategoricalLoss,
  kGaussianLoss,
  kPpoCategoricalLoss,
  kPpoGaussianLoss,
  kValueLoss,
  kPackInference,
  kInfer,
  kCount
};

// A number that changes, very likely, with the layout of any op's arguments.
template <class... Structs>
constexpr std::uint32_t layout_of() {
  std::uint32_t layout = 0;
  ((layout = layout * 31 + static_cast<std::uint32_t>(sizeof(Structs))), ...);
  return layout;
}
inline constexpr std::uint32_t kCudaLayout =
    layout_of<DenseForward, DenseGradient, DenseInputGradient, GuidedShift, DrawLandmarks,
              TargetStatistics, LocalLoss, LocalLossLayer, LocalLossStatistics,
              ActivationStatistics, ClipAdam, ParameterSlice, DiscountedReturns, Advantages,
              GeneralizedAdvantage, GatherRows, CategoricalLoss, GaussianLoss, PpoCategoricalLoss,
              PpoGaussianLoss, ValueLoss, PackInference, InferenceLayer, Infer>();

// Which class of lpdm/error.h to throw; kNone: nothing went wrong.
struct CudaFailure {
  enum Kind : std::int32_t { kNone, kError, kUsage, kNumerical };
  std::int32_t kind = kNone;
  char message[2048] = {};
};

struct CudaDeviceStatus {
  // kUnsuitable: there is a GPU, but it or its driver is too old for this build, or does not
  // answer.
  enum Kind : std::int32_t { kNone, kUnsuitable, kUsable };
  std::int32_t kind = kNone;
  // The device in words, or a clause that says why there is none that can be used.
  char text[512] = {};
  double lane_rate = 0.0;  // [1/s], instructions on a single number that all its lanes can issue
};

struct CudaOptions {
  std::int32_t arithmetic = 0;  // an Arithmetic
  std::int64_t distance_bytes = 0;
};

// Of one stage of the ops ("pass 1"), all its calls together.
struct CudaStage {
  char name[32] = {};
  std::int64_t calls = 0;
  double seconds = 0.0;
};

struct CudaInterface {
  std::uint32_t version;
  std::uint32_t layout;

  void (*status)(CudaDeviceStatus* status);

  void* (*create)(const CudaOptions* options, CudaFailure* failure);  // null: failed
  void (*destroy)(void* backend);
  void (*describe)(void* backend, char* text, std::size_t size);

  void* (*allocate)(void* backend, std::size_t bytes, CudaFailure* failure);
  void (*release)(void* backend, void* memory, std::size_t bytes);
  void (*copy_to_device)(void* backend, void* to, const void* from, std::size_t bytes,
                         CudaFailure* failure);
  void (*copy_to_host)(void* backend, void* to, const void* from, std::size_t bytes,
                       CudaFailure* failure);
  void (*fill_zero)(void* backend, void* memory, std::size_t bytes, CudaFailure* failure);
  std::size_t (*peak_bytes)(void* backend);

  void (*run)(void* backend, CudaOp op, const void* arguments, CudaFailure* failure);

  void* (*make_recording)(void* backend);
  void (*destroy_recording)(void* backend, void* recording);
  void (*forget_recording)(void* backend, void* recording);
  // 1: the ops of `variant` are to be run now, then end_recording is to be called; 0: they have
  // been enqueued from the recording.
  std::int32_t (*begin_recording)(void* backend, void* recording, std::uint64_t variant,
                                  CudaFailure* failure);
  // succeeded: 0 if an op has failed; what was recorded is then thrown away.
  void (*end_recording)(void* backend, std::int32_t succeeded, CudaFailure* failure);

  // Ops between enter and leave run beside those of other branches, until all have been joined.
  void (*enter_branch)(void* backend, std::int64_t branch, CudaFailure* failure);
  void (*leave_branch)(void* backend);
  void (*join_branches)(void* backend, std::int64_t count, CudaFailure* failure);

  std::uint64_t (*mark)(void* backend, CudaFailure* failure);
  double (*seconds_between)(void* backend, std::uint64_t first, std::uint64_t second,
                            CudaFailure* failure);

  // From now on stages are timed, and what would run side by side runs one after the other.
  void (*time_stages)(void* backend);
  // Writes those since it was last called, `capacity` at most, and returns how many there were.
  std::int64_t (*take_stages)(void* backend, CudaStage* stages, std::int64_t capacity,
                              CudaFailure* failure);
};

}  // namespace lpdm

// The one symbol of the shared object.
extern "C" const lpdm::CudaInterface* lpdm_cuda_interface();
