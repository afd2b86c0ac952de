#!/usr/bin/env bash
# Runs every environment for many steps under AddressSanitizer with UndefinedBehaviorSanitizer, and
# under ThreadSanitizer: four threads, with episodes that end, are truncated and start again. Then,
# under AddressSanitizer, runs the CUDA backend's tests on the host, kills 50 runs at random moments,
# damages 200 and starts 500 from configs with mistakes in them.
#
#   tools/sanitize.sh [STEPS]   of each environment; 100000 if left out
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tools/common.sh
source tools/common.sh

steps=${1:-100000}
[[ $# -le 1 && $steps =~ ^[1-9][0-9]*$ ]] ||
  fail_status=2 fail "expected at most one argument, a number of steps, not '$*'."

for preset in asan tsan; do
  build=build/$preset-environments
  step "Building the environments with $preset"
  configure_environments "$build" "$preset"
  quietly "$build/build.log" cmake --build "$build" --target env_tests
  step "Running $steps steps of every environment with $preset"
  LPDM_SOAK_STEPS=$steps "$build/tests/env/env_tests" --gtest_filter='*Soak*' --gtest_brief=1
done

build=build/asan
step "Building the program with asan"
configure_preset "$build" asan
quietly "$build/build.log" cmake --build "$build" --target cli_tests
step "The CUDA backend on the host with asan"
quietly "$build/build.log" cmake --build "$build" --target shim_tests
"$build/tests/cuda/shim_tests" --gtest_brief=1 --gtest_filter='-*NumberOfThreads*'

step "Killed runs, damaged checkpoints and mutated configs with asan"
LPDM_ALL_ROUNDS=1 "$build/tests/tools/cli_tests" --gtest_brief=1 \
  --gtest_filter='KillTest.*:DamageTest.*:MutatedConfigTest.*'
good "Neither sanitizer found anything."
