// Marks functions that the CPU and the CUDA backend share: nvcc compiles them for both sides, any
// other compiler, the execution shim's too, sees a plain function.
#pragma once

#ifdef __CUDACC__
#define LPDM_HOST_DEVICE __host__ __device__
#else
#define LPDM_HOST_DEVICE
#endif
