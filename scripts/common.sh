# Shared by the scripts of this folder; sourced, not run.
# shellcheck shell=bash

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '\033[1m==>\033[0m %s\n' "$*"; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

build_packages=(gcc g++ cmake ninja-build pkg-config libwebsockets-dev libwebsockets-evlib-uv libsqlite3-dev libjson-c-dev zlib1g-dev
  libavformat-dev libavcodec-dev libavutil-dev libswscale-dev libinih-dev libseccomp-dev libxxhash-dev uuid-dev
  linux-libc-dev uthash-dev ffmpeg)
page_packages=(esbuild) # makes the page smaller; it runs without
test_packages=(libcmocka-dev clang libclang-rt-14-dev chromium strace curl sqlite3 python3 binutils util-linux git)

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "this needs root: run it as root, or install sudo"
  fi
}

# install_packages NAME…: installs the Debian packages that are missing and says which; nothing missing: no word, no root.
install_packages() {
  command -v dpkg-query >/dev/null || {
    say "Not a Debian system: please install by hand what these packages hold: $*"
    return 0
  }
  local missing=() name
  for name in "$@"; do
    dpkg-query -W -f='${Status}\n' "$name" 2>/dev/null | grep -q 'ok installed' || missing+=("$name")
  done
  [ ${#missing[@]} = 0 ] && return 0
  say "Installing ${#missing[@]} missing packages: ${missing[*]}"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# install_if_possible NAME…: the same of what can be done without.
install_if_possible() {
  (install_packages "$@") || say "Going on without: $*"
}

# build PRESET [TARGET…]
build() {
  local preset=$1 log
  shift
  say "Building $preset"
  log=$(cmake --preset "$preset" -S "$top" 2>&1) || die "cmake failed:"$'\n'"$log"
  cmake --build "$top/build/$preset" ${1:+--target "$@"} -- --quiet || die "the build failed, see above"
}
