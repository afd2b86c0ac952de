#include "lpdm/backend.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstddef>
#include <vector>

#include "core/cuda_backend.h"
#include "core/cuda_library.h"
#include "lpdm/error.h"

namespace lpdm {

namespace {

class DirectCalls final : public Recording {
 public:
  void enqueue(std::uint64_t, const std::function<void()>& ops) override { ops(); }
  void forget() override {}
};

}  // namespace

std::unique_ptr<Recording> Backend::make_recording() { return std::make_unique<DirectCalls>(); }

std::unique_ptr<RowFollower> Backend::make_row_follower(const DrawLandmarks*) { return nullptr; }

void Backend::copy(void* to, const void* from, std::size_t bytes) {
  std::vector<std::byte> piece(std::min<std::size_t>(bytes, std::size_t{1} << 16));
  for (std::size_t done = 0; done < bytes; done += piece.size()) {
    const std::size_t count = std::min(piece.size(), bytes - done);
    copy_to_host(piece.data(), static_cast<const std::byte*>(from) + done, count);
    copy_to_device(static_cast<std::byte*>(to) + done, piece.data(), count);
  }
}

void Backend::parallel(std::int64_t count, const std::function<void(std::int64_t)>& enqueue) {
  for (std::int64_t i = 0; i < count; ++i) enqueue(i);
}

TimeMark Backend::mark() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::bit_cast<TimeMark>(std::chrono::duration<double>(now).count());
}

double Backend::seconds_between(TimeMark first, TimeMark second) {
  return std::bit_cast<double>(second) - std::bit_cast<double>(first);
}

BackendOptions backend_options(const Config& config) {
  constexpr std::int64_t kMegabyte = 1'000'000;
  return {.arithmetic = config.backend.arithmetic,
          .distance_bytes = config.hidden.memory_mb * kMegabyte};
}

std::unique_ptr<Backend> make_backend(const std::string& device, ThreadPool& pool,
                                      const BackendOptions& options) {
  if (device == "cpu") return make_cpu_backend(pool, options.arithmetic);
  if (device == "auto" || device == "cuda") {
    const CudaLibrary& library = cuda_library();
    if (library.usable()) return make_cuda_backend(*library.table, options);
    if (device == "auto") return make_cpu_backend(pool, options.arithmetic);
    const std::string why = "run.device cuda: " + library.text + ", or choose --device cpu";
    if (library.device == CudaDeviceStatus::kUnsuitable) throw Error(why);
    throw UsageError(why);
  }
  throw UsageError("run.device " + device + ": there is no such device; choose auto, cpu or cuda");
}

void throw_array_bounds(std::size_t asked, std::int64_t size) {
  throw Error("a device array of " + std::to_string(size) + " elements was accessed for " +
              std::to_string(asked));
}

}  // namespace lpdm
