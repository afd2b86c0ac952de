// The backend that a suite of tests runs on. Each test program is linked with one of
// test_backend_*: the same tests run on the CPU backend, on the CUDA backend under the execution
// shim, and on a GPU.
#pragma once

#include <cstdint>
#include <memory>

#include "lpdm/backend.h"

namespace lpdm {

std::unique_ptr<Backend> make_test_backend(ThreadPool& pool, const BackendOptions& options = {});

// The shim takes thousands of times longer than a GPU: long series of cases are cut there.
bool test_backend_is_slow();

// Whether to leave out case `number` of a long series.
inline bool leaves_out(std::int64_t number) {
  constexpr std::int64_t kKeptOnSlowBackends = 5;  // one in
  return test_backend_is_slow() && number % kKeptOnSlowBackends != 0;
}

}  // namespace lpdm
