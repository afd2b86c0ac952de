#!/usr/bin/env bash
# Builds everything with warnings as errors and runs all tests. Installs what is missing first.
# Arguments go to ctest: tools/test.sh -R Config
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tools/common.sh
source tools/common.sh

tools/bootstrap.sh
step "Configuring"
configure_release -DLPDM_BUILD_TESTS=ON -DLPDM_BUILD_BENCHMARKS=ON -DLPDM_WARNINGS_AS_ERRORS=ON
step "Building"
quietly build/release/build.log cmake --build --preset release
step "Testing"
ctest --preset release --parallel "$(nproc)" --no-tests=error "$@" </dev/null
