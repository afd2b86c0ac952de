#!/usr/bin/env bash
# Builds the environments against a MuJoCo 3 and replays Gymnasium's recordings on it, with the
# tolerances that tests/env/golden_comparison.cc gives. Installs what is missing first.
#
#   tools/test_mujoco3.sh [FOLDER]   of another MuJoCo, with its include/mujoco and libmujoco.so
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tools/common.sh
source tools/common.sh

(($# <= 1)) || fail_status=2 fail "expected at most one argument, the folder of a MuJoCo, not '$*'."
if (($# == 1)); then
  folder=$(realpath -- "$1")
else
  tools/bootstrap.sh --mujoco3
  folders=("${LPDM_DEPS_DIR:-.deps}"/mujoco-3.*)
  folder=$(realpath -- "${folders[0]}")
fi
build=build/environments-${folder##*/}
step "Building the environments with ${folder##*/}"
# Not optimised: the time goes into compiling, and MuJoCo comes compiled.
configure_environments "$build" release -DLPDM_MUJOCO_DIR="$folder" \
  -DLPDM_WARNINGS_AS_ERRORS=ON -DCMAKE_CXX_FLAGS_RELEASE=-O0
quietly "$build/build.log" cmake --build "$build" --target env_tests
step "Testing"
"$build/tests/env/env_tests" --gtest_brief=1
