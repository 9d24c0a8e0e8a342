#!/usr/bin/env bash
# The three browsers that the tests drive, and what drives them: Chromium, Firefox, WebKitGTK.
# Whatever is there already is left as it is, and nothing is asked of the network then.
#
#   CHROMIUM, CHROMEDRIVER   other programs than those in PATH
#   ENGINES           which browsers are wanted; default "chromium firefox webkit"
set -euo pipefail
cd "$(dirname "$0")/.."
tools=$PWD/.toolchain
engines=${ENGINES:-chromium firefox webkit}
# Firefox's driver is a crate and no package of the distribution. Its version has to be one that the
# distribution's Firefox speaks with; newer drivers speak with older Firefoxes.
geckodriver=0.37.1
mkdir -p "$tools"

say() { printf '\033[1m==> %s\033[0m\n' "$*"; }
wanted() { [[ " $engines " == *" $1 "* ]]; }
there() { command -v "$1" >/dev/null; }

missing=()
if wanted chromium; then
  [ -n "${CHROMIUM:-}" ] || there chromium || there google-chrome || missing+=(chromium)
  [ -n "${CHROMEDRIVER:-}" ] || there chromedriver || missing+=(chromium-driver)
fi
if wanted firefox; then
  there firefox || there firefox-esr || missing+=(firefox-esr)
fi
if wanted webkit; then
  # The driver's package brings the browser, MiniBrowser. It has no mode without a screen.
  there WebKitWebDriver || missing+=(webkit2gtk-driver)
  there xvfb-run || missing+=(xvfb)
  there xauth || missing+=(xauth)
fi
if [ ${#missing[@]} -gt 0 ]; then
  if ! there apt-get; then
    echo "onhand: the tests need Chromium, Firefox and WebKitGTK with their drivers. Install them, or name those you have in ENGINES." >&2
    exit 1
  fi
  if [ "$(id -u)" != 0 ]; then
    echo "onhand: browsers for the tests are missing. Run: sudo apt-get install ${missing[*]}" >&2
    exit 1
  fi
  say "Installing system packages: ${missing[*]}"
  install() { DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null; }
  install || { apt-get update -qq && install; }
fi

if wanted firefox && [ "$("$tools/bin/geckodriver" --version 2>/dev/null | awk 'NR == 1 {print $2}')" != $geckodriver ]; then
  say "Building geckodriver $geckodriver (two to three minutes of computing, once)"
  # It only passes messages on: optimising it would take most of the time.
  CARGO_PROFILE_RELEASE_OPT_LEVEL=0 cargo install --quiet --locked geckodriver --version "=$geckodriver" --root "$tools" --target-dir "$tools/build-geckodriver"
  rm -rf "$tools/build-geckodriver"
fi
