// The seam between the algorithms and a device: memory and some twenty ops.
//
// Above it nothing knows the device. Ops only enqueue, in order; what they compute is in backend
// memory and is read with copy_to_host. The CPU backend runs each op at once. One backend is used
// by one thread at a time. Ops throw Error (NumericalError, UsageError) as they detect a misuse.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "lpdm/ops.h"
#include "lpdm/thread_pool.h"

namespace lpdm {

// Ops that are enqueued again and again with the same arguments, as those of an update are. A
// backend may record what the ops enqueue and enqueue the recording from then on.
class Recording {
 public:
  virtual ~Recording() = default;

  // Enqueues `ops`, a function that calls ops of this backend and nothing else of it. `variant`
  // names the sequence: whenever it is equal, so must be every argument of every op.
  virtual void enqueue(std::uint64_t variant, const std::function<void()>& ops) = 0;
  // To be called when memory that the ops work on has been allocated anew.
  virtual void forget() = 0;
};

// Begins with a local loss while its rows still become known one after another, as an episode is
// played, on threads that would be idle. The result does not depend on how far it came, as long as
// all rows are finite.
// An update asks it for the target's statistics first, then for the loss.
//
// One thread at a time. From the first advance to pause, no op of the backend may be called that
// needs more than the calling thread (those on single rows do not).
class RowFollower {
 public:
  virtual ~RowFollower() = default;

  // Rows will come to where op.target.input and the outputs of op.layers are, up to `capacity` of
  // them. op: the loss to come, but for its target's rows and other pointers, and its scales; false
  // if nothing of it can be done early. Ends what was begun before.
  virtual bool begin(const LocalLoss& op, std::int64_t capacity) = 0;
  // So many rows are there now, and will not change until the loss has been worked out. Does not
  // wait.
  virtual void advance(std::int64_t rows) = 0;
  // Waits for what is under way.
  virtual void pause() noexcept = 0;
  // Works out the statistics of the target of the rows followed; false, and nothing is done, if it
  // is another one or if nothing of it has been done early.
  virtual bool finish(const TargetStatistics& op) = 0;
  // Works out a loss of the rows followed from what is done already; false, and nothing is done, if
  // it is another one. Either way begin comes next.
  virtual bool finish(const LocalLoss& op) = 0;
};

// A point in the order of a backend's ops.
using TimeMark = std::uint64_t;

class Backend {
 public:
  virtual ~Backend() = default;

  virtual std::string name() const = 0;         // "cpu" or "cuda"
  virtual std::string description() const = 0;  // the device in words

  // Memory, aligned to at least 64 bytes. allocate throws Error with the numbers if there is none.
  virtual void* allocate(std::size_t bytes) = 0;
  virtual void release(void* memory, std::size_t bytes) noexcept = 0;
  virtual void copy_to_device(void* to, const void* from, std::size_t bytes) = 0;
  virtual void copy_to_host(void* to, const void* from,
                            std::size_t bytes) = 0;  // waits for the ops
  virtual void fill_zero(void* memory, std::size_t bytes) = 0;
  // Within the backend's memory, from one place to another; by itself by way of the host.
  virtual void copy(void* to, const void* from, std::size_t bytes);
  // The most bytes that were allocated at once, scratch memory of the ops included.
  virtual std::size_t peak_bytes() const = 0;

  // How sequences of ops may be enqueued; by itself a backend does it one after another.
  virtual std::unique_ptr<Recording> make_recording();
  // draw: how the rows' landmarks will be drawn, but for its rows and results, with
  // *draw->iteration as it is when begin is called; null: there are none. Null where a backend
  // cannot follow rows, which by itself it cannot.
  virtual std::unique_ptr<RowFollower> make_row_follower(const DrawLandmarks* draw);
  // Calls enqueue(0 .. count − 1). What one call enqueues does not depend on the others, so a
  // backend may run them side by side; what comes after waits for all of them.
  virtual void parallel(std::int64_t count, const std::function<void(std::int64_t)>& enqueue);

  // Marks the present point; by itself a backend that has done all its ops reads the clock.
  virtual TimeMark mark();
  // Time that passed between two marks [s]; waits for the later one.
  virtual double seconds_between(TimeMark first, TimeMark second);

  virtual void dense_forward(const DenseForward& op) = 0;
  virtual void dense_gradient(const DenseGradient& op) = 0;
  virtual void dense_input_gradient(const DenseInputGradient& op) = 0;

  virtual void guided_shift(const GuidedShift& op) = 0;
  virtual void draw_landmarks(const DrawLandmarks& op) = 0;
  virtual void target_statistics(const TargetStatistics& op) = 0;
  virtual void local_loss(const LocalLoss& op) = 0;
  virtual void activation_statistics(const ActivationStatistics& op) = 0;

  virtual void clip_adam(const ClipAdam& op) = 0;

  virtual void discounted_returns(const DiscountedReturns& op) = 0;
  virtual void advantages(const Advantages& op) = 0;
  virtual void generalized_advantage(const GeneralizedAdvantage& op) = 0;
  virtual void gather_rows(const GatherRows& op) = 0;
  virtual void categorical_loss(const CategoricalLoss& op) = 0;
  virtual void gaussian_loss(const GaussianLoss& op) = 0;
  virtual void ppo_categorical_loss(const PpoCategoricalLoss& op) = 0;
  virtual void ppo_gaussian_loss(const PpoGaussianLoss& op) = 0;
  virtual void value_loss(const ValueLoss& op) = 0;

  virtual void pack_inference(const PackInference& op) = 0;
  virtual void infer(const Infer& op) = 0;
};

// What the CPU works the pairs of hidden layers out in: kFixed, its fastest, if asked for or left
// to it (kAuto), else kFp32, for kHalf2 too.
Arithmetic cpu_arithmetic(Arithmetic choice);

// The pool is shared and must outlive the backend.
std::unique_ptr<Backend> make_cpu_backend(ThreadPool& pool,
                                          Arithmetic arithmetic = Arithmetic::kFp32);

struct BackendOptions {
  Arithmetic arithmetic = Arithmetic::kFp32;
  std::int64_t distance_bytes = 0;  // cuda: that may be used to keep distances between passes
};
BackendOptions backend_options(const Config& config);

// device: "auto", "cpu" or "cuda"; auto: the GPU if there is a usable one, else the CPU. Throws
// UsageError saying why if the device is not there; never falls back.
std::unique_ptr<Backend> make_backend(const std::string& device, ThreadPool& pool,
                                      const BackendOptions& options = {});

// An owned run of T in backend memory, zeroed when made; move-only. The backend must outlive it.
template <class T>
class DeviceArray {
 public:
  DeviceArray() = default;
  DeviceArray(Backend& backend, std::int64_t size)
      : backend_(&backend),
        size_(size),
        data_(static_cast<T*>(backend.allocate(static_cast<std::size_t>(size) * sizeof(T)))) {
    backend.fill_zero(data_, bytes());
  }
  // The same, but with the first `kept` elements of another array.
  DeviceArray(Backend& backend, std::int64_t size, const DeviceArray& other, std::int64_t kept)
      : DeviceArray(backend, size) {
    check(static_cast<std::size_t>(kept));
    other.check(static_cast<std::size_t>(kept));
    backend.copy(data_, other.data_, static_cast<std::size_t>(kept) * sizeof(T));
  }
  ~DeviceArray() { reset(); }
  DeviceArray(DeviceArray&& other) noexcept { swap(other); }
  DeviceArray& operator=(DeviceArray&& other) noexcept {
    swap(other);
    return *this;
  }

  T* data() { return data_; }
  const T* data() const { return data_; }
  std::int64_t size() const { return size_; }

  // Copies values.size() elements in, from element `first` on, or the first ones out. Throws Error
  // if there are fewer.
  void write(std::span<const T> values, std::int64_t first = 0) {
    check(static_cast<std::size_t>(first) + values.size());
    backend_->copy_to_device(data_ + first, values.data(), values.size_bytes());
  }
  void read(std::span<T> values) const {
    check(values.size());
    backend_->copy_to_host(values.data(), data_, values.size_bytes());
  }
  std::vector<T> read() const {
    std::vector<T> values(static_cast<std::size_t>(size_));
    read(std::span<T>(values));
    return values;
  }

 private:
  std::size_t bytes() const { return static_cast<std::size_t>(size_) * sizeof(T); }
  void check(std::size_t count) const;
  void reset() noexcept {
    if (data_ != nullptr) backend_->release(data_, bytes());
    data_ = nullptr;
    size_ = 0;
  }
  void swap(DeviceArray& other) noexcept {
    std::swap(backend_, other.backend_);
    std::swap(size_, other.size_);
    std::swap(data_, other.data_);
  }

  Backend* backend_ = nullptr;
  std::int64_t size_ = 0;
  T* data_ = nullptr;
};

// Reports an access of `asked` elements to an array of `size`.
[[noreturn]] void throw_array_bounds(std::size_t asked, std::int64_t size);

template <class T>
void DeviceArray<T>::check(std::size_t count) const {
  if (count > static_cast<std::size_t>(size_)) throw_array_bounds(count, size_);
}

}  // namespace lpdm
