// Stands in for the CUDA runtime: kernels compile as C++ and run on the host, see tests/shim.
//
// Streams queue their work and do it when somebody waits, in an order drawn anew each time that
// only streams and events bound; graphs likewise. Device memory cannot be touched in between.
#pragma once

#include "shim/device_functions.h"
#include "shim/device_types.h"
#include "shim/runtime.h"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __grid_constant__
#define __constant__
#define __shared__ static thread_local
#define __align__(bytes) alignas(bytes)
