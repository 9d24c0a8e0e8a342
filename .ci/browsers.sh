#!/usr/bin/env bash
# The browser that the tests drive. CHROMIUM and CHROMEDRIVER name other ones.
set -euo pipefail
chromium=${CHROMIUM:-$(command -v chromium || command -v google-chrome || true)}
driver=${CHROMEDRIVER:-$(command -v chromedriver || true)}
if [ -n "$chromium" ] && [ -n "$driver" ]; then exit 0; fi
if ! command -v apt-get >/dev/null; then
  echo "onhand: the tests need Chromium and its driver. Install both, or set CHROMIUM and CHROMEDRIVER." >&2
  exit 1
fi
if [ "$(id -u)" != 0 ]; then
  echo "onhand: the tests need Chromium. Run: sudo apt-get install chromium chromium-driver" >&2
  exit 1
fi
printf '\033[1m==> Installing system packages: chromium chromium-driver\033[0m\n'
install() { DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium chromium-driver >/dev/null; }
install || { apt-get update -qq && install; }
