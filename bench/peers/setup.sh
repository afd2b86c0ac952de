#!/usr/bin/env bash
# Sets up the Python environment of the peer benchmarks in .deps/peers (git-ignored, about 8 GB on
# x86-64, because PyPI's torch wheel depends on the CUDA libraries). Safe to run twice.
#
# LPDM_PEERS_PYTHON: the Python (3.11 to 3.14) to make it with, python3 by default.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=tools/common.sh
source "$root/tools/common.sh"

peers=$root/.deps/peers
requirements=$root/bench/peers/requirements.txt
stamp=$peers/requirements.installed

if cmp -s "$requirements" "$stamp"; then
  good "The peers' environment in .deps/peers is up to date."
  exit 0
fi

step "Making a Python environment in .deps/peers"
"${LPDM_PEERS_PYTHON:-python3}" -m venv "$peers" ||
  fail "Python could not make a virtual environment in .deps/peers; install python3-venv" \
    "or point LPDM_PEERS_PYTHON to a Python 3.11 to 3.14."
step "Installing $(grep -v '^#' "$requirements" | paste -sd ' ') from PyPI (several GB)"
"$peers/bin/python" -m pip install --quiet --no-cache-dir --requirement "$requirements" ||
  fail "pip could not install bench/peers/requirements.txt; see its message above."
cp "$requirements" "$stamp"
good "Ready: .deps/peers/bin/python bench/peers/local_loss_torch.py, or rollout_peers.py"
