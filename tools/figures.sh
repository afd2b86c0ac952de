#!/usr/bin/env bash
# Draws docs/figures, the pictures of docs/results.md, from results/paper. Needs the built program
# (tools/quickstart.sh builds it).
set -euo pipefail
shopt -s nullglob
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tools/common.sh
source tools/common.sh

lpdm=build/release/tools/lpdm
out=docs/figures
small=(cartpole acrobot invertedpendulum pusher)
large=(hopper walker2d halfcheetah ant)

# results_of ALGORITHM ENVIRONMENT…: sets files to their result files
results_of() {
  local algorithm=$1 environment
  shift
  files=()
  for environment; do files+=("results/paper/$environment"-*-"$algorithm"-*.json); done
}

# draw NAME: the learning curves and performance profiles of files
draw() {
  ((${#files[@]} > 0)) || fail "results/paper has nothing of what $out/$1.svg is to show."
  quietly build/figures.log "$lpdm" plot "${files[@]}" --no-distances --out "$out/$1.svg"
  good "$out/$1.svg"
}

mkdir -p "$out"
results_of reinforce "${small[@]}"
draw reinforce-small
results_of reinforce "${large[@]}"
# A profile goes over environments, which have landmarks alone in common.
for k in "${!files[@]}"; do
  [[ ${files[k]} =~ -(backprop|frozen)-|-landmarks64- ]] || unset "files[k]"
done
draw reinforce-large
results_of reinforce_baseline "${small[@]}" "${large[@]}"
draw reinforce-baseline
results_of ppo "${small[@]}"
draw ppo-small
results_of ppo "${large[@]}"
draw ppo-large
