# shellcheck shell=bash
# Shared by the scripts of this repository; source it from bash after `set -euo pipefail`.

# Colours only where a person reads them.
if [[ -t 1 && -z "${NO_COLOR:-}" && "${TERM:-dumb}" != dumb ]]; then
  colour_step=$'\e[1;34m' colour_good=$'\e[32m' colour_off=$'\e[0m'
else
  colour_step='' colour_good='' colour_off=''
fi
if [[ -t 2 && -z "${NO_COLOR:-}" && "${TERM:-dumb}" != dumb ]]; then
  colour_error=$'\e[1;31m' colour_error_off=$'\e[0m'
else
  colour_error='' colour_error_off=''
fi

step() { printf '%s==>%s %s\n' "$colour_step" "$colour_off" "$*"; }
good() { printf '%s%s%s\n' "$colour_good" "$*" "$colour_off"; }

# Says one sentence, given in one or more pieces, on stderr and exits with $fail_status or 1.
fail() {
  printf '%s%s: error:%s %s\n' "$colour_error" "${0##*/}" "$colour_error_off" "$*" >&2
  exit "${fail_status:-1}"
}

# Runs a command whose output matters only when it fails: quietly LOG COMMAND…
quietly() {
  local log=$1
  shift
  mkdir -p "$(dirname "$log")"
  if ! "$@" >"$log" 2>&1 </dev/null; then
    cat "$log" >&2
    fail "'$*' failed; its output is above and in $log."
  fi
}

# Configures with a preset in a folder of its own: configure_preset FOLDER PRESET SETTING…
configure_preset() {
  local build=$1 preset=$2 launcher=()
  shift 2
  if command -v ccache >/dev/null; then
    launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  fi
  quietly "$build/configure.log" cmake --preset "$preset" -B "$build" "${launcher[@]}" "$@"
}

# Configures build/release with the given further settings; from the repository's root.
configure_release() { configure_preset build/release release "$@"; }

# The environments and their tests alone: configure_environments FOLDER PRESET SETTING…
configure_environments() { configure_preset "$@" -DLPDM_ENVIRONMENTS_ONLY=ON; }
