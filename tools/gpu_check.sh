#!/usr/bin/env bash
# Tests and measures the CUDA backend on this machine's GPU, and writes what came of it as one JSON
# file and one report to read. Needs the CUDA toolkit's libraries (cuBLAS; compute-sanitizer where it
# is to be used) and nothing else: no network, no other packages.
#
#   tools/gpu_check.sh [--bin DIR] [--out DIR] [--only "STEP …"] [--rows "N …"] [--repeats R]
#                      [--limit SECONDS] [--tests FILTER]
#
#   --bin      folder with lpdm, gpu_tests and liblpdm_cuda.so; found by itself in a bundle
#              (tools/gpu_bundle.sh) and in a clone (build/cuda, build/release)
#   --out      folder for the results; gpu-check if left out. What an earlier call has measured
#              there stays in the report, so the steps can be run in several calls.
#   --only     steps to run, of: parity updates passes peers training tests sanitizer ladder
#   --rows     sizes of the updates to time, of all pairs up to 262144
#   --repeats  timed updates of each size
#   --limit    seconds after which a single program is stopped, and counts as failed; 600
#   --tests    gtest filter of the tests to run; all if left out
#
# Exit status: 0 if every test passed, 1 if one failed or there is no GPU, 2 for a wrong argument.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=tools/common.sh
source "$root/tools/common.sh"

readonly all_steps='parity updates passes peers training tests sanitizer ladder'
bin='' out=gpu-check repeats=9 tests='*' limit=600 steps=$all_steps
rows='1000 4096 8192 16384 32768 65536 131072 262144 524288 1048576'
while (($# > 0)); do
  (($# > 1)) || fail_status=2 fail "'$1' is not an option with a value; see the top of this script."
  case $1 in
    --bin) bin=$2 ;;
    --out) out=$2 ;;
    --only) steps=$2 ;;
    --rows) rows=$2 ;;
    --repeats) repeats=$2 ;;
    --limit) limit=$2 ;;
    --tests) tests=$2 ;;
    *) fail_status=2 fail "'$1' is not an option; see the top of this script for those there are." ;;
  esac
  shift 2
done
for step in $steps; do
  [[ " $all_steps " == *" $step "* ]] ||
    fail_status=2 fail "'$step' is not one of the steps $all_steps."
done
for number in $rows $repeats $limit; do
  [[ $number =~ ^[1-9][0-9]*$ ]] ||
    fail_status=2 fail "'$number' is not a positive number; --rows, --repeats and --limit need such."
done
if [[ -z $bin ]]; then
  for bin in "$root/bin" "$root/build/cuda/tools" "$root/build/release/tools" ''; do
    [[ -x $bin/lpdm && -x $bin/gpu_tests ]] && break
  done
fi
[[ -x $bin/lpdm && -x $bin/gpu_tests ]] ||
  fail "there is no lpdm with gpu_tests; build with the preset cuda, or give their folder with --bin."
[[ ! -d $root/lib ]] || export LD_LIBRARY_PATH="$root/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
[[ ! -d $root/tests/data ]] || export LPDM_TEST_DATA="$root/tests/data"
[[ ! -d $root/models ]] || export LPDM_MODEL_DIR="$root/models"
lpdm=$bin/lpdm

# Adds the folder of the machine's cuBLAS where the loader does not know it: the toolkit's, or that
# of the wheel which PyTorch brings.
find_cublas() {
  local name folder
  name=$(ldd "$bin/liblpdm_cuda.so" 2>/dev/null | awk '/libcublas\.so.*not found/ {print $1}') || true
  [[ -n $name ]] || return 0
  for folder in /usr/local/cuda/lib64 /usr/local/cuda-*/lib64 \
    $(python3 -c 'import nvidia; print(*(p + f"/{d}/lib" for p in nvidia.__path__ for d in ("cu13", "cublas")))' \
      2>/dev/null || true); do
    if [[ -e $folder/$name ]]; then
      export LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$folder"
      return
    fi
  done
}
find_cublas

if ! problem=$(timeout 120 "$lpdm" bench local-loss --n 8 --repeats 1 --device cuda --json 2>&1 >/dev/null); then
  problem=$(head -n 1 <<<"$problem")
  fail "${problem#lpdm: }"
fi

logs=$out/logs json=$out/gpu-check.json report=$out/gpu-check.txt
mkdir -p "$logs"

# ---- steps: each program's output is in logs/NAME.out and .err, its exit status and seconds in
# ---- logs/NAME.status ----------------------------------------------------------------------------

run() {
  local name=$1 start=$SECONDS status=0
  shift
  step "$name"
  timeout -k 10 "$limit" "$@" >"$logs/$name.out" 2>"$logs/$name.err" </dev/null || status=$?
  echo "$status $((SECONDS - start))" >"$logs/$name.status"
}

run_parity() {
  run parity "$bin/gpu_tests" --gtest_brief=1 --gtest_filter='*TrainingParity*'
}

run_tests() {
  run tests "$bin/gpu_tests" --gtest_brief=1 --gtest_filter="$tests:-*NumberOfThreads*"
}

# The kernels of every kind on small batches: these tools slow them down a hundredfold.
run_sanitizer() {
  local sanitizer tool filter
  filter='LocalLoss.MatchesTheReference*:Landmarks.MatchTheReferenceOnAwkwardShapes'
  filter+=':FewLandmarks.MatchTheReference*:FewLandmarks.LeaveNothing*:PackedOutputs.*'
  filter+=':LocalLossVariants.MatchTheReferenceOnAwkwardSizes:LocalLossVariants.RankTiesByColumn'
  filter+=':LocalLossEpisodes.MatchTheReferenceOnAwkwardLengths:LowRank.HasTheGradientOfItsLoss'
  filter+=':Arithmetics.GiveTheSameBits*:Rows/OpParity.*/3:Rows/OpParity.*/6:SmallOps.*:Infer.*'
  filter+=':RecordingTest.RepeatsGive*:RecordingTest.Branches*:GoldenUpdates.EngineAgrees'
  sanitizer=$(command -v compute-sanitizer || ls /usr/local/cuda/bin/compute-sanitizer 2>/dev/null || true)
  if [[ -z $sanitizer ]]; then
    step "compute-sanitizer is not installed: left out"
    return
  fi
  for tool in memcheck racecheck initcheck; do
    run "$tool" "$sanitizer" --tool "$tool" --error-exitcode 9 "$bin/gpu_tests" --gtest_brief=1 \
      --gtest_filter="$filter"
  done
}

# update_name ROWS PAIRS ARITHMETIC
update_name() { echo "update-$1-${2/:/-}-$3"; }

run_updates() {
  local n pairs arithmetic times
  for n in $rows; do
    times=$repeats
    ((n <= 65536)) || times=$((repeats < 3 ? repeats : 3))
    for pairs in all landmarks:16 landmarks:64 lowrank:4; do
      for arithmetic in fp32 fixed half2; do
        # What is quadratic takes minutes beyond this; the others do without reduced arithmetic.
        ((n <= 262144)) || [[ $pairs != all ]] || continue
        [[ $arithmetic == fp32 || $pairs == all ]] || continue
        run "$(update_name "$n" "$pairs" "$arithmetic")" "$lpdm" bench local-loss --n "$n" \
          --hidden 128,256 --pairs "$pairs" --arithmetic "$arithmetic" --repeats "$times" \
          --device cuda --json
      done
    done
  done
}

readonly config=$root/configs/paper/reinforce/half-cheetah-lpdm.json
readonly pass_episodes='9 16 65' # of 1000 steps each: 8192 rows and more

run_passes() {
  local episodes
  for episodes in $pass_episodes; do
    run "profile-$episodes" "$lpdm" profile "$config" --set run.device=cuda \
      --set "algorithm.episodes_per_update=$episodes" --iterations 2 --json
  done
}

run_training() {
  run training "$lpdm" bench train "$config" --set run.device=cuda --repeats "$repeats" --json
  run profile "$lpdm" profile "$config" --set run.device=cuda --iterations 3
}

run_ladder() {
  if [[ -x $bin/ladder ]]; then run ladder "$bin/ladder"; fi
}

run_peers() {
  python3 -c 'import torch; assert torch.cuda.is_available()' >/dev/null 2>&1 || return 0
  run peers python3 "$root/bench/peers/local_loss_cuda.py" --binary "$lpdm" --n 1000 4096
}

# ---- the report, from what lies in logs/ ---------------------------------------------------------

say() { printf '%s\n' "$*" >>"$report"; }
# A text as a JSON string.
quote() { printf '"%s"' "$(tr '\n\t' '  ' <<<"$1" | sed 's/[[:cntrl:]]//g; s/\\/\\\\/g; s/"/\\"/g; s/ *$//')"; }
add() { entries+=("$(quote "$1"): $2"); }
# One number of a flat JSON object: field NAME LOG; nothing where there is none.
field() {
  [[ ! -s $logs/$2.out ]] || sed -nE "s/.*\"$1\":(-?[0-9.e+-]+).*/\1/p" "$logs/$2.out" | head -n 1
}
ratio() { [[ -z $1 || -z $2 ]] || awk -v a="$1" -v b="$2" 'BEGIN { print a / b }'; }

short=0 unknown=0 failures=0 entries=()

# One line of the bounds: bound WHAT VALUE most|least BOUND UNIT; an empty value is not measured.
bound() {
  local verdict=ok sign='<='
  [[ $3 == most ]] || sign='>='
  if [[ -z $2 ]]; then
    verdict=unknown unknown=$((unknown + 1))
    say "$(printf '%-8s %-46s %12s %s %g %s' unknown "$1" 'not measured' "$sign" "$4" "$5")"
  else
    awk -v a="$2" -v b="$4" -v s="$sign" 'BEGIN { exit !(s == "<=" ? a <= b : a >= b) }' ||
      { verdict=short short=$((short + 1)); }
    say "$(printf '%-8s %-46s %12.6g %s %g %s' "$verdict" "$1" "$2" "$sign" "$4" "$5")"
  fi
  add "bound: $1" "{\"value\": ${2:-null}, \"$3\": $4, \"unit\": $(quote "$5"), \"verdict\": \"$verdict\"}"
}

# Whether a step passed: passed WHAT LOG
passed() {
  local verdict=unknown status=''
  if [[ -s $logs/$2.status ]]; then
    read -r status _ <"$logs/$2.status"
    verdict=ok
    ((status == 0)) || { verdict=short failures=$((failures + 1)) short=$((short + 1)); }
  fi
  [[ $verdict != unknown ]] || unknown=$((unknown + 1))
  local detail='not run'
  [[ $verdict == unknown ]] ||
    detail=$(grep -hE '^\[  (PASSED|FAILED) *\] [0-9]+ test|ERROR SUMMARY' "$logs/$2.out" | tr '\n' ' ' || true)
  [[ $verdict != short ]] || detail+="status $status, see logs/$2.out and logs/$2.err"
  say "$(printf '%-8s %-46s %s' "$verdict" "$1" "$detail")"
  add "bound: $1" "{\"status\": ${status:-null}, \"verdict\": \"$verdict\"}"
}

# The time of an update's ops, of a contender: ops_seconds lpdm|bp ROWS PAIRS ARITHMETIC
ops_seconds() { field "$1_ops_s" "$(update_name "$2" "$3" "$4")"; }

# A pass's share of the limit: share PASS EPISODES
share() {
  [[ ! -s $logs/profile-$2.out ]] ||
    sed -nE "s/.*\"op\":\"$1\",[^{}]*\"share_of_limit\":([0-9.e+-]+).*/\1/p" "$logs/profile-$2.out"
}

# peer_seconds CONTENDER: at 4096 rows
peer_seconds() {
  [[ ! -s $logs/peers.out ]] ||
    awk -v name="$1" '/^N = / { here = $3 + 0 == 4096 }
      here && index($0, "  " name) == 1 && $NF + 0 > 0 { print $NF; exit }' "$logs/peers.out"
}

report_bounds() {
  local n episodes pass
  say '' && say 'Bounds (ok, short, or unknown where nothing was measured):'
  passed 'tests of all ops and updates' tests
  passed '100 updates as on the CPU, to 1e-5; repeats equal' parity
  for n in memcheck racecheck initcheck; do passed "compute-sanitizer $n" "$n"; done
  bound 'PyTorch eager beside fp32, 4096 rows' \
    "$(ratio "$(peer_seconds 'PyTorch eager (LPDM)')" "$(peer_seconds 'lpdm fp32 (LPDM)')")" least 20 times
  bound 'torch.compile beside fp32, 4096 rows' \
    "$(ratio "$(peer_seconds 'torch.compile (LPDM)')" "$(peer_seconds 'lpdm fp32 (LPDM)')")" least 5 times
  bound 'recorded update, 1000 rows' "$(ops_seconds lpdm 1000 all fp32)" most 150e-6 s
  bound 'update, 65536 rows, fp32' "$(field lpdm_s "$(update_name 65536 all fp32)")" most 0.5 s
  bound 'update, 262144 rows, fp32' "$(field lpdm_s "$(update_name 262144 all fp32)")" most 8 s
  bound 'update, 262144 rows, fixed' "$(field lpdm_s "$(update_name 262144 all fixed)")" most 5.5 s
  for n in 65536 262144; do
    bound "peak memory, $n rows" "$(field peak_bytes "$(update_name "$n" all fp32)")" most \
      "$((64 * n * 384))" bytes
  done
  for episodes in $pass_episodes; do
    for pass in 'pass 1' 'pass 2'; do
      bound "$pass, ${episodes}000 rows, share of its limit" "$(share "$pass" "$episodes")" least 0.7 ''
    done
  done
  bound 'HalfCheetah-v4, iteration beside backprop' "$(field iteration_ratio training)" most 1.05 times
  for n in 4096 8192 16384 32768 65536 131072 262144 524288 1048576; do
    bound "landmarks:16 beside backprop, $n rows" "$(ratio "$(ops_seconds lpdm "$n" landmarks:16 fp32)" \
      "$(ops_seconds bp "$n" landmarks:16 fp32)")" most 1 times
    bound "landmarks:64 beside backprop, $n rows" "$(ratio "$(ops_seconds lpdm "$n" landmarks:64 fp32)" \
      "$(ops_seconds bp "$n" landmarks:64 fp32)")" most 1.5 times
  done
}

report_updates() {
  local log name n pairs
  say '' && say 'One update, 17 inputs, hidden 128,256, medians; ops: its device time alone:'
  say "$(printf '%8s %-14s %-6s %12s %12s %14s %12s %15s' rows pairs in 'update [s]' 'ops [s]' \
    'backprop [s]' 'ops [s]' 'peak [bytes]')"
  for log in $(find "$logs" -name 'update-*.status' -printf '%f\n' | sort -t- -k2n -k3); do
    name=${log%.status} n=${log#update-}
    n=${n%%-*} pairs=${name#update-"$n"-}
    if [[ -z $(field lpdm_s "$name") ]]; then
      say "$(printf '%8d %-21s failed: %s' "$n" "$pairs" "$(head -n 1 "$logs/$name.err")")"
      continue
    fi
    say "$(printf '%8d %-14s %-6s %12.6f %12.6f %14.6f %12.6f %15.0f' "$n" "${pairs%-*}" "${pairs##*-}" \
      "$(field lpdm_s "$name")" "$(field lpdm_ops_s "$name")" "$(field bp_s "$name")" \
      "$(field bp_ops_s "$name")" "$(field peak_bytes "$name")")"
    add "$name" "$(head -n 1 "$logs/$name.out")"
  done
}

# The whole output of a step: report_output TITLE LOG
report_output() {
  if [[ ! -s $logs/$2.out ]]; then
    say '' && say "$1: not measured"
    return
  fi
  say '' && say "$1:" && cat "$logs/$2.out" >>"$report"
}

report_steps() {
  local log status seconds
  for log in $(find "$logs" -name '*.status' -printf '%f\n' | sort); do
    read -r status seconds <"$logs/$log"
    add "step: ${log%.status}" "{\"status\": $status, \"seconds\": $seconds}"
  done
  for log in training profile-9 profile-16 profile-65; do
    [[ $(head -c 1 "$logs/$log.out" 2>/dev/null) != '{' ]] || add "$log" "$(head -n 1 "$logs/$log.out")"
  done
}

write_report() {
  local info i
  : >"$report"
  info=$("$lpdm" info --json)
  add machine "$info"
  say "lpdm $(sed -nE 's/.*"commit": "([^"]*)".*/\1/p' <<<"$info") on $(sed -nE 's/.*"device_cuda": "([^"]*)".*/\1/p' <<<"$info")"
  report_bounds
  report_updates
  report_steps
  report_output 'PyTorch and cuVS beside lpdm' peers
  report_output 'Kernels step by step' ladder
  report_output 'Training on HalfCheetah-v4 beside backprop' training
  report_output 'Ops of an iteration on HalfCheetah-v4' profile
  {
    printf '{\n'
    for ((i = 0; i < ${#entries[@]}; ++i)); do
      printf '  %s%s\n' "${entries[i]}" "$( ((i + 1 < ${#entries[@]})) && echo ,)"
    done
    printf '}\n'
  } >"$json"
}

# Whatever ends this script, what has been measured is reported.
trap 'exit 130' INT TERM
trap 'status=$?; ((status == 0)) || write_report' EXIT
for step in $steps; do "run_$step"; done
trap - EXIT
write_report
cat "$report"
((failures == 0)) || fail "$failures of the test steps failed; $report and $json say which."
good "No test failed, $short bounds are missed, $unknown were not measured; see $report and $json."
