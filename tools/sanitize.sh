#!/usr/bin/env bash
# Runs every environment for many steps under AddressSanitizer with UndefinedBehaviorSanitizer, and
# under ThreadSanitizer: four threads, with episodes that end, are truncated and start again.
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
good "Neither sanitizer found anything."
