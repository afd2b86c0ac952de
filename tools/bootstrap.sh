#!/usr/bin/env bash
# Installs what this machine lacks to build, test and use lpdm: Debian packages, and three wheels
# from PyPI unpacked into the git-ignored .deps/ (MuJoCo's and OpenBLAS's library and headers,
# Gymnasium's models).
# Safe to run twice; touches neither the network nor the system when everything is there.
#
#   tools/bootstrap.sh               install what is missing
#   tools/bootstrap.sh --check       only say what is missing; exit status 1 if anything is
#   tools/bootstrap.sh --ci          what the continuous integration needs on top as well, among it
#                                    the wheels of tests/requirements.txt (500 MB in .deps/python)
#                                    and a disassembler of CUDA's machine code (5 MB)
#   tools/bootstrap.sh --mujoco3     a MuJoCo 3 as well, see tools/test_mujoco3.sh
#   tools/bootstrap.sh --neon        a compiler, an emulator and libraries for 64-bit Arm as well,
#                                    see tools/test_neon.sh (300 MB of packages, 50 MB in .deps/arm64)
#   tools/bootstrap.sh --no-packages leave the system's packages alone
#
# LPDM_DEPS_DIR: the folder to unpack the wheels into, instead of .deps.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=tools/common.sh
source "$root/tools/common.sh"

deps=${LPDM_DEPS_DIR:-$root/.deps}
packages=(g++ cmake ninja-build ccache git python3 python3-matplotlib libhwy-dev
  nlohmann-json3-dev libcli11-dev libfmt-dev zlib1g-dev libgtest-dev libbenchmark-dev librapidcheck-dev librandom123-dev)
ci_packages=(chromium clang clang-format dpkg-dev ffmpeg file fish libclang-rt-14-dev libegl1
  libgl1-mesa-dri libosmesa6 zsh)
neon_packages=(g++-aarch64-linux-gnu qemu-user)
# Unpacked into .deps/arm64 in their builds for 64-bit Arm, without being installed.
arm64_packages=(libcli11-dev libfmt9 libfmt-dev libgtest-dev libhwy1 libhwy-dev
  librapidcheck-dev nlohmann-json3-dev zlib1g zlib1g-dev)

mujoco_version=2.3.7
mujoco3_version=3.15.0
# Debian 12's own OpenBLAS does not know newer processors and falls back to SSE3 on them.
openblas_version=0.3.34.481.3
gymnasium_version=1.2.0
disassembler_version=13.2.78
# sha256 of the wheels as PyPI serves them.
declare -A wheel_sums=(
  [mujoco-x86_64]=ab85fafc9d5a091c712947573b7e694512d283876bf7f33ae3f8daad3a20c0db
  [mujoco-aarch64]=6d4eede8ba8210fbd3d3cd1dbf69e24dd1541aa74c5af5b8adbbbf65504b6dba
  [mujoco3-x86_64]=afbfbefc5d9f41d1800e2f140cc65357eebb03482c36a783ddf1f626c6479963
  [mujoco3-aarch64]=a3ed1e67ebe64b688967ef1ec8062436c895324f9c911e0ebc14406b9263e4ff
  [openblas-x86_64]=0595f94cd58c1f8a0d90c975621f4587337a003916b1979e834ebdf2cb5d9504
  [openblas-aarch64]=e085dddbc5b9aa130f83def515d31c440e69f387a90c7e63b154a5575b4466bc
  [nvdisasm-x86_64]=b4ebcd3c5046bf8039ac52675b9dbefd843600969649ecaab0a42b0713a61dae
  [nvdisasm-aarch64]=c338282695eca43de237929c5e3963d8d04f61d578d40f01bd04aca2bc29c233
  [cuobjdump-x86_64]=394087411405b846bf43aa52ca2ff603bbe18b3b8a1257cda0903e23c17bdbf3
  [cuobjdump-aarch64]=c985f2ac62cc6b41cb3c612c4b8d117f4c30ff5c1a2f9e23ca3350e0090a85b6
  [gymnasium]=fc4a1e4121a9464c29b4d7dc6ade3fbeaa36dea448682f5f71a6d2c17489ea76
)

# Debian 12's Python, for which tests/requirements.txt has the wheels.
python_version=3.11
test_requirements=$root/tests/requirements.txt
# What .deps/arm64 is made of.
arm64_contents="${arm64_packages[*]} mujoco-$mujoco_version openblas-$openblas_version"

check_only=false
with_test_wheels=false
with_packages=true
with_mujoco3=false
with_neon=false
for argument in "$@"; do
  case $argument in
    --check) check_only=true ;;
    --ci)
      packages+=("${ci_packages[@]}")
      with_test_wheels=true
      ;;
    --mujoco3) with_mujoco3=true ;;
    --neon)
      packages+=("${neon_packages[@]}")
      with_neon=true
      ;;
    --no-packages) with_packages=false ;;
    -h | --help)
      sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
      exit 0
      ;;
    *)
      fail_status=2 fail "unknown option '$argument';" \
        "the options are --check, --ci, --mujoco3, --neon, --no-packages and --help."
      ;;
  esac
done

# Sets `missing` to those of the given Debian packages that are not installed.
find_missing_packages() {
  command -v dpkg-query >/dev/null ||
    fail "this machine has no dpkg; install the equivalents of '$*' and use --no-packages."
  local -A installed=()
  local name status
  while read -r name status; do
    [[ $status == ii* ]] && installed[$name]=1
  done < <(dpkg-query --show --showformat='${Package} ${db:Status-Abbrev}\n' "$@" 2>/dev/null)
  missing=()
  for name in "$@"; do
    [[ -n ${installed[$name]:-} ]] || missing+=("$name")
  done
}

# Runs a command as root: directly, or by sudo (which may ask for a password at a terminal only).
as_root() {
  if ((EUID == 0)); then
    "$@"
  elif ! command -v sudo >/dev/null; then
    fail "Debian packages are missing and there is neither root nor sudo to install them;" \
      "run 'apt-get install ${missing[*]}' as root."
  elif [[ -t 0 ]]; then
    sudo "$@"
  else
    sudo -n "$@"
  fi
}

install_packages() {
  step "Installing Debian packages: $*"
  as_root apt-get update -qq ||
    fail "apt-get update failed; check this machine's network and package sources."
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" \
    </dev/null >"$staging/apt.log" 2>&1 || {
    cat "$staging/apt.log" >&2
    fail "apt-get could not install '$*'; its message is above."
  }
}

has_mujoco_of() {
  local folder=$deps/mujoco-$1
  [[ -f $folder/include/mujoco/mujoco.h && -f $folder/lib/libmujoco.so.$1 &&
    -f $folder/LICENSE ]]
}

has_mujoco() { has_mujoco_of "$mujoco_version"; }

has_mujoco3() { has_mujoco_of "$mujoco3_version"; }

has_openblas() {
  local folder=$deps/openblas-$openblas_version
  [[ -f $folder/include/cblas.h && -f $folder/lib/libscipy_openblas.so && -f $folder/LICENSE.txt ]]
}

has_gymnasium() {
  local folder=$deps/gymnasium-$gymnasium_version
  [[ -f $folder/assets/ant.xml && -f $folder/LICENSE ]]
}

has_disassembler() {
  local folder=$deps/disassembler-$disassembler_version
  [[ -x $folder/nvdisasm && -x $folder/cuobjdump ]]
}

# The next two folders are complete when they hold the list that they were made from.
has_python() { cmp -s "$test_requirements" "$deps/python/requirements.installed"; }

has_arm64() { cmp -s "$deps/arm64/contents" <(echo "$arm64_contents"); }

# Prints a Python, of the given version if one is given, that can run pip; installs Debian's where
# there is none: find_pip_python [VERSION]
find_pip_python() {
  local python
  for python in python3 /usr/bin/python3; do
    if [[ $("$python" -m pip --version 2>/dev/null) == *"(python ${1:-3}"* ]]; then
      echo "$python"
      return
    fi
  done
  $with_packages || fail "no Python with pip was found; install python3-pip."
  install_packages python3-pip >&2
  echo /usr/bin/python3
}

# Downloads a wheel, verifies its sum and unpacks it: fetch_wheel SUM FOLDER PIP_ARGUMENT…
fetch_wheel() {
  local sum=$1 folder=$2
  shift 2
  mkdir -p "$folder.wheel"
  "$pip_python" -m pip download --quiet --disable-pip-version-check --no-deps \
    --only-binary=:all: --dest "$folder.wheel" "$@" ||
    fail "pip could not download '${*: -1}' from PyPI; check this machine's network."
  local wheels=("$folder.wheel"/*.whl)
  local actual
  actual=$(sha256sum <"${wheels[0]}")
  [[ ${actual%% *} == "$sum" ]] ||
    fail "the downloaded ${wheels[0]##*/} has sha256 ${actual%% *} instead of $sum;" \
      "nothing was installed."
  "$pip_python" -m zipfile -e "${wheels[0]}" "$folder"
}

# Moves a finished folder into its place, where an incomplete one may lie: replace SOURCE TARGET
replace() {
  if [[ -e $2 ]]; then
    mv -T "$2" "$staging/replaced-${2##*/}"
  fi
  mv -T "$1" "$2"
}

# Installs a MuJoCo: install_mujoco_of NAME VERSION PLATFORM PYTHON [MACHINE FOLDER]. PLATFORM and
# PYTHON are those of a wheel, not of this machine: only its library and headers are used. MACHINE
# is this machine's kind and FOLDER is .deps if left out.
install_mujoco_of() {
  local name=$1 version=$2 platform=$3 python=$4 machine=${5:-$(uname -m)} folder=${6:-$deps}
  local wheel=$staging/$name-$machine-wheel tree=$staging/$name-$machine
  [[ -n ${wheel_sums[$name-$machine]:-} ]] ||
    fail "MuJoCo $version has no wheel for '$machine'; lpdm needs x86_64 or aarch64."
  step "Fetching MuJoCo $version for $machine from PyPI"
  fetch_wheel "${wheel_sums[$name-$machine]}" "$wheel" --platform "${platform}_$machine" \
    --python-version "$python" --implementation cp --abi "cp${python/./}" "mujoco==$version"
  mkdir -p "$tree/include" "$tree/lib"
  mv "$wheel/mujoco/include/mujoco" "$tree/include/"
  mv "$wheel/mujoco/libmujoco.so.$version" "$tree/lib/"
  find "$wheel/mujoco-$version.dist-info" -name 'LICENSE*' -exec mv -t "$tree" {} +
  replace "$tree" "$folder/mujoco-$version"
}

# install_mujoco [MACHINE FOLDER]
install_mujoco() { install_mujoco_of mujoco "$mujoco_version" manylinux2014 3.10 "$@"; }

install_mujoco3() { install_mujoco_of mujoco3 "$mujoco3_version" manylinux_2_28 3.11; }

# install_openblas [MACHINE FOLDER]
install_openblas() {
  local machine=${1:-$(uname -m)} folder=${2:-$deps}
  local wheel=$staging/openblas-$machine-wheel tree=$staging/openblas-$machine
  [[ -n ${wheel_sums[openblas-$machine]:-} ]] ||
    fail "OpenBLAS $openblas_version has no wheel for '$machine'; lpdm needs x86_64 or aarch64."
  step "Fetching OpenBLAS $openblas_version for $machine from PyPI"
  fetch_wheel "${wheel_sums[openblas-$machine]}" "$wheel" --platform "manylinux_2_28_$machine" \
    --python-version 3.10 "scipy-openblas32==$openblas_version"
  mkdir -p "$tree/lib"
  mv "$wheel/scipy_openblas32/include" "$tree/"
  mv "$wheel/scipy_openblas32/lib/libscipy_openblas.so" "$tree/lib/"
  mv "$wheel/scipy_openblas32-$openblas_version.dist-info/licenses/LICENSE.txt" "$tree/"
  replace "$tree" "$folder/openblas-$openblas_version"
}

install_gymnasium() {
  local wheel=$staging/gymnasium-wheel tree=$staging/gymnasium
  step "Fetching Gymnasium $gymnasium_version's model files from PyPI"
  fetch_wheel "${wheel_sums[gymnasium]}" "$wheel" --python-version 3.10 \
    "gymnasium==$gymnasium_version"
  mkdir -p "$tree/assets"
  mv "$wheel"/gymnasium/envs/mujoco/assets/*.xml "$tree/assets/"
  mv "$wheel/gymnasium-$gymnasium_version.dist-info/licenses/LICENSE" "$tree/"
  replace "$tree" "$deps/gymnasium-$gymnasium_version"
}

# cuobjdump takes machine code out of a built library, nvdisasm reads it.
install_disassembler() {
  local machine tree=$staging/disassembler tool
  machine=$(uname -m)
  [[ -n ${wheel_sums[nvdisasm-$machine]:-} ]] ||
    fail "CUDA's disassembler has no wheel for '$machine'; lpdm needs x86_64 or aarch64."
  step "Fetching CUDA's disassembler $disassembler_version for $machine from PyPI"
  mkdir -p "$tree"
  for tool in nvdisasm cuobjdump; do
    local wheel=$staging/$tool-wheel
    fetch_wheel "${wheel_sums[$tool-$machine]}" "$wheel" --platform "manylinux2014_$machine" \
      "nvidia-cuda-$tool==$disassembler_version"
    mv "$wheel/nvidia/cu13/bin/$tool" "$tree/"
    mv "$wheel/nvidia_cuda_$tool-$disassembler_version.dist-info/licenses/License.txt" \
      "$tree/LICENSE.$tool"
    chmod +x "$tree/$tool"
  done
  replace "$tree" "$deps/disassembler-$disassembler_version"
}

install_python() {
  local tree=$staging/python python
  python=$(find_pip_python "$python_version")
  step "Installing the wheels of tests/requirements.txt from PyPI"
  "$python" -m pip install --quiet --disable-pip-version-check --root-user-action=ignore \
    --no-deps --no-compile --require-hashes --target "$tree" --requirement "$test_requirements" ||
    fail "pip could not install tests/requirements.txt from PyPI; its message is above."
  cp "$test_requirements" "$tree/requirements.installed"
  replace "$tree" "$deps/python"
}

# Unpacks Debian packages in their builds for 64-bit Arm: unpack_arm64_packages FOLDER PACKAGE…
# With package lists of its own, so that the system's apt is not told of another architecture.
unpack_arm64_packages() {
  local folder=$1 apt=$staging/apt package
  shift
  mkdir -p "$folder" "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/packages"
  local options=(-qq -o APT::Architecture=arm64 -o APT::Architectures=arm64
    -o Dir::State::Lists="$apt/lists" -o Dir::State::Status=/dev/null -o Dir::Cache="$apt/cache")
  (
    cd "$apt/packages"
    apt-get "${options[@]}" update && apt-get "${options[@]}" download "$@"
  ) </dev/null >"$apt/log" 2>&1 || {
    cat "$apt/log" >&2
    fail "apt-get could not download '$*' for 64-bit Arm; its message is above."
  }
  for package in "$apt/packages"/*.deb; do
    dpkg-deb --extract "$package" "$folder"
  done
}

install_arm64() {
  local tree=$staging/arm64
  step "Fetching Debian's libraries for 64-bit Arm"
  unpack_arm64_packages "$tree" "${arm64_packages[@]}"
  install_mujoco aarch64 "$tree"
  install_openblas aarch64 "$tree"
  echo "$arm64_contents" >"$tree/contents"
  replace "$tree" "$deps/arm64"
}

missing=()
if $with_packages; then
  find_missing_packages "${packages[@]}"
fi
folders=()
has_mujoco || folders+=(mujoco)
if $with_mujoco3; then
  has_mujoco3 || folders+=(mujoco3)
fi
has_openblas || folders+=(openblas)
has_gymnasium || folders+=(gymnasium)
if $with_test_wheels; then
  has_python || folders+=(python)
  has_disassembler || folders+=(disassembler)
fi
if $with_neon; then
  has_arm64 || folders+=(arm64)
fi

if ((${#missing[@]} + ${#folders[@]} == 0)); then
  good "Everything lpdm needs is installed."
  exit 0
fi
if $check_only; then
  ((${#missing[@]} == 0)) || echo "Missing Debian packages: ${missing[*]}"
  ((${#folders[@]} == 0)) || echo "Missing in ${deps/#$root\//}: ${folders[*]}"
  exit 1
fi

mkdir -p "$deps"
staging=$(mktemp -d "$deps/.staging.XXXXXX")
trap 'rm -rf "$staging"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if ((${#missing[@]} > 0)); then
  install_packages "${missing[@]}"
fi
if ((${#folders[@]} > 0)); then
  pip_python=$(find_pip_python)
  for folder in "${folders[@]}"; do
    "install_$folder"
  done
fi
good "Everything lpdm needs is installed now."
