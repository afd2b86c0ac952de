#!/usr/bin/env bash
# Tests tools/gpu_check.sh with stand-ins for lpdm, gpu_tests, PyTorch and compute-sanitizer: what it
# runs, which bounds it finds kept, missed or not measured, and what it leaves where there is no GPU.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0
export calls=$work/calls PATH=$work/path:$PATH
unset NO_GPU WRONG SLOW SLEEPY BROKEN_TEST BROKEN_SIZE LD_LIBRARY_PATH
mkdir "$work/bin" "$work/path"

make_program() {
  { echo '#!/usr/bin/env bash'; cat; } >"$work/$1"
  chmod +x "$work/$1"
}

make_program bin/lpdm <<'STANDIN'
echo "lpdm $*" >>"$calls"
[[ -z ${NO_GPU:-} ]] || { echo "lpdm: device cuda: no GPU is visible" >&2; exit 2; }
value() { while (($# > 1)); do [[ $1 != "--$name" ]] || echo "$2"; shift; done; }
case $1-$2 in
  info-*) echo '{"commit": "c0ffee", "device_cuda": "a GPU"}' ;;
  bench-local-loss)
    n=$(name=n value "$@")
    [[ $n != 8 || -z ${WRONG:-} ]] || { echo "lpdm: layer 1 has loss 1, float64 says 2" >&2; exit 1; }
    [[ $n != "${BROKEN_SIZE:-}" ]] || { echo "lpdm: out of memory" >&2; exit 1; }
    awk -v n="$n" -v slow="${SLOW:-1}" 'BEGIN {
      printf "{\"bp_ops_s\":%g,\"bp_s\":2e-4,\"lpdm_ops_s\":%g,\"lpdm_s\":%g,\"n\":%d,\"peak_bytes\":%.0f}\n",
        1e-4, slow * 9e-5, slow * 3e-5 * n * n / 262144, n, slow * n * 10000 }' ;;
  bench-train) echo '{"iteration_ratio":1.01,"update_ratio":2}' ;;
  profile-*)
    [[ $* == *--json* ]] || { echo "the table of ops"; exit; }
    echo '{"ops":[{"op":"local_loss","seconds":1.0,"share_of_limit":0.5,"stages":[{"op":"pass 1","calls":2.0,"seconds":3e-4,"share_of_limit":0.71},{"op":"pass 2","seconds":0.1,"share_of_limit":0.69}]}]}' ;;
esac
STANDIN
make_program bin/gpu_tests <<'STANDIN'
echo "gpu_tests $*" >>"$calls"
if [[ $* == *list_tests* ]]; then
  printf 'Infer.\n  OfRows\n  OfNone\nRows/OpParity.\n  Sums/0  # GetParam() = 3\n'
  exit
fi
[[ -z ${SLEEPY:-} || $* != *Infer* ]] || sleep "$SLEEPY"
if [[ -n ${BROKEN_TEST:-} && $* == *"$BROKEN_TEST"* ]]; then
  echo "[  FAILED  ] 1 test, listed below:"
  exit 1
fi
echo "[  PASSED  ] 7 tests."
STANDIN
make_program path/compute-sanitizer <<'STANDIN'
echo "compute-sanitizer $*" >>"$calls"
echo "========= ERROR SUMMARY: 0 errors"
STANDIN
make_program path/python3 <<'STANDIN'
[[ $1 != -c ]] || exit 0
echo "python3 $*" >>"$calls"
cat <<'TABLE'

N = 1000: median seconds
  PyTorch eager (LPDM)        0.001
  lpdm fp32 (LPDM)            1
N = 4096: median seconds
  PyTorch eager (LPDM)        0.021
  PyTorch eager (backprop)    0.001
  torch.compile (LPDM)        failed: no compiler
  lpdm fp32 (LPDM)            0.001
TABLE
STANDIN

# Runs the script into a folder of its own; sets status and output.
check() {
  : >"$calls"
  status=0
  output=$("$root/tools/gpu_check.sh" --bin "$work/bin" --out "$work/out" "$@" 2>&1 </dev/null) || status=$?
}

expect() {
  local what=$1
  shift
  if ! "$@"; then
    printf 'FAILED: %s\n  status %s, output:\n%s\n' "$what" "$status" "$output"
    failures=$((failures + 1))
  fi
}
says() { grep -qE "$1" <<<"$output"; }
counts() { [[ $(grep -cE "$1" <<<"$output") == "$2" ]]; }
is_json() { /usr/bin/python3 -c 'import json, sys; json.load(open(sys.argv[1]))' "$work/out/gpu-check.json"; }

NO_GPU=1 check
expect "no GPU is one sentence" test \
  "$status/$output" = "1/gpu_check.sh: error: device cuda: no GPU is visible"
expect "without a GPU nothing is written" test ! -e "$work/out"

check --only parity
expect "one step alone is run" test "$status/$(grep -c gpu_tests "$calls")" = 0/1
expect "what was not run is unknown" says '^unknown +recorded update, 1000 rows'
expect "JSON" is_json

check --repeats 2
expect "all is well" test "$status" = 0
expect "JSON" is_json
expect "the tests" counts '^ok .*(series of updates|compute-sanitizer).*(7 tests|0 errors)' 5
expect "a program for each suite" says '^ok +tests of all ops and updates +all 2 programs'
expect "with its tests" test "$(grep -c 'filter=Infer.OfRows:Infer.OfNone$' "$calls")" = 1
expect "and those that have parameters" test "$(grep -c 'filter=Rows/OpParity.Sums/0$' "$calls")" = 1
expect "the sanitizer's four tools" test "$(grep -c '^compute-sanitizer --tool' "$calls")" = 4
expect "updates, and the ladder that is not there" says '^unknown +kernels step by step'
expect "all sizes" says '^ok +updates of all sizes +all 54 programs'
expect "PyTorch at 4096 rows, not 1000" says '^ok +PyTorch eager beside fp32, 4096 rows +21 times|21 >= 20'
expect "a peer that failed is unknown" says '^unknown +torch.compile beside fp32'
expect "updates that are fast enough" counts '^ok +(recorded )?update, ' 3
expect "too slow by a little" says '^short +update, 262144 rows, fixed +7\.8'
expect "peak memory" counts '^ok +peak memory' 2
expect "pass 1" counts '^ok +pass 1, ' 3
expect "pass 2" counts '^short +pass 2, ' 3
expect "training" says '^ok +HalfCheetah-v4, iteration beside backprop +1.01'
expect "landmarks of each size" counts '^ok +landmarks:(16|64) beside backprop' 18
expect "the profile's table" says '^the table of ops'

SLOW=9 check --only 'landmarks pairs' --repeats 1
expect "slow updates are short, tests are not" test "$status" = 0
expect "slow landmarks" counts '^short +landmarks:(16|64) beside backprop' 18
expect "memory" counts '^short +peak memory' 2
expect "earlier steps stay" says '^ok +HalfCheetah-v4'

BROKEN_SIZE=8192 check --only 'landmarks pairs' --repeats 1
expect "an update that fails is a failure" test "$status" = 1
expect "its size is unknown" counts '^unknown +landmarks:(16|64) beside backprop, 8192 rows' 2
expect "and says why" says '^ +8192 +all-fp32 +failed: lpdm: out of memory'

BROKEN_TEST=TrainingParity check --only parity
expect "a failed test is exit status 1" test "$status" = 1
expect "and is named" says '^short +series of updates.*failed, see below: parity \(1\)'
expect "with what it said" says '^parity ended with status 1:'
expect "JSON" is_json

BROKEN_TEST=Infer check --only tests
expect "a suite that fails is named among them" says '^short +tests of all ops.*: tests-Infer \(1\)$'
expect "the others ran" test "$(grep -c 'filter=Rows/OpParity' "$calls")" = 1

WRONG=1 check --only parity
expect "a wrong first update stops nothing" test "$status/$(grep -c TrainingParity "$calls")" = 1/1
expect "and is told" says '^short +a first update'
expect "in its words" says 'layer 1 has loss 1, float64 says 2'

# Ended in the middle of a program: what there is lies in the folder.
rm -rf "$work/out"
: >"$calls"
SLEEPY=60 "$root/tools/gpu_check.sh" --bin "$work/bin" --out "$work/out" --logs "$work/logs" \
  --only 'parity tests' >/dev/null 2>&1 </dev/null &
script=$!
until grep -q 'filter=Infer' "$calls" || ! kill -0 "$script" 2>/dev/null; do sleep 0.1; done
kill -TERM "$script" || true
wait "$script" || true
expect "a report when a call is ended" grep -qE '^ok +series of updates' "$work/out/gpu-check.txt"
expect "without suites that have not run" grep -qE '^unknown +tests of all ops.* not run' "$work/out/gpu-check.txt"
expect "JSON" is_json
expect "logs of another folder are packed" test -s "$work/out/logs.tar.gz"
cp "$work/out/logs.tar.gz" "$work/earlier.tar.gz"
rm -rf "$work/logs" "$work/out"
check --logs "$work/logs" --resume "$work/earlier.tar.gz" --only ladder
expect "and taken up on the next machine" says '^ok +series of updates'

SLEEPY=60 check --only 'tests memcheck' --total 15
expect "a total of seconds ends the running program" says 'tests-Infer: stopped, the time is over'
expect "leaves out the rest" says 'memcheck: left out, the time is over'
expect "and is no failure" test "$status" = 0

check --only nothing
expect "unknown steps are wrong arguments" test "$status" = 2
check --rows many
expect "so are rows that are no number" test "$status" = 2
check --resume nowhere
expect "and logs that are not there" test "$status" = 2

((failures == 0)) || { echo "$failures expectations failed."; exit 1; }
echo "All expectations of gpu_check.sh hold."
