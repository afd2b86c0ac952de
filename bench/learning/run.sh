#!/usr/bin/env bash
# Trains the ready-made configs over five seeds and prints the README's table of learning results.
# Runs that are finished are kept, so an interrupted call goes on where it stopped.
#
#   bench/learning/run.sh [JOBS]     JOBS runs at once, one thread each (default 1)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=tools/common.sh
source tools/common.sh

out=runs/learning lpdm=build/release/tools/lpdm
[[ -x $lpdm ]] || fail "there is no $lpdm; run tools/quickstart.sh first."
"$lpdm" sweep configs/*.json --seeds 0-4 --jobs "${1:-1}" --out "$out"
/usr/bin/python3 bench/learning/table.py "$out"
