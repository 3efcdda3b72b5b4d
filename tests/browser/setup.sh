#!/bin/sh
# Installs the Chromium that the browser tests drive, from the packages of Debian or Ubuntu.
# Does nothing where there is one already.
set -eu

for name in chromium chromium-browser google-chrome; do
  if command -v "$name" >/dev/null 2>&1; then
    exit 0
  fi
done

if ! command -v apt-get >/dev/null 2>&1; then
  echo "tests/browser/setup.sh: there is no apt-get; install Chromium so that \`chromium\` is on PATH" >&2
  exit 1
fi
as_root=""
if [ "$(id -u)" -ne 0 ]; then
  as_root="sudo"
fi
$as_root apt-get update -qq
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core
