#!/usr/bin/env bash
# Installs a build into a folder of its own and uses it there: install_test.sh BUILD SOURCE
# The program runs, a program outside the tree finds the package, builds and trains, and the Debian
# package holds the same and runs where it is unpacked.
set -euo pipefail
build=$(realpath -- "$1")
source=$(realpath -- "$2")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

fail() {
  echo "install_test: $*" >&2
  exit 1
}
quietly() { "$@" >log 2>&1 || { cat log >&2; fail "'$*' failed"; }; }

# Uses the program under PREFIX, without anything of the source tree: check_program PREFIX
check_program() {
  local lpdm=$1/bin/lpdm
  if readelf -d "$lpdm" | grep -E 'R(UN)?PATH' | grep -qvF "\$ORIGIN"; then
    fail "$lpdm looks for libraries outside its own folder"
  fi
  local prefix library
  prefix=$(realpath "$1")
  for library in $(ldd "$lpdm" | awk '/libmujoco|openblas/ {print $3}'); do
    [[ $(realpath "$library") == "$prefix"/lib/lpdm/* ]] || fail "$lpdm uses $library"
  done
  "$lpdm" info | grep -q "^models .*$prefix/share/lpdm/models" ||
    fail "$lpdm does not find its models"
  quietly "$lpdm" train "$1/share/lpdm/configs/hopper-lpdm.json" --set run.iterations=2 --out run
  quietly "$lpdm" eval run --episodes 1
  quietly "$lpdm" export run --format onnx
  rm -r run
}

quietly cmake --install "$build" --prefix "$folder/first"
mv first moved # what is installed does not know where it is
check_program "$folder/moved"

quietly cmake -S "$source/examples/embed" -B embed -DCMAKE_BUILD_TYPE=Release \
  -DCMAKE_PREFIX_PATH="$folder/moved"
quietly cmake --build embed
quietly embed/embed
grep -q '^Point-v0: mean return' log || fail "the example printed nothing of its own environment"

for tool in dpkg-shlibdeps file; do # which cpack makes Debian packages with
  if ! command -v "$tool" >/dev/null && [[ -z ${LPDM_REQUIRE_TEST_WHEELS:-} ]]; then
    echo "Missing $tool; the Debian package is not tested without tools/bootstrap.sh --ci." >&2
    exit 77
  fi
done
quietly cpack -G DEB --config "$build/CPackConfig.cmake" -B "$folder/packages"
package=(packages/*.deb)
[[ ${package[0]} == packages/lpdm_*_*.deb ]] || fail "the package is called ${package[0]}"
dpkg-deb --info "${package[0]}" >info
for line in 'Package: lpdm' 'Section: science' 'Depends: .*libc6' 'Depends: .*libfmt' \
  'Recommends: .*ffmpeg' 'Maintainer: .*@' 'Description: .'; do
  grep -q "^ $line" info || fail "the package has no '$line'"
done
dpkg-deb --contents "${package[0]}" >contents
if grep -v ' \./usr/\| \./$' contents; then fail "the package has files outside /usr"; fi
awk '$1 ~ /^-.....w|^d.......w/' contents | grep . && fail "the package has files anybody may change"
for path in usr/bin/lpdm usr/lib/liblpdm.a usr/share/doc/lpdm/copyright \
  usr/share/bash-completion/completions/lpdm usr/lib/cmake/lpdm/lpdmConfig.cmake; do
  grep -q " \./$path$" contents || fail "the package has no $path"
done
dpkg-deb --extract "${package[0]}" unpacked
check_program "$folder/unpacked/usr"
