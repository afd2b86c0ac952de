#!/usr/bin/env bash
# Tests and measures the CUDA backend on this machine's GPU, and writes what came of it as one JSON
# file and one report to read. Needs the CUDA toolkit's libraries (cuBLAS; compute-sanitizer where it
# is to be used) and nothing else: no network, no other packages.
#
#   tools/gpu_check.sh [--bin DIR] [--out DIR] [--rows "N …"] [--repeats R] [--tests FILTER]
#
#   --bin      folder with lpdm, gpu_tests and liblpdm_cuda.so; found by itself in a bundle
#              (tools/gpu_bundle.sh) and in a clone (build/cuda, build/release)
#   --out      folder for the results; gpu-check if left out
#   --rows     sizes of the updates to time; the default ends at 1048576
#   --repeats  timed updates of each size
#   --tests    gtest filter of the tests to run; all if left out
#
# Exit status: 0 if every test passed, 1 if one failed or there is no GPU, 2 for a wrong argument.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=tools/common.sh
source "$root/tools/common.sh"

bin='' out=gpu-check repeats=9 tests='*'
rows='1000 4096 8192 16384 65536 262144 1048576'
while (($# > 0)); do
  (($# > 1)) || fail_status=2 fail "'$1' is not an option with a value; see the top of this script."
  case $1 in
    --bin) bin=$2 ;;
    --out) out=$2 ;;
    --rows) rows=$2 ;;
    --repeats) repeats=$2 ;;
    --tests) tests=$2 ;;
    *) fail_status=2 fail "'$1' is not one of --bin, --out, --rows, --repeats and --tests." ;;
  esac
  shift 2
done
if [[ -z $bin ]]; then
  for bin in "$root/bin" "$root/build/cuda/tools" "$root/build/release/tools" ''; do
    [[ -x $bin/lpdm ]] && break
  done
fi
[[ -x $bin/lpdm && -x $bin/gpu_tests ]] ||
  fail "there is no lpdm with gpu_tests; build with the preset cuda, or give their folder with --bin."
export LD_LIBRARY_PATH="$root/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
[[ ! -d $root/tests/data ]] || export LPDM_TEST_DATA="$root/tests/data"
[[ ! -d $root/models ]] || export LPDM_MODEL_DIR="$root/models"
lpdm=$bin/lpdm

if ! problem=$("$lpdm" bench local-loss --n 8 --repeats 1 --device cuda --json 2>&1 >/dev/null); then
  fail "${problem#lpdm: }"
fi

mkdir -p "$out/logs"
json=$out/gpu-check.json report=$out/gpu-check.txt
: >"$report"
failures=0 entries=()

say() { printf '%s\n' "$*" | tee -a "$report"; }
# A text as a JSON string.
quote() { printf '"%s"' "$(tr '\n\t' '  ' <<<"$1" | sed 's/[[:cntrl:]]//g; s/\\/\\\\/g; s/"/\\"/g; s/ *$//')"; }
# One number of a flat JSON object on a line of its own: field NAME FILE
field() { sed -nE "s/.*\"$1\":(-?[0-9.e+-]+).*/\1/p" "$2" | head -n 1; }
add() { entries+=("$(quote "$1"): $2"); }
# Whether A <= B, as numbers.
at_most() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a <= b) }'; }

# Runs a step and notes its status and seconds: run NAME COMMAND…; its stdout is in logs/NAME.out.
run() {
  local name=$1 start=$SECONDS status=0
  shift
  step "$name"
  "$@" >"$out/logs/$name.out" 2>"$out/logs/$name.err" </dev/null || status=$?
  add "$name" "{\"status\": $status, \"seconds\": $((SECONDS - start))}"
  return "$status"
}

test_step() {
  local name=$1
  if run "$@"; then
    say "passed   $name"
  else
    say "FAILED   $name (see logs/$name.out and logs/$name.err)"
    failures=$((failures + 1))
  fi
}

# Says whether a measured number keeps its bound: bound NAME VALUE MOST UNIT
bound() {
  local verdict=kept
  if [[ -z $2 ]]; then return; fi
  at_most "$2" "$3" || verdict=MISSED
  say "$(printf '%-8s %s: %.6g %s, at most %g' "$verdict" "$1" "$2" "$4" "$3")"
  add "bound: $1" "{\"value\": $2, \"most\": $3, \"kept\": $([[ $verdict == kept ]] && echo true || echo false)}"
}

run_tests() {
  test_step tests "$bin/gpu_tests" --gtest_brief=1 --gtest_filter="$tests:-*NumberOfThreads*" \
    --gtest_output="json:$out/logs/tests.json"
  local sanitizer tool small='*SmallOps*:OpParity*/Rows/*127:RecordingTest.*:GoldenUpdates.*'
  if ! sanitizer=$(command -v compute-sanitizer || ls /usr/local/cuda/bin/compute-sanitizer 2>/dev/null); then
    say 'not run  compute-sanitizer (it is not installed)'
    return
  fi
  for tool in memcheck racecheck initcheck; do
    test_step "$tool" "$sanitizer" --tool "$tool" --error-exitcode 9 \
      "$bin/gpu_tests" --gtest_brief=1 --gtest_filter="$small"
  done
}

# time_update ROWS PAIRS ARITHMETIC: into logs/update-….out
time_update() {
  local n=$1 pairs=$2 arithmetic=$3 name="update-$1-${2/:/-}-$3" times=$repeats
  ((n <= 65536)) || times=$((repeats < 3 ? repeats : 3))
  if ! run "$name" "$lpdm" bench local-loss --n "$n" --hidden 128,256 --pairs "$pairs" --arithmetic \
    "$arithmetic" --repeats "$times" --device cuda --json; then
    say "failed   $name: $(head -n 1 "$out/logs/$name.err")"
    return
  fi
  local file=$out/logs/$name.out
  add "$name: result" "$(head -n 1 "$file")"
  say "$(printf '%9d rows  %-13s %-6s %12.6f s  backprop %12.6f s  peak %14.0f bytes' "$n" "$pairs" \
    "$arithmetic" "$(field lpdm_s "$file")" "$(field bp_s "$file")" "$(field peak_bytes "$file")")"
}

time_updates() {
  local n pairs arithmetic
  say '' && say 'One update, 17 inputs, hidden 128,256 (medians):'
  for n in $rows; do
    for pairs in all landmarks:16 landmarks:64 lowrank:4; do
      for arithmetic in fp32 fixed half2; do
        # What is quadratic takes minutes beyond this; the others do without reduced arithmetic.
        ((n <= 262144)) || [[ $pairs != all ]] || continue
        [[ $arithmetic == fp32 || $pairs == all ]] || continue
        time_update "$n" "$pairs" "$arithmetic"
      done
    done
  done
}

# value NAME ROWS PAIRS ARITHMETIC: of a timed update; nothing if it was not timed.
value() {
  local file="$out/logs/update-$2-${3/:/-}-$4.out"
  if [[ -s $file ]]; then field "$1" "$file"; fi
}
ratio_to_backprop() {
  local own other
  own=$(value lpdm_s "$1" "$2" fp32) other=$(value bp_s "$1" "$2" fp32)
  [[ -z $own || -z $other ]] || awk -v a="$own" -v b="$other" 'BEGIN { print a / b }'
}

check_bounds() {
  local n
  say '' && say 'Bounds:'
  bound '1000 rows, fp32' "$(value lpdm_s 1000 all fp32)" 150e-6 s
  bound '65536 rows, fp32' "$(value lpdm_s 65536 all fp32)" 0.5 s
  bound '262144 rows, fp32' "$(value lpdm_s 262144 all fp32)" 8 s
  bound '262144 rows, fixed' "$(value lpdm_s 262144 all fixed)" 5.5 s
  for n in $rows; do
    bound "$n rows, peak memory" "$(value peak_bytes "$n" all fp32)" "$((64 * n * 384))" bytes
    ((n >= 4096)) || continue
    bound "$n rows, landmarks:16 beside backprop" "$(ratio_to_backprop "$n" landmarks:16)" 1 times
    bound "$n rows, landmarks:64 beside backprop" "$(ratio_to_backprop "$n" landmarks:64)" 1.5 times
  done
}

time_training() {
  local config=$root/configs/paper/reinforce/half-cheetah-lpdm.json file=$out/logs/training.out
  [[ -s $config ]] || return 0
  say '' && say 'Training on HalfCheetah-v4:'
  if ! run training "$lpdm" bench train "$config" --set run.device=cuda --repeats "$repeats" --json; then
    say "failed   bench train: $(head -n 1 "$out/logs/training.err")"
    return
  fi
  add 'training: result' "$(head -n 1 "$file")"
  bound 'iteration beside backprop' "$(field iteration_ratio "$file")" 1.05 times
  if run profile "$lpdm" profile "$config" --set run.device=cuda --iterations 3; then
    tee -a "$report" <"$out/logs/profile.out"
  fi
}

# The steps that led to the kernels, and the same update in PyTorch, where they are at hand.
compare() {
  local n most=0
  for n in $rows; do ((n > 16384 || n < most)) || most=$n; done
  if [[ -x $bin/ladder ]]; then
    say '' && say 'Kernels step by step:'
    if run ladder "$bin/ladder"; then tee -a "$report" <"$out/logs/ladder.out"; fi
  fi
  if python3 -c 'import torch; assert torch.cuda.is_available()' 2>/dev/null; then
    say '' && say 'PyTorch beside lpdm:'
    if run torch python3 "$root/bench/peers/local_loss_cuda.py" --lpdm "$lpdm" --n "$most"; then
      tee -a "$report" <"$out/logs/torch.out"
    fi
  else
    say 'not run  PyTorch (there is none that sees the GPU)'
  fi
}

info=$("$lpdm" info --json)
add machine "$info"
say "lpdm $(sed -nE 's/.*"commit": "([^"]*)".*/\1/p' <<<"$info") on $(sed -nE 's/.*"device_cuda": "([^"]*)".*/\1/p' <<<"$info")"
say ''
run_tests
time_updates
check_bounds
time_training
compare

{
  printf '{\n'
  for ((i = 0; i < ${#entries[@]}; ++i)); do
    printf '  %s%s\n' "${entries[i]}" "$( ((i + 1 < ${#entries[@]})) && echo ,)"
  done
  printf '}\n'
} >"$json"
say ''
((failures == 0)) || fail "$failures of the test steps failed; $report and $json say which."
good "All tests passed; the figures are in $report and $json."
