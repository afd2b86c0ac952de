#!/usr/bin/env bash
# The completion scripts in the shells they are for: completion_test.sh LPDM
# bash always; zsh and fish where they are installed.
set -euo pipefail
lpdm=$(realpath -- "$1")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
ln -s "$lpdm" "$folder/lpdm"
PATH=$folder:$PATH

fail() {
  echo "completion_test: $*" >&2
  exit 1
}

# Fails unless the words GOT hold each of the further arguments: expect WHAT GOT WORD…
expect() {
  local what=$1 got=" ${2//$'\n'/ } " word
  shift 2
  for word in "$@"; do
    [[ $got == *" $word "* ]] || fail "$what: no $word among '$got'"
  done
}

# The commands, and the options of one, as the help has them.
mapfile -t commands < <(lpdm --help | sed -n '/^Subcommands:/,/^$/s/^  \([a-z]\+\) .*/\1/p')
((${#commands[@]} > 10)) || fail "the help lists ${#commands[@]} commands"
mapfile -t train_options < <(lpdm train --help | grep -o '^  \(-h,\)\?--[a-z-]*' | grep -o -e '--.*')
((${#train_options[@]} > 5)) || fail "the help lists ${#train_options[@]} options of train"

# shellcheck disable=SC1090
source <(lpdm completion bash)
in_bash() {
  COMP_WORDS=(lpdm "$@")
  COMP_CWORD=$#
  COMPREPLY=()
  _lpdm
  echo "${COMPREPLY[*]}"
}
expect "bash" "$(in_bash '')" "${commands[@]}"
expect "bash" "$(in_bash tra)" train
expect "bash" "$(in_bash train --)" "${train_options[@]}"
expect "bash" "$(in_bash export runs/a --format '')" onnx safetensors header
expect "bash" "$(in_bash bench '')" local-loss rollout train
expect "bash" "$(in_bash bench rollout --e)" --env --envs
expect "bash" "$(in_bash completion z)" zsh
[[ -z $(in_bash train config) ]] || fail "bash: words where a file is expected"

if command -v zsh >/dev/null; then
  lpdm completion zsh >"$folder/_lpdm"
  zsh -n "$folder/_lpdm"
  zsh -fc "autoload -U compinit && compinit -D -u; fpath=($folder \$fpath); source $folder/_lpdm
    (( \$+functions[_lpdm] && \$+functions[_lpdm_bench_local_loss] )) && [[ \$_comps[lpdm] == _lpdm ]]" ||
    fail "zsh: the functions are not defined"
fi

if command -v fish >/dev/null; then
  lpdm completion fish >"$folder/lpdm.fish"
  in_fish() { fish --no-config -c "source $folder/lpdm.fish; complete -C '$1'" | cut -f1; }
  expect "fish" "$(in_fish 'lpdm ')" "${commands[@]}"
  expect "fish" "$(in_fish 'lpdm train --')" "${train_options[@]}"
  expect "fish" "$(in_fish 'lpdm export --format ')" onnx safetensors header
  expect "fish" "$(in_fish 'lpdm bench rollout --env')" --env --envs
fi
