#!/bin/sh
# Installs what the tests and benches use of Debian's packages, and oras where Go is present. Safe to run again.
# Needs root for the packages; `npm test` calls it when something is missing and it may.
set -eu

packages=""
need() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || packages="$packages $2"; }

need skopeo skopeo
need podman podman
need buildah buildah
need umoci umoci
need debootstrap debootstrap
need docker-registry docker-registry
need wrk wrk
need zstd zstd
need ruby ruby
need php php-cli
need rpmbuild rpm
need db_load db-util
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || packages="$packages postgresql"

if [ -n "$packages" ]; then
  echo "installing:$packages" >&2
  apt-get update -qq >&2
  # shellcheck disable=SC2086  # the list is split on purpose
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >&2
fi

tools="${XDG_CACHE_HOME:-$HOME/.cache}/breakwater-test-tools"
if ! command -v oras >/dev/null 2>&1 && [ ! -x "$tools/oras" ]; then
  if command -v go >/dev/null 2>&1; then
    mkdir -p "$tools"
    GOBIN="$tools" go install oras.land/oras/cmd/oras@v1.3.6 >&2 || echo "oras could not be built; its tests will be skipped" >&2
  else
    echo "oras is missing and there is no Go to build it with; its tests will be skipped" >&2
  fi
fi
