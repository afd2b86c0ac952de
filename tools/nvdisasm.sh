#!/usr/bin/env bash
# Puts nvdisasm into .deps/nvdisasm for bench/sass, where the CUDA toolkit has none: PyPI's wheel of
# triton carries one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly version=3.2.0
readonly folder=.deps/nvdisasm
[[ -x $folder/nvdisasm ]] && exit 0
download="$(mktemp -d)"
trap 'rm -rf "$download"' EXIT
python3 -m pip download --quiet --no-deps --only-binary :all: --platform manylinux2014_x86_64 \
  --python-version 3.11 --dest "$download" "triton==$version" ||
  { echo "error: no wheel of triton $version was found; put nvdisasm on PATH instead" >&2; exit 1; }
mkdir -p "$folder"
unzip -qoj "$download"/triton-*.whl triton/backends/nvidia/bin/nvdisasm -d "$folder"
chmod +x "$folder/nvdisasm"
