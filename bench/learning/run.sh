#!/usr/bin/env bash
# Trains the ready-made configs over several seeds and prints the README's table of learning results.
# Runs that are finished are kept, so an interrupted call goes on where it stopped.
#
#   bench/learning/run.sh [JOBS]     JOBS runs at once, one thread each (default 1)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=tools/common.sh
source tools/common.sh

jobs=${1:-1}
export out=runs/learning lpdm=build/release/tools/lpdm
[[ -x $lpdm ]] || fail "there is no $lpdm; run tools/quickstart.sh first."

train() {
  local config=$1 seed=$2 run
  run=$out/$(basename "$config" .json)-seed$seed
  [[ ! -f $run/summary.json ]] || return 0
  rm -rf "$run"
  "$lpdm" train "$config" --seed "$seed" --threads 1 --set run.log_every=500 --out "$run"
}
export -f train

list_runs() {
  local seed method
  for seed in 0 1 2 3 4; do
    for method in lpdm lpdm-guided backprop frozen; do
      echo "configs/cartpole-$method.json $seed"
    done
    for method in lpdm lpdm-guided lpdm-landmarks backprop frozen; do
      echo "configs/inverted-pendulum-$method.json $seed"
    done
    for method in lpdm backprop frozen; do
      echo "configs/hopper-$method.json $seed"
    done
  done
}

# shellcheck disable=SC2016  # $0 and $1 belong to the inner bash
list_runs | xargs --max-procs="$jobs" --max-args=2 bash -euo pipefail -c 'train "$0" "$1"'

/usr/bin/python3 bench/learning/table.py "$out"
