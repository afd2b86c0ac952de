#!/usr/bin/env bash
# Builds the engine for 64-bit Arm and runs the tests of its kernels (on NEON vectors), of its
# threads and of the golden losses and updates in an emulator. Installs what is missing first.
#
#   tools/test_neon.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tools/common.sh
source tools/common.sh

(($# == 0)) || fail_status=2 fail "expected no arguments, not '$*'."
[[ $(uname -m) != aarch64 ]] ||
  fail "this machine is a 64-bit Arm itself; run tools/test.sh, which tests all of lpdm on it."
tools/bootstrap.sh --neon
arm64=$(realpath -- "${LPDM_DEPS_DIR:-.deps}/arm64")
mujoco=("$arm64"/mujoco-*)
openblas=("$arm64"/openblas-*)
build=build/neon
step "Building for 64-bit Arm"
configure_preset "$build" release -DLPDM_CUDA=OFF -DLPDM_WARNINGS_AS_ERRORS=ON \
  -DCMAKE_TOOLCHAIN_FILE="$PWD/cmake/aarch64-linux-gnu.cmake" -DLPDM_ARM64_DIR="$arm64" \
  -DLPDM_MUJOCO_DIR="${mujoco[0]}" -DLPDM_OPENBLAS_DIR="${openblas[0]}"
quietly "$build/build.log" cmake --build "$build" --target core_tests cpu_tests rl_tests

# As in cmake/aarch64-linux-gnu.cmake.
emulator=(qemu-aarch64 -cpu neoverse-n1 -L /usr/aarch64-linux-gnu)
step "Testing in the emulator"
"${emulator[@]}" "$build/tests/core/core_tests" --gtest_brief=1
"${emulator[@]}" "$build/tests/rl/rl_tests" --gtest_brief=1 --gtest_filter='Golden*:EpisodeCases*'
"${emulator[@]}" "$build/tests/cpu/cpu_tests" --gtest_brief=1
good "The kernels do on NEON what their tests expect."
