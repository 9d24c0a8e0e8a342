#!/usr/bin/env bash
# Prepares what building the wasm needs and writes .toolchain/env.sh, to be sourced before any wasm build.
# Everything it makes stays under .toolchain/; a user's own Rust, npm and Python set-up is never changed.
#
#   WASM_TOOLCHAIN=auto|active|debian|rustup   (default auto)
#     active  the Rust in PATH already has the wasm32 target
#     debian  the distribution's Rust and its source package; the standard library is built once into a private sysroot
#     rustup  `rustup target add wasm32-unknown-unknown`, announced first
#   auto tries them in this order.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
tools=$root/.toolchain
target=wasm32-unknown-unknown
debian_packages=(rustc-web cargo-web rust-web-src rust-web-llvm rust-web-clippy lld-22)
mkdir -p "$tools"

say() { printf '\033[1m==> %s\033[0m\n' "$*"; }
stop() { printf 'onhand: %s\n' "$*" >&2; exit 1; }
need() { command -v "$1" >/dev/null || stop "$1 is missing. $2"; }

need node "Install Node.js 20.12 or newer (nodejs.org, or your package manager)."
need npm "It comes with Node.js."
need cargo "Install Rust from rustup.rs."
node -e 'const [major, minor] = process.versions.node.split("."); process.exit(major > 20 || (major == 20 && minor >= 12) ? 0 : 1)' || stop "Node.js 20.12 or newer is needed; this is $(node --version)."

has_target() {
  local dir
  dir=$("$1" --print target-libdir --target $target 2>/dev/null) && ls "$dir"/libstd-*.rlib >/dev/null 2>&1
}
is_debian() { command -v apt-get >/dev/null && [ -e /etc/debian_version ] && apt-cache show rustc-web rust-web-src lld-22 >/dev/null 2>&1; }
debian_ready() { [ -e /usr/lib/rustlib/src/rust/library/Cargo.lock ] && [ -x /usr/bin/cargo ] && [ -x /usr/bin/rustc ] && command -v ld.lld-22 >/dev/null; }

# Installs Debian packages as root, or says in one line how to.
apt_install() {
  if [ "$(id -u)" = 0 ]; then
    say "Installing system packages: $*"
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >"$tools/apt.log" 2>&1 ||
      { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >"$tools/apt.log" 2>&1; } ||
      { tail -n 20 "$tools/apt.log" >&2; stop "the packages could not be installed."; }
  else
    stop "system packages are missing. Run: sudo apt-get install $*"
  fi
}

mode=${WASM_TOOLCHAIN:-auto}
if [ "$mode" = auto ]; then
  if has_target rustc; then mode=active
  elif debian_ready; then mode=debian
  elif [ -e /etc/debian_version ] && command -v apt-get >/dev/null; then
    [ "$(id -u)" != 0 ] || apt-cache show rustc-web >/dev/null 2>&1 || apt-get update -qq
    if is_debian; then mode=debian; else mode=rustup; fi
  else mode=rustup
  fi
fi

case $mode in
active) sysroot_flag= path=$tools/bin ;;
debian)
  debian_ready || apt_install "${debian_packages[@]}"
  version=$(/usr/bin/rustc -V | tr ' ()' '___')
  sysroot=$tools/sysroot-small-$version
  if ! [ -e "$sysroot/.ok" ]; then
    say "Building the wasm standard library once (about a minute)"
    make_std=$tools/make-std
    rm -rf "$sysroot" "$make_std"
    mkdir -p "$make_std/src" "$sysroot/lib/rustlib/$target/lib"
    : >"$make_std/src/lib.rs"
    printf '[package]\nname="make-std"\nversion="0.0.0"\nedition="2021"\n[workspace]\n[profile.release]\nopt-level="s"\npanic="abort"\n' >"$make_std/Cargo.toml"
    # Built for size, as the crate is: most of std is generic and compiled with the crate, where this feature makes its sorts small.
    # embed-bitcode lets the crate, which is built with lto, link against this std.
    # /usr/bin comes first because Debian's cargo calls the first rustc in PATH.
    (cd "$make_std" && env -u RUSTUP_TOOLCHAIN RUSTC_BOOTSTRAP=1 PATH="/usr/bin:$PATH" RUSTFLAGS="-Cembed-bitcode=yes" CARGO_TARGET_DIR="$make_std/target" \
      /usr/bin/cargo build --quiet --release --target $target -Zbuild-std=std,panic_abort,test -Zbuild-std-features=optimize_for_size)
    find "$make_std/target/$target/release/deps" -name '*.rlib' ! -name 'libmake_std-*' -exec cp {} "$sysroot/lib/rustlib/$target/lib/" \;
    host=$(/usr/bin/rustc -vV | sed -n 's/^host: //p')
    ln -s "/usr/lib/rustlib/$host" "$sysroot/lib/rustlib/$host"
    rm -rf "$make_std"
    touch "$sysroot/.ok"
  fi
  sysroot_flag="--sysroot=$sysroot" path=/usr/bin:$tools/bin
  ;;
rustup)
  command -v rustup >/dev/null || stop "this Rust has no $target target and there is no rustup to add it. Install Rust from rustup.rs."
  say "Adding the wasm target to your active Rust toolchain: rustup target add $target"
  rustup target add $target
  sysroot_flag= path=$tools/bin
  ;;
*) stop "WASM_TOOLCHAIN is auto, active, debian or rustup, not '$mode'." ;;
esac

cat >"$tools/env.sh" <<EOF
# Written by .ci/setup.sh; sourced by the build.
export PATH="$path:\$PATH"
export ONHAND_WASM_RUSTFLAGS="$sysroot_flag"
export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER=wasm-bindgen-test-runner
EOF

# The command-line tool must equal the wasm-bindgen crate in Cargo.lock.
# Not --locked: its own lock file can name a release that the registry does not serve yet.
want=$(grep -A1 '^name = "wasm-bindgen"$' Cargo.lock | sed -n 's/^version = "\(.*\)"/\1/p')
have=$("$tools/bin/wasm-bindgen" --version 2>/dev/null | awk '{print $2}' || true)
if [ "$want" != "$have" ]; then
  say "Building wasm-bindgen $want (two to five minutes, once)"
  # Level 1 is built in half the time and takes a second longer for the engine.
  CARGO_PROFILE_RELEASE_OPT_LEVEL=1 cargo install --quiet wasm-bindgen-cli --version "=$want" --root "$tools" --target-dir "$tools/build-cli"
  rm -rf "$tools/build-cli"
fi
say "Toolchain ready ($mode)"
