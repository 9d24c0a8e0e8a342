#!/usr/bin/env bash
# Builds recall on a folder of questions as WebAssembly, with SIMD and without: DIR/simd and DIR/scalar. Quick to build, not small.
set -euo pipefail
out=$1
cd "$(dirname "$0")/../.."
source .toolchain/env.sh
export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
for build in simd scalar; do
  flags=$ONHAND_WASM_RUSTFLAGS
  if [ "$build" = simd ]; then flags="$flags -Ctarget-feature=+simd128"; fi
  target=target/wasm-$build-fast
  CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS=$flags \
    cargo build --locked --quiet --release --example eval_wasm --target wasm32-unknown-unknown --target-dir "$target"
  wasm-bindgen --target web --remove-name-section --out-dir "$out/$build" "$target/wasm32-unknown-unknown/release/examples/eval_wasm.wasm"
done
