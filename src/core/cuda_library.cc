#include "core/cuda_library.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <utility>
#include <vector>

namespace lpdm {

namespace {

namespace fs = std::filesystem;

constexpr const char* kFileName = "liblpdm_cuda.so";

std::vector<fs::path> candidates() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (error) return {};
  const fs::path folder = program.parent_path();
  return {folder / kFileName, folder.parent_path() / "lib" / kFileName};
}

CudaLibrary missing(std::string why) {
  return {.table = nullptr,
          .device = CudaDeviceStatus::kNone,
          .text = std::move(why),
          .lane_rate = 0.0};
}

// Much sooner answered than by loading the backend with cuBLAS.
bool has_driver() {
  void* const driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
  if (driver != nullptr) dlclose(driver);
  return driver != nullptr;
}

CudaLibrary open(const fs::path& file) {
  // Never closed: the CUDA runtime does not survive it.
  void* const library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return missing(fmt::format(
        "the CUDA backend cannot be loaded ({}); install the CUDA libraries of that version or set "
        "LD_LIBRARY_PATH to their folder",
        dlerror()));
  }
  using Entry = const CudaInterface* (*)();
  const auto entry = reinterpret_cast<Entry>(dlsym(library, kCudaInterfaceSymbol));
  const CudaInterface* table = entry != nullptr ? entry() : nullptr;
  if (table == nullptr || table->version != kCudaInterfaceVersion || table->layout != kCudaLayout) {
    return missing(
        fmt::format("{} belongs to another version of this program; build or install both together",
                    file.string()));
  }
  CudaDeviceStatus status;
  table->status(&status);
  return {.table = table,
          .device = static_cast<CudaDeviceStatus::Kind>(status.kind),
          .text = status.text,
          .lane_rate = status.lane_rate};
}

CudaLibrary find() {
  if (const char* given = std::getenv("LPDM_CUDA_LIBRARY"); given != nullptr && *given != '\0') {
    return open(given);
  }
  for (const fs::path& file : candidates()) {
    if (!fs::exists(file)) continue;
    return has_driver() ? open(file)
                        : missing("this machine has no NVIDIA driver (libcuda.so.1); install it");
  }
  return missing(fmt::format(
      "there is no {} beside the program; build it where nvcc is on PATH (-DLPDM_CUDA=ON), or set "
      "LPDM_CUDA_LIBRARY to it",
      kFileName));
}

}  // namespace

const CudaLibrary& cuda_library() {
  static const CudaLibrary library = find();
  return library;
}

}  // namespace lpdm
