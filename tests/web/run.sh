#!/usr/bin/env bash
# The browser tests in three engines, each in a page and in a dedicated worker. Compiled once.
# Arguments go to cargo, e.g. `--test page`. ENGINES="chromium firefox webkit" says which, in which order.
# CHROMIUM and CHROMEDRIVER name other programs than those in PATH.
set -euo pipefail
cd "$(dirname "$0")/../.."
source .toolchain/env.sh
[ $# -gt 0 ] || set -- --test page --test worker
engines=${ENGINES:-chromium firefox webkit}

# The browsers' profiles go to a directory of this run's own. A runner that gave up leaves its browser
# running; its command line names the profile, or it is in the process group of its runner.
profiles=$(mktemp -d)
groups=()
cleanup() {
  for group in "${groups[@]}"; do kill -KILL -- "-$group" 2>/dev/null || true; done
  pgrep -f -- "$profiles/" | grep -vx $$ | xargs --no-run-if-empty kill -KILL 2>/dev/null || true
  rm -rf "$profiles"
}
trap cleanup EXIT
export TMPDIR=$profiles

chromedriver=${CHROMEDRIVER:-$(command -v chromedriver || true)}
# The runner takes the first driver that is named.
unset CHROMEDRIVER GECKODRIVER SAFARIDRIVER MSEDGEDRIVER
# As root WebKit can not make the sandbox that it otherwise insists on.
[ "$(id -u)" != 0 ] || export WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS=1

# The runner looks for the browser's settings in the crate's root unless it is told otherwise.
chromium_settings=$PWD/tests/web/webdriver.json
webkit_settings=$PWD/tests/web/webdriver-webkit.json
if [ -n "${CHROMIUM:-}" ]; then
  node -e '
    const settings = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"));
    settings["goog:chromeOptions"].binary = process.argv[2];
    console.log(JSON.stringify(settings));
  ' "$chromium_settings" "$(command -v "$CHROMIUM")" >"$profiles/webdriver.json"
  chromium_settings=$profiles/webdriver.json
fi
# Seconds for all tests of a binary. They take about ten; a busy machine takes its time.
export WASM_BINDGEN_TEST_TIMEOUT=${WASM_BINDGEN_TEST_TIMEOUT:-180}
export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS=$ONHAND_WASM_RUSTFLAGS
# Debug information makes wasm-bindgen several times slower, and a failing test names its line anyway.
export CARGO_PROFILE_DEV_DEBUG=0
export CARGO_TARGET_DIR=$PWD/target/wasm-test

binaries=$(cargo test --locked --target wasm32-unknown-unknown --no-run --message-format=json-render-diagnostics "$@" |
  node -e '
    for (const line of require("fs").readFileSync(0, "utf8").split("\n")) {
      const message = line.startsWith("{") ? JSON.parse(line) : {};
      if (message.profile?.test && message.executable) console.log(message.executable);
    }')
[ -n "$binaries" ] || { echo "onhand: there is nothing to run" >&2; exit 1; }

# Engine, binary, and a number: two that look for a free display at once can find the same.
in_engine() {
  case $1 in
  chromium) CHROMEDRIVER=$chromedriver WASM_BINDGEN_TEST_WEBDRIVER_JSON=$chromium_settings wasm-bindgen-test-runner "$2" ;;
  firefox) GECKODRIVER=$PWD/.toolchain/bin/geckodriver WASM_BINDGEN_TEST_WEBDRIVER_JSON=$chromium_settings wasm-bindgen-test-runner "$2" ;;
  webkit) SAFARIDRIVER=$(command -v WebKitWebDriver) WASM_BINDGEN_TEST_WEBDRIVER_JSON=$webkit_settings \
    xvfb-run --auto-servernum --server-num "$((99 + 50 * $3))" wasm-bindgen-test-runner "$2" ;;
  *) echo "onhand: there is no engine '$1'" >&2; exit 2 ;;
  esac
}

failed=0
for engine in $engines; do
  # All at once: one after the other they leave over a third of two processors idle. Each in a process group of its own, so that nothing of it survives.
  names=() groups=()
  for binary in $binaries; do
    name=$(basename "$binary")
    names+=("${name%%-*}")
    set -m
    in_engine "$engine" "$binary" ${#names[@]} >"$profiles/${name%%-*}.log" 2>&1 &
    groups+=($!)
    set +m
  done
  for i in "${!names[@]}"; do
    wait "${groups[$i]}" && outcome=passed || outcome=failed
    kill -KILL -- "-${groups[$i]}" 2>/dev/null || true
    printf '%s: %s\n' "$engine" "${names[$i]}"
    cat "$profiles/${names[$i]}.log"
    if [ $outcome = failed ]; then
      failed=1
      printf 'onhand: the tests failed in %s\n' "$engine" >&2
    fi
  done
done
exit $failed
