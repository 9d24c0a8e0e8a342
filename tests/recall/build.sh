#!/usr/bin/env bash
# Builds recall on a folder of questions as WebAssembly, with SIMD and without: DIR/simd and DIR/scalar.
#   build.sh DIR [release|dev]    `dev` shares what the browser tests compile, so it is quick after them; `release` is what long folders need
set -euo pipefail
out=$1 profile=${2:-release}
cd "$(dirname "$0")/../.."
source .toolchain/env.sh
export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_DEV_DEBUG=0
for build in simd scalar; do
  flags=$ONHAND_WASM_RUSTFLAGS
  if [ "$build" = simd ]; then flags="$flags -Ctarget-feature=+simd128"; fi
  if [ "$profile" = dev ]; then target=target/wasm-test made=debug; else target=target/wasm-$build-fast made=release; fi
  CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS=$flags \
    cargo build --locked --quiet --profile "$profile" --example eval_wasm --target wasm32-unknown-unknown --target-dir "$target"
  wasm-bindgen --target web --remove-name-section --out-dir "$out/$build" "$target/wasm32-unknown-unknown/$made/examples/eval_wasm.wasm"
done
