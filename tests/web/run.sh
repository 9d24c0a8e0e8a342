#!/usr/bin/env bash
# The browser tests in Chromium: once in a page, once in a dedicated worker.
# Arguments go to cargo, e.g. `--test page`. CHROMIUM and CHROMEDRIVER name other programs than those in PATH.
set -euo pipefail
cd "$(dirname "$0")/../.."
source .toolchain/env.sh
[ $# -gt 0 ] || set -- --test page --test worker

# The browser's profile goes to a directory of this run's own. A runner that gave up leaves its browser
# running; its command line names the profile, so that this one is ended and no other.
profiles=$(mktemp -d)
cleanup() {
  pgrep -f -- "--user-data-dir=$profiles/" | xargs --no-run-if-empty kill -KILL 2>/dev/null || true
  rm -rf "$profiles"
}
trap cleanup EXIT
export TMPDIR=$profiles

export CHROMEDRIVER=${CHROMEDRIVER:-$(command -v chromedriver)}
# The runner looks for the browser's settings in the crate's root unless it is told otherwise.
export WASM_BINDGEN_TEST_WEBDRIVER_JSON=$PWD/tests/web/webdriver.json
if [ -n "${CHROMIUM:-}" ]; then
  node -e '
    const settings = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"));
    settings["goog:chromeOptions"].binary = process.argv[2];
    console.log(JSON.stringify(settings));
  ' "$WASM_BINDGEN_TEST_WEBDRIVER_JSON" "$(command -v "$CHROMIUM")" >"$profiles/webdriver.json"
  export WASM_BINDGEN_TEST_WEBDRIVER_JSON=$profiles/webdriver.json
fi
# Seconds for all tests of a binary. They take about ten; a busy machine takes its time.
export WASM_BINDGEN_TEST_TIMEOUT=${WASM_BINDGEN_TEST_TIMEOUT:-180}
export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS=$ONHAND_WASM_RUSTFLAGS
# Debug information makes wasm-bindgen several times slower, and a failing test names its line anyway.
export CARGO_PROFILE_DEV_DEBUG=0
export CARGO_TARGET_DIR=$PWD/target/wasm-test

# Not --quiet: cargo hands it to the runner, which refuses it.
cargo test --locked --target wasm32-unknown-unknown --no-fail-fast "$@"
