#!/usr/bin/env bash
# Tests and measures the CUDA backend on this machine's GPU, and writes what came of it as one JSON
# file and one report to read. Needs the CUDA toolkit's libraries (cuBLAS; compute-sanitizer where it
# is to be used) and nothing else: no network, no other packages.
#
#   tools/gpu_check.sh [--bin DIR] [--out DIR] [--logs DIR] [--resume FILE] [--only "STEP …"]
#                      [--rows "N …"] [--repeats R] [--limit SECONDS] [--total SECONDS]
#                      [--tests FILTER]
#
#   --bin      folder with lpdm, gpu_tests and liblpdm_cuda.so; found by itself in a bundle
#              (tools/gpu_bundle.sh) and in a clone (build/cuda, build/release)
#   --out      folder for the results; gpu-check if left out. They are written anew as programs end,
#              every 20 seconds at most, so whatever ends this script, what has been measured is there
#   --logs     folder for what each program prints; OUT/logs if left out. Elsewhere, it is packed
#              into OUT/logs.tar.gz too. What an earlier call has left there stays in the report, so
#              the steps can be run in several calls
#   --resume   such a logs.tar.gz, of a call on another machine, to begin with
#   --only     steps to run, most valuable first if left out: parity tests memcheck landmarks pairs
#              passes ladder training peers reduced lowrank racecheck synccheck initcheck
#   --rows     sizes of the updates to time, of all pairs up to 262144
#   --repeats  timed updates of each size
#   --limit    seconds after which a single program is stopped, and counts as failed; 600
#   --total    seconds after which no other program is started and the running one is stopped, which
#              then counts as not run; none if left out
#   --tests    gtest filter of the tests to run; all if left out
#
# Exit status: 0 if every test passed, 1 if one failed or there is no GPU, 2 for a wrong argument.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=tools/common.sh
source "$root/tools/common.sh"
# shellcheck source=tools/gpu_report.sh
source "$root/tools/gpu_report.sh"

all_steps='parity tests memcheck landmarks pairs passes ladder training peers reduced lowrank'
all_steps+=' racecheck synccheck initcheck'
bin='' out=gpu-check logs='' resume='' repeats=9 tests='*' limit=600 total=1000000 steps=$all_steps
rows='1000 4096 8192 16384 32768 65536 131072 262144 524288 1048576'
while (($# > 0)); do
  (($# > 1)) || fail_status=2 fail "'$1' is not an option with a value; see the top of this script."
  case $1 in
    --bin) bin=$2 ;;
    --out) out=$2 ;;
    --logs) logs=$2 ;;
    --resume) resume=$2 ;;
    --only) steps=$2 ;;
    --rows) rows=$2 ;;
    --repeats) repeats=$2 ;;
    --limit) limit=$2 ;;
    --total) total=$2 ;;
    --tests) tests=$2 ;;
    *) fail_status=2 fail "'$1' is not an option; see the top of this script for those there are." ;;
  esac
  shift 2
done
for step in $steps; do
  [[ " $all_steps " == *" $step "* ]] ||
    fail_status=2 fail "'$step' is not one of the steps $all_steps."
done
for number in $rows $repeats $limit $total; do
  [[ $number =~ ^[1-9][0-9]*$ ]] ||
    fail_status=2 fail "'$number' is not a positive number; --rows, --repeats, --limit and --total need such."
done
if [[ -z $bin ]]; then
  for bin in "$root/bin" "$root/build/cuda/tools" "$root/build/release/tools" ''; do
    [[ -x $bin/lpdm && -x $bin/gpu_tests ]] && break
  done
fi
[[ -x $bin/lpdm && -x $bin/gpu_tests ]] ||
  fail "there is no lpdm with gpu_tests; build with the preset cuda, or give their folder with --bin."
[[ -z $resume || -f $resume ]] || fail_status=2 fail "--resume $resume: there is no such file."
[[ ! -d $root/lib ]] || export LD_LIBRARY_PATH="$root/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
[[ ! -d $root/tests/data ]] || export LPDM_TEST_DATA="$root/tests/data"
[[ ! -d $root/models ]] || export LPDM_MODEL_DIR="$root/models"
lpdm=$bin/lpdm

# Adds the folder of the machine's cuBLAS where the loader does not know it: the toolkit's, or that
# of the wheel which PyTorch brings.
find_cublas() {
  local name folder nvcc
  name=$(ldd "$bin/liblpdm_cuda.so" 2>/dev/null | awk '/libcublas\.so.*not found/ {print $1}') || true
  [[ -n $name ]] || return 0
  nvcc=$(readlink -f "$(command -v nvcc || true)" || true)
  for folder in /usr/local/cuda/lib64 /usr/local/cuda-*/lib64 "${nvcc%/bin/nvcc}/lib64" \
    $(python3 -c 'import nvidia; print(*(p + f"/{d}/lib" for p in nvidia.__path__ for d in ("cu13", "cublas")))' \
      2>/dev/null || true); do
    if [[ -e $folder/$name ]]; then
      export LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$folder"
      return
    fi
  done
}
find_cublas

# ---- programs: each one's output is in logs/NAME.out and .err, its exit status and seconds in
# ---- logs/NAME.status ----------------------------------------------------------------------------

child='' reported=0 no_clocks=''

# What the GPU's clocks and its power are, where somebody tells.
note_clocks() {
  local told
  [[ -z $no_clocks ]] && command -v nvidia-smi >/dev/null || return 0
  if told=$(timeout 10 nvidia-smi --format=csv,noheader \
    --query-gpu=clocks.sm,clocks.mem,power.draw,temperature.gpu 2>/dev/null); then
    printf '%s: %s\n' "$1" "$(head -n 1 <<<"$told")" >>"$logs/clocks"
  else
    no_clocks=1
  fi
}

run() {
  local name=$1 start=$SECONDS status=0 seconds=$limit
  shift
  ((total - SECONDS >= seconds)) || seconds=$((total - SECONDS))
  if ((seconds < 5)); then
    step "$name: left out, the time is over"
    return
  fi
  step "$name"
  # In the background, so that a signal to this script is acted on at once.
  timeout -k 5 "$seconds" "$@" >"$logs/$name.out" 2>"$logs/$name.err" </dev/null &
  child=$!
  wait "$child" || status=$?
  child=''
  if ((seconds < limit && (status == 124 || status == 137))); then
    step "$name: stopped, the time is over"
    rm -f "$logs/$name.status"
    return
  fi
  echo "$status $((SECONDS - start))" >"$logs/$name.status"
  note_clocks "$name"
  ((SECONDS - reported < 20)) || write_results
}

write_results() {
  write_report
  if [[ $logs != "$out"/* ]]; then
    tar -C "$logs" -czf "$out/logs.tar.gz.new" . && mv "$out/logs.tar.gz.new" "$out/logs.tar.gz"
  fi
  reported=$SECONDS
}

stop() {
  trap '' INT TERM  # they come to the group as well
  [[ -z $child ]] || kill "$child" 2>/dev/null || true
  exit 130
}

# Whether the device is there decides; what it computes is what the steps find out.
require_gpu() {
  local problem status=0
  problem=$(timeout 120 "$lpdm" bench local-loss --n 8 --repeats 1 --device cuda --json 2>&1 >/dev/null) || status=$?
  problem=$(head -n 1 <<<"$problem")
  if ((status == 2)) || [[ $problem =~ ^lpdm:\ (run\.)?device\ cuda ]]; then fail "${problem#lpdm: }"; fi
}
require_gpu
logs=${logs:-$out/logs}
mkdir -p "$out" "$logs"
[[ -z $resume ]] || tar -C "$logs" -xzf "$resume" || fail "--resume $resume: it cannot be unpacked."
info=$(timeout 60 "$lpdm" info --json) || fail "lpdm info --json does not say what this machine is."

# ---- steps ---------------------------------------------------------------------------------------

run_parity() {
  run first "$lpdm" bench local-loss --n 8 --repeats 1 --device cuda --json
  run parity "$bin/gpu_tests" --gtest_brief=1 --gtest_filter='*TrainingParity*'
}

# A line for each suite: its name, and the filter of its tests.
suites() {
  "$bin/gpu_tests" --gtest_list_tests --gtest_filter="$tests:-*NumberOfThreads*" </dev/null | awk '
    /^[^ ].*\.( |$)/ { suite = $1; next }
    /^  / { filters[suite] = filters[suite] ":" suite $1 }
    END { for (suite in filters) print suite, substr(filters[suite], 2) }' | sort
}

# A process for each suite: an illegal access ends all that comes after it in its own.
run_tests() {
  local suite filter
  if ! suites >"$logs/suites.new" || [[ ! -s $logs/suites.new ]]; then
    echo '1 0' >"$logs/tests-list.status"
    echo 'gpu_tests does not list its tests' >"$logs/tests-list.err"
    return 0
  fi
  rm -f "$logs"/tests-*
  # What the report goes by, so that suites that have not run are missed.
  sed -E 's/^([^ ]*)\. .*/tests-\1/; s/\//-/g' "$logs/suites.new" >"$logs/suites"
  while read -r suite filter; do
    suite=${suite%.}
    run "tests-${suite//\//-}" "$bin/gpu_tests" --gtest_brief=1 --gtest_filter="$filter"
  done <"$logs/suites.new"
}

# The kernels of every kind on small batches: these tools slow them down a hundredfold.
sanitize() {
  local sanitizer filter
  filter='LocalLoss.MatchesTheReference*:Landmarks.MatchTheReferenceOnAwkwardShapes'
  filter+=':FewLandmarks.MatchTheReference*:FewLandmarks.LeaveNothing*:PackedOutputs.*'
  filter+=':LocalLossVariants.MatchTheReferenceOnAwkwardSizes:LocalLossVariants.RankTiesByColumn'
  filter+=':LocalLossEpisodes.MatchTheReferenceOnAwkwardLengths:LowRank.HasTheGradientOfItsLoss'
  filter+=':Arithmetics.GiveTheSameBits*:Rows/OpParity.*/3:Rows/OpParity.*/6:SmallOps.*:Infer.*'
  filter+=':RecordingTest.RepeatsGive*:RecordingTest.Branches*:GoldenUpdates.EngineAgrees'
  filter+=':-*DistinctAndUniform*'  # thousands of launches of one kernel
  sanitizer=$(command -v compute-sanitizer || ls /usr/local/cuda/bin/compute-sanitizer 2>/dev/null || true)
  if [[ -z $sanitizer ]]; then
    step "compute-sanitizer is not installed: $1 is left out"
    return
  fi
  run "$1" "$sanitizer" --tool "$1" --error-exitcode 9 "$bin/gpu_tests" --gtest_brief=1 \
    --gtest_filter="$filter"
  if grep -qi 'device not supported' "$logs/$1.out" "$logs/$1.err" 2>/dev/null; then
    rm -f "$logs/$1.status"  # the machine's affair
  fi
}
run_memcheck() { sanitize memcheck; }
run_racecheck() { sanitize racecheck; }
run_synccheck() { sanitize synccheck; }
run_initcheck() { sanitize initcheck; }

# time_updates PAIRS ARITHMETIC: of all sizes, of all pairs only up to 262144 rows, which take
# seconds
time_updates() {
  local n times
  for n in $rows; do
    times=$repeats
    ((n <= 65536)) || times=$((repeats < 3 ? repeats : 3))
    ((n <= 262144)) || [[ $1 != all ]] || continue
    run "$(update_name "$n" "$1" "$2")" "$lpdm" bench local-loss --n "$n" --hidden 128,256 \
      --pairs "$1" --arithmetic "$2" --repeats "$times" --device cuda --json
  done
}
run_landmarks() {
  time_updates landmarks:16 fp32
  time_updates landmarks:64 fp32
}
run_pairs() { time_updates all fp32; }
run_reduced() {
  time_updates all fixed
  time_updates all half2
}
run_lowrank() { time_updates lowrank:4 fp32; }

readonly config=$root/configs/paper/reinforce/half-cheetah-lpdm.json

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
  run peers python3 "$root/bench/peers/local_loss_cuda.py" --binary "$lpdm" --n 1000 4096 \
    --json "$logs/peers.json"
}

trap stop INT TERM
trap 'status=$?; ((status == 0)) || write_results' EXIT
for step in $steps; do "run_$step"; done
trap '' INT TERM
trap - EXIT
write_results
cat "$report"
((failures == 0)) || fail "$failures of the test steps failed; $report and $json say which."
good "No test failed, $short bounds are missed, $unknown were not measured; see $report and $json."
