#!/bin/sh
# Installs the parts that the tests of images use, from the packages of Debian or Ubuntu: a
# registry, builders with and without a daemon, and a static busybox for images from scratch.
# Installs only what is missing, and starts nothing.
set -eu

missing=""
need() {
  command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}
PATH="$PATH:/usr/sbin:/sbin"
need docker-registry docker-registry
need dockerd docker.io
need buildah buildah
need podman podman
need htpasswd apache2-utils
need busybox busybox-static
if [ -z "$missing" ]; then
  exit 0
fi

if ! command -v apt-get >/dev/null 2>&1; then
  echo "tests/integration/images/setup.sh: there is no apt-get; install$missing" >&2
  exit 1
fi
as_root=""
if [ "$(id -u)" -ne 0 ]; then
  as_root="sudo"
fi
$as_root apt-get update -qq
# shellcheck disable=SC2086  # a list of packages
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing
