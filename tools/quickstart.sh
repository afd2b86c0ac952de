#!/usr/bin/env bash
# From a fresh clone to a trained policy: installs what is missing, builds, trains CartPole by local
# pairwise distance matching and by backpropagation, and compares the two.
# Everything it makes is in build/ and quickstart/; its own earlier results are replaced.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tools/common.sh
source tools/common.sh

lpdm=build/release/tools/lpdm
out=quickstart
methods=(lpdm backprop)

tools/bootstrap.sh
step "Building lpdm (a few minutes the first time)"
# shellcheck disable=SC2119
configure_release
quietly build/release/build.log cmake --build --preset release --target lpdm_cli

mkdir -p "$out"
runs=()
for method in "${methods[@]}"; do
  config=configs/cartpole-$method.json
  run=$out/cartpole-$method
  rm -rf "$run"
  step "Training $config"
  "$lpdm" train "$config" --out "$run"
  runs+=("$run")
done

step "Comparing"
"$lpdm" plot "${runs[@]}" --threshold 475 --out "$out/learning-curves.png"
good "The learning curves are in $out/learning-curves.png."
