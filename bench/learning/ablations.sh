#!/usr/bin/env bash
# Trains what docs/ablations.md compares. Runs that are finished are kept, so an interrupted call
# goes on where it stopped.
#
#   bench/learning/ablations.sh [JOBS [SLICE…]]    JOBS runs at once, one thread each (default 1)
#
# Slices, all of them by default: losses (readings of the local loss), appendix (the paper's A to C),
# depth (depth_torch, depth_orthogonal), width, transfer (transfer_pendulum, transfer_hopper).
# ENVIRONMENTS="cartpole …" and SEEDS=0-9 say which of all but transfer, DEPTHS="2 4" of depth.
set -euo pipefail
cd "${LPDM_ROOT:-$(dirname "${BASH_SOURCE[0]}")/../..}"

lpdm=${LPDM:-build/release/tools/lpdm}
jobs=${1:-1}
slices=("${@:2}")
[[ ${#slices[@]} -gt 0 ]] || slices=(losses appendix depth width transfer)
read -ra environments <<<"${ENVIRONMENTS:-cartpole inverted-pendulum acrobot}"
seeds=${SEEDS:-0-4}
paper=configs/paper
out=runs/ablations

sweep() { "$lpdm" sweep --jobs "$jobs" "$@"; }

# The configs of a folder for every environment: configs_of reinforce lpdm backprop
configs_of() {
  local environment method
  for environment in "${environments[@]}"; do
    for method in "${@:2}"; do echo "$paper/$1/$environment-$method.json"; done
  done
}

losses() {
  local unguided guided setting
  mapfile -t unguided < <(configs_of reinforce lpdm)
  mapfile -t guided < <(configs_of reinforce lpdm-guided)
  for setting in hidden.scale=none hidden.scale=cross hidden.max_gradient=constant \
    hidden.norm=squared network.init=orthogonal; do
    sweep "${unguided[@]}" --seeds "$seeds" --set "$setting" --out "$out/losses/$setting"
  done
  sweep "${guided[@]}" --seeds "$seeds" --set hidden.guide_base=raw \
    --out "$out/losses/hidden.guide_base=raw"
}

appendix() {
  local configs
  mapfile -t configs < <(configs_of appendix closest furthest closest-furthest error-propagation \
    error-product hidden-faster hidden-slower scaled-rates)
  sweep "${configs[@]}" --seeds "$seeds" --out "$out/appendix"
}

# Hidden layers of 64 units, as many as DEPTHS says, with the initial weights of all other runs and with
# orthogonal ones, which keep the size of what passes through them.
depth() {
  depth_from torch
  depth_from orthogonal
}

depth_torch() { depth_from torch; }
depth_orthogonal() { depth_from orthogonal; }

depth_from() {
  local depth
  for depth in ${DEPTHS:-2 4 8 16}; do
    layers "$depth" 64 "$out/depth/$1-$depth" --set "network.init=$1"
  done
}

# Two hidden layers of other widths than depth's.
width() {
  local width
  for width in 16 32 128 256; do layers 2 "$width" "$out/width/$width"; done
}

# LPDM, two of its variants and its controls with so many hidden layers alike:
# layers NUMBER WIDTH FOLDER [OPTION…]
layers() {
  local configs widths
  mapfile -t configs < <(configs_of reinforce lpdm backprop frozen
    configs_of appendix error-propagation hidden-slower)
  widths=$(printf ",$2%.0s" $(seq "$1"))
  sweep "${configs[@]}" --seeds "$seeds" --set "network.hidden=[${widths:1}]" \
    --set hidden.pairs=landmarks:64 --out "$3" "${@:4}"
}

# What one environment has taught the hidden layers, frozen in another; layers that do not fit and heads
# are fresh. Beside it, layers frozen as they were drawn, and LPDM.
transfer() {
  transfer_pendulum
  transfer_hopper
}

transfer_pendulum() {
  local place=$out/transfer there=env.id=InvertedPendulum-v5
  sweep "$paper/reinforce/inverted-pendulum-lpdm.json" --seeds 0-2 --out "$place/source"
  onto inverted-pendulum-lpdm inverted-pendulum-frozen "$there"
  sweep "$paper"/reinforce/inverted-pendulum-{frozen,lpdm}.json --seeds 0-2 --set "$there" \
    --out "$place/fresh"
}

transfer_hopper() {
  local place=$out/transfer there=env.id=Hopper-v5
  sweep "$paper/reinforce/hopper-lpdm.json" --seeds 0-2 --set hidden.pairs=landmarks:64 \
    --out "$place/source"
  onto hopper-lpdm walker2d-frozen
  onto hopper-lpdm hopper-frozen "$there"
  sweep "$paper"/reinforce/hopper-{frozen,lpdm}.json --seeds 0-2 --set "$there" \
    --set hidden.pairs=landmarks:64 --out "$place/fresh"
}

# The config on the frozen layers of the source with the same seed: onto SOURCE CONFIG [SETTING]
onto() {
  local seed
  for seed in 0 1 2; do
    sweep "$paper/reinforce/$2.json" --seeds "$seed" ${3:+--set "$3"} \
      --set network.init_layers=hidden --set "network.init_from=$out/transfer/source/$1/seed-$seed" \
      --out "$out/transfer/from-$1"
  done
}

for slice in "${slices[@]}"; do "$slice"; done
