# Cross-compiles to 64-bit Arm with Debian's compiler, against the libraries that
# `tools/bootstrap.sh --neon` unpacks, and runs what it builds in qemu.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)

set(LPDM_ARM64_DIR "${CMAKE_CURRENT_LIST_DIR}/../.deps/arm64" CACHE PATH
  "Folder with the libraries for 64-bit Arm (tools/bootstrap.sh --neon sets it up)")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES LPDM_ARM64_DIR)
cmake_path(ABSOLUTE_PATH LPDM_ARM64_DIR NORMALIZE OUTPUT_VARIABLE CMAKE_FIND_ROOT_PATH)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

# A processor that exists: on qemu's own `max` OpenBLAS chooses kernels whose products are wrong
# there. The C and C++ run-time libraries are the compiler's; all others are found by their run path.
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -cpu neoverse-n1 -L /usr/aarch64-linux-gnu)
