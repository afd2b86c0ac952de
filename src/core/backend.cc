#include "lpdm/backend.h"

#include "lpdm/error.h"

namespace lpdm {

std::unique_ptr<Backend> make_backend(const std::string& device, ThreadPool& pool) {
  if (device == "auto" || device == "cpu") return make_cpu_backend(pool);
  if (device == "cuda") {
    throw UsageError(
        "run.device cuda: this program was built without the CUDA backend; choose cpu or auto");
  }
  throw UsageError("run.device " + device + ": there is no such device; choose auto, cpu or cuda");
}

void throw_array_bounds(std::size_t asked, std::int64_t size) {
  throw Error("a device array of " + std::to_string(size) + " elements was accessed for " +
              std::to_string(asked));
}

}  // namespace lpdm
