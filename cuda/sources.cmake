# The files of the CUDA backend, relative to this folder. Those of `kernels` are compiled by nvcc,
# and as C++ by the host compiler for the tests (tests/shim); those of `host` have no kernels.
set(lpdm_cuda_kernels)
set(lpdm_cuda_host
  common/checks.cc
  common/context.cc
  common/memory.cc)
