#!/usr/bin/env bash
# Packs what tools/gpu_check.sh needs into one archive for a machine that has a GPU and the CUDA
# toolkit's libraries, but no network: the program, the CUDA backend for every architecture, the
# tests and the libraries that they load. The C library, libstdc++ and CUDA's own are that machine's.
#
#   tools/gpu_bundle.sh [--build DIR] [FILE]   build/cuda and lpdm-gpu.tar.gz if left out; DIR must
#                                              have been configured with LPDM_BUILD_BENCHMARKS
#
# There:   tar xf lpdm-gpu.tar.gz && lpdm-gpu/tools/gpu_check.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tools/common.sh
source tools/common.sh

readonly most_bytes=$((48 << 20))
build=build/cuda
if [[ ${1:-} == --build ]]; then
  [[ -d ${2:-} ]] || fail_status=2 fail "--build needs a folder that has been configured."
  build=$2
  shift 2
fi
(($# <= 1)) || fail_status=2 fail "expected at most one file to write, not '$*'."
archive=${1:-lpdm-gpu.tar.gz}

if [[ $build == build/cuda ]]; then
  step "Configuring for every architecture"
  configure_preset build/cuda cuda -DLPDM_BUILD_BENCHMARKS=ON
fi
step "Building"
quietly "$build/bundle.log" cmake --build "$build" --target lpdm_cli lpdm_cuda gpu_tests ladder
built=$build/tools
bundle=$(mktemp -d)
trap 'rm -rf "$bundle"' EXIT
folder=$bundle/lpdm-gpu
mkdir -p "$folder"/{bin,lib,tools,models,configs/paper,bench,tests/data}

cp "$built"/{lpdm,gpu_tests,ladder,liblpdm_cuda.so} "$folder/bin/"
strip --strip-unneeded "$folder"/bin/*

# Everything that is loaded, but for the C and C++ libraries and CUDA.
foreign='^(ld-linux.*|lib(c|m|dl|rt|pthread|stdc\+\+|gcc_s|cuda|cublas|cublasLt|cudart)\.so.*)$'
ldd "$folder"/bin/lpdm "$folder"/bin/gpu_tests "$folder"/bin/liblpdm_cuda.so |
  awk '/=> \// {print $3}' | sort -u |
  while read -r library; do
    [[ $(basename "$library") =~ $foreign ]] || cp -L "$library" "$folder/lib/"
  done

cp tools/{gpu_check.sh,gpu_report.sh,common.sh} "$folder/tools/"
cp -r configs/paper/reinforce "$folder/configs/paper/"
cp -r tests/data/loss "$folder/tests/data/"
cp -r bench/peers "$folder/bench/"
models=$("$built/lpdm" info --json | sed -nE 's/.*"models": "([^"]*)".*/\1/p')
cp "$models"/*.xml "$folder/models/"

step "Packing"
# Not by xz, which the other machine may lack.
tar --sort=name --owner=0 --group=0 -C "$bundle" -I 'gzip -9' -cf "$archive" lpdm-gpu
bytes=$(stat -c %s "$archive")
((bytes < most_bytes)) || fail "$archive has $bytes bytes, more than the $most_bytes that it may have."
good "$archive has $((bytes >> 10)) KiB; unpack it there and run lpdm-gpu/tools/gpu_check.sh."
