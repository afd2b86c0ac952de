# shellcheck shell=bash
# shellcheck disable=SC2154  # logs, out and info are of the script that sources this
# The report of tools/gpu_check.sh, from what lies in $logs: each program's output in NAME.out and
# .err, its exit status and seconds in NAME.status. Writes $out/gpu-check.txt and .json; of the
# program it needs $info, what lpdm info --json says. After write_report: $short bounds are missed,
# $unknown are not measured, $failures of the steps that test something have failed.

readonly pass_episodes='9 16 65' # of 1000 steps each: 8192 rows and more

# update_name ROWS PAIRS ARITHMETIC
update_name() { echo "update-$1-${2/:/-}-$3"; }

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

# What the output of a step sums up to, one line: summary_of LOG
summary_of() {
  grep -hE '^\[  (PASSED|FAILED) *\] [0-9]+ test|(ERROR|RACECHECK) SUMMARY' "$logs/$1.out" | tr '\n' ' ' || true
}

# The exit statuses of some programs, as one: passed WHAT LOG…; a log without a status was not run.
passed() {
  local what=$1 verdict=unknown detail='not run' log status run=0 failed=''
  shift
  for log; do
    [[ -s $logs/$log.status ]] || continue
    read -r status _ <"$logs/$log.status"
    run=$((run + 1))
    ((status == 0)) || failed+=" $log ($status)"
  done
  if [[ -n $failed ]]; then
    verdict=short detail="failed, see below:$failed"
    failures=$((failures + 1)) short=$((short + 1))
  elif ((run > 0 && run == $#)); then
    verdict=ok detail=$(summary_of "$log")
    ((run == 1)) || detail="all $run programs"
  else
    unknown=$((unknown + 1))
    ((run == 0)) || detail="$run of $# programs"
  fi
  say "$(printf '%-8s %-46s %s' "$verdict" "$what" "$detail")"
  add "bound: $what" "{\"programs\": $#, \"run\": $run, \"failed\": $(quote "${failed# }"), \"verdict\": \"$verdict\"}"
}

# The names of logs that begin so.
logs_of() { find "$logs" -name "$1*.status" -printf '%f\n' | sed 's/\.status$//' | sort; }

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
  passed 'a first update, its loss that of float64' first
  passed 'series of updates as on the CPU, to 1e-5' parity
  # shellcheck disable=SC2046
  passed 'tests of all ops and updates' $(cat "$logs/suites" 2>/dev/null || true) $(logs_of tests-list)
  for n in memcheck racecheck synccheck initcheck; do passed "compute-sanitizer $n" "$n"; done
  # shellcheck disable=SC2046
  passed 'updates of all sizes' $(logs_of update-)
  passed 'kernels step by step, verified' ladder
  passed 'goldens as PyTorch and lpdm have them' peers
  passed 'profiles and training' profile-9 profile-16 profile-65 training profile
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
    return 0  # in a trap the status of what was trapped would else be returned
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

# The end of what each program said that failed.
report_failures() {
  local name status
  for name in $(logs_of ''); do
    read -r status _ <"$logs/$name.status"
    ((status != 0)) || continue
    say '' && say "$name ended with status $status:"
    tail -q -n 30 "$logs/$name.out" "$logs/$name.err" 2>/dev/null | cut -c 1-400 >>"$report" || true
  done
}

write_report() {
  local i
  report=$out/gpu-check.txt.new json=$out/gpu-check.json.new
  short=0 unknown=0 failures=0 entries=()
  : >"$report"
  add machine "$info"
  say "lpdm $(sed -nE 's/.*"commit": "([^"]*)".*/\1/p' <<<"$info") on $(sed -nE 's/.*"device_cuda": "([^"]*)".*/\1/p' <<<"$info")"
  report_bounds
  report_updates
  report_steps
  report_output 'PyTorch and cuVS beside lpdm' peers
  report_output 'Kernels step by step' ladder
  report_output 'Training on HalfCheetah-v4 beside backprop' training
  report_output 'Ops of an iteration on HalfCheetah-v4' profile
  report_failures
  [[ ! -s $logs/clocks ]] || { say '' && say 'Clocks, power, temperature:' && cat "$logs/clocks" >>"$report"; }
  {
    printf '{\n'
    for ((i = 0; i < ${#entries[@]}; ++i)); do
      printf '  %s%s\n' "${entries[i]}" "$( ((i + 1 < ${#entries[@]})) && echo ,)"
    done
    printf '}\n'
  } >"$json"
  mv "$report" "$out/gpu-check.txt" && mv "$json" "$out/gpu-check.json"
  report=$out/gpu-check.txt json=$out/gpu-check.json
}
