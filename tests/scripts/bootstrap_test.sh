#!/usr/bin/env bash
# Tests tools/bootstrap.sh with stand-ins for dpkg-query, apt-get, sudo and pip, so that nothing is
# installed or downloaded. Each stand-in notes its arguments in $calls.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
calls=$work/calls
failures=0
export calls LPDM_DEPS_DIR=$work/deps PATH=$work/bin:$PATH

make_command() {
  { echo '#!/usr/bin/env bash'; cat; } >"$work/bin/$1"
  chmod +x "$work/bin/$1"
}

mkdir "$work/bin"
make_command dpkg-query <<'STANDIN'
# Every package that is asked for is installed, except $absent; $removed left its settings behind.
for name in "${@:3}"; do
  case $name in
    "${absent:-}") ;;
    "${removed:-}") echo "$name rc " ;;
    *) echo "$name ii " ;;
  esac
done
STANDIN
make_command apt-get <<'STANDIN'
echo "apt-get $*" >>"$calls"
STANDIN
make_command sudo <<'STANDIN'
[[ $1 == -n ]] && shift
exec "$@"
STANDIN
make_command python3 <<'STANDIN'
# pip download: puts a file that is not the wheel into the folder after --dest.
[[ $* != "-m pip --version" ]] || exec echo "pip 23.0.1 from its folder (python 3.11)"
echo "python3 $*" >>"$calls"
while (($#)) && [[ $1 != --dest ]]; do shift; done
(($# == 0)) || echo "not a wheel" >"$2/something.whl"
STANDIN

# Runs bootstrap.sh; sets status, output and called.
bootstrap() {
  : >"$calls"
  status=0
  output=$("$root/tools/bootstrap.sh" "$@" 2>&1 </dev/null) || status=$?
  called=$(<"$calls")
}

expect() {
  local what=$1
  shift
  if ! "$@"; then
    printf 'FAILED: %s\n  status %s, output:\n%s\n  calls:\n%s\n' \
      "$what" "$status" "$output" "$called"
    failures=$((failures + 1))
  fi
}

make_complete_deps() {
  local mujoco=$LPDM_DEPS_DIR/mujoco-2.3.7 gymnasium=$LPDM_DEPS_DIR/gymnasium-1.2.0
  local openblas=$LPDM_DEPS_DIR/openblas-0.3.34.481.3
  mkdir -p "$mujoco/include/mujoco" "$mujoco/lib" "$openblas/include" "$openblas/lib" \
    "$gymnasium/assets"
  touch "$mujoco/include/mujoco/mujoco.h" "$mujoco/lib/libmujoco.so.2.3.7" "$mujoco/LICENSE" \
    "$openblas/include/cblas.h" "$openblas/lib/libscipy_openblas.so" "$openblas/LICENSE.txt" \
    "$gymnasium/assets/ant.xml" "$gymnasium/LICENSE"
}

make_complete_deps
bootstrap
expect "a complete machine is left alone" test "$status/$called" = "0/"
bootstrap --check
expect "--check finds a complete machine complete" test "$status/$called" = "0/"

absent=libhwy-dev bootstrap --check
expect "--check fails for a missing package" test "$status/$called" = "1/"
expect "--check names the missing package" test "$output" = "Missing Debian packages: libhwy-dev"

removed=cmake bootstrap --check
expect "a removed package is missing" test "$output" = "Missing Debian packages: cmake"

absent=libhwy-dev bootstrap
expect "a missing package is installed, and nothing else" test "$status/$called" = \
  "0/apt-get update -qq
apt-get install -y -qq --no-install-recommends libhwy-dev"

absent=libhwy-dev bootstrap --no-packages
expect "--no-packages ignores a missing package" test "$status/$called" = "0/"

absent=clang-format bootstrap --check
expect "clang-format is not needed to use lpdm" test "$status" = 0
bootstrap --check --ci
expect "--ci needs its wheels" test \
  "$status/$output" = "1/Missing in $LPDM_DEPS_DIR: python disassembler"
mkdir "$LPDM_DEPS_DIR/python"
cp "$root/tests/requirements.txt" "$LPDM_DEPS_DIR/python/requirements.installed"
mkdir "$LPDM_DEPS_DIR/disassembler-13.2.78"
touch "$LPDM_DEPS_DIR"/disassembler-13.2.78/{nvdisasm,cuobjdump}
chmod +x "$LPDM_DEPS_DIR"/disassembler-13.2.78/{nvdisasm,cuobjdump}
bootstrap --ci
expect "the wheels are installed once" test "$status/$called" = "0/"
absent=clang-format bootstrap --check --ci
expect "--ci needs clang-format" test "$status/$output" = "1/Missing Debian packages: clang-format"
echo "another list" >"$LPDM_DEPS_DIR/python/requirements.installed"
bootstrap --check --ci
expect "wheels of another list are replaced" test "$status/$output" = "1/Missing in $LPDM_DEPS_DIR: python"

bootstrap --check --mujoco3
expect "--mujoco3 needs a MuJoCo 3 on top" test "$status/$output" = "1/Missing in $LPDM_DEPS_DIR: mujoco3"

absent=qemu-user bootstrap --check --neon
expect "--neon needs an emulator and a folder on top" test "$status/$output" = \
  "1/Missing Debian packages: qemu-user
Missing in $LPDM_DEPS_DIR: arm64"
bootstrap --neon
expect "Arm's packages are downloaded, not installed" \
  grep -q "apt-get .*APT::Architecture=arm64.* download libcli11-dev" <<<"$called"
expect "nothing half-made is left for Arm" test ! -e "$LPDM_DEPS_DIR/arm64"

rm "$LPDM_DEPS_DIR/gymnasium-1.2.0/LICENSE"
bootstrap --check
expect "--check fails for an incomplete folder" test "$status/$called" = "1/"
expect "--check names what is incomplete" grep -q "gymnasium" <<<"$output"
bootstrap
expect "a wheel with another sum is refused" test "$status" = 1
expect "the message says so in one line" \
  grep -q "sha256.*instead of.*nothing was installed" <<<"$output"
expect "what was there stays" test -f "$LPDM_DEPS_DIR/gymnasium-1.2.0/assets/ant.xml"
expect "no temporary folder stays" test -z "$(find "$LPDM_DEPS_DIR" -name '.staging*')"

bootstrap --frobnicate
expect "an unknown option is a usage error" test "$status/$called" = "2/"

if ((failures > 0)); then
  echo "$failures expectations failed."
  exit 1
fi
echo "All expectations of bootstrap.sh hold."
