#!/usr/bin/env bash
# Writes the checkpoints of the corpus anew, after a change of their format: make_checkpoints.sh LPDM
set -euo pipefail
lpdm=$(realpath -- "$1")
cd "$(dirname "${BASH_SOURCE[0]}")"
run=$(mktemp -d)
trap 'rm -rf "$run"' EXIT
echo '{}' >"$run/config.json"
train() {
  "$lpdm" train "$run/config.json" --out "$run/$1" --set run.iterations=2 --set 'network.hidden=[2]' \
    --threads 1 "${@:2}" 2>/dev/null
  cp "$run/$1/checkpoints/iteration-000000002.safetensors" "checkpoint/$1.safetensors"
}
train ppo --set env.id=InvertedPendulum-v4 --set env.count=2 --set algorithm.name=ppo \
  --set algorithm.ppo.horizon=8 --set policy.std=learned --set env.normalize_observations=true \
  --set env.normalize_rewards=true
train reinforce --set env.max_episode_steps=5
printf '\2\0\0\0\0\0\0\0{}' >checkpoint/nothing.safetensors
