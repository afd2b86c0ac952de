#!/usr/bin/env bash
# Feeds the readers of configs, traces and checkpoints with inputs that libFuzzer invents from the
# corpus in tests/fuzz/corpus, under AddressSanitizer and UndefinedBehaviorSanitizer.
#
#   tools/fuzz.sh [SECONDS]   for each reader; 60 if left out. The readers run at the same time.
#
# What it finds stays in build/fuzz/READER/: crash-… are inputs that break a reader.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tools/common.sh
source tools/common.sh

seconds=${1:-60}
[[ $# -le 1 && $seconds =~ ^[1-9][0-9]*$ ]] ||
  fail_status=2 fail "expected at most one argument, a number of seconds, not '$*'."
command -v clang++ >/dev/null ||
  fail "there is no clang++, which brings libFuzzer; run tools/bootstrap.sh --ci."

readers=(config trace checkpoint)
build=build/fuzz
step "Building the fuzz targets"
configure_environments "$build" release -DCMAKE_CXX_COMPILER=clang++ -DLPDM_BUILD_TESTS=OFF \
  -DLPDM_BUILD_FUZZERS=ON -DLPDM_SANITIZE=fuzzer-no-link,address,undefined \
  -DCMAKE_CXX_FLAGS_RELEASE=-O1
quietly "$build/build.log" cmake --build "$build" --target "${readers[@]/%/_fuzzer}"

step "Fuzzing each of ${readers[*]} for $seconds s"
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true' EXIT
for reader in "${readers[@]}"; do
  mkdir -p "$build/$reader/corpus"
  "$build/tests/fuzz/${reader}_fuzzer" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
    -print_final_stats=1 -artifact_prefix="$build/$reader/" \
    -dict="tests/fuzz/$reader.dict" "$build/$reader/corpus" "tests/fuzz/corpus/$reader" \
    >"$build/$reader/log" 2>&1 </dev/null &
  pids+=($!)
done
failed=()
for i in "${!readers[@]}"; do
  wait "${pids[i]}" || failed+=("${readers[i]}")
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$build/${readers[i]}/log")
  echo "${readers[i]}: ${runs:-no count of} inputs"
done
pids=()
((${#failed[@]} == 0)) || {
  for reader in "${failed[@]}"; do tail -n 40 "$build/$reader/log" >&2; done
  fail "the readers '${failed[*]}' broke; their logs and inputs are in $build."
}
good "No reader broke."
