#!/bin/sh
# Installs what tests use, from the packages of Debian or Ubuntu:
#   setup.sh browser|images|servers|shells...
# browser: the Chromium that is driven; images: a registry, builders with and without a daemon,
# and a static busybox for images from scratch; servers: those that types of servers run, with
# their clients; shells: those that completion is tried in. Installs only what is missing, and starts nothing. BuildKit and MinIO are in no
# package: Go builds them into score-flyio-tests/bin of the cache folder, which takes some minutes
# once.
set -eu

missing=""
modules=""
programs="${XDG_CACHE_HOME:-$HOME/.cache}/score-flyio-tests/bin"
PATH="$PATH:/usr/sbin:/sbin:$programs"
built() {
  [ -x "$programs/$1" ] || modules="$modules $2"
}
need() {
  command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}
for part in "$@"; do
  case "$part" in
    browser)
      command -v chromium-browser >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1 ||
        need chromium "chromium fonts-dejavu-core"
      ;;
    images)
      need docker-registry docker-registry
      need dockerd docker.io
      need buildah buildah
      need podman podman
      need htpasswd apache2-utils
      need mmdebstrap mmdebstrap
      need busybox busybox-static
      need runc runc
      if ! { command -v buildctl && command -v buildkitd; } >/dev/null 2>&1; then
        built buildctl github.com/moby/buildkit/cmd/buildctl@v0.12.5
        built buildkitd github.com/moby/buildkit/cmd/buildkitd@v0.12.5
      fi
      ;;
    servers)
      need redis-server redis-server
      need mariadbd mariadb-server
      need rabbitmq-server rabbitmq-server
      built minio github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c
      built mc github.com/minio/mc@v0.0.0-20250313080218-cf909e1063a9
      ;;
    shells)
      need zsh zsh
      need fish fish
      ;;
    *)
      echo "tests/setup.sh: there is no part $part; give browser, images, servers or shells" >&2
      exit 2
      ;;
  esac
done
build_modules() {
  if [ -z "$modules" ]; then
    return 0
  fi
  if ! command -v go >/dev/null 2>&1; then
    echo "tests/setup.sh: there is no go to build$modules" >&2
    return 1
  fi
  for module in $modules; do
    GOBIN="$programs" CGO_ENABLED=0 go install "$module"
  done
}

if [ -z "$missing" ]; then
  build_modules
  exit
fi

if ! command -v apt-get >/dev/null 2>&1; then
  echo "tests/setup.sh: there is no apt-get; install$missing" >&2
  exit 1
fi
as_root=""
if [ "$(id -u)" -ne 0 ]; then
  as_root="sudo"
fi
# Without this, packages of servers start them.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
  $as_root chmod +x "$policy"
  trap '$as_root rm -f "$policy"' EXIT
fi
$as_root apt-get update -qq
# shellcheck disable=SC2086  # a list of packages
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing
build_modules
