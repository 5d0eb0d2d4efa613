#!/bin/sh
# Builds the image by docker, podman or buildah, whichever is there, from a clean checkout.
# Usage: docker/build.sh REGISTRY/kws:TAG [more options of the engine]
set -eu
[ $# -ge 1 ] || { echo "usage: docker/build.sh REGISTRY/kws:TAG [options]" >&2; exit 1; }
tag=$1
shift
cd "$(dirname "$0")/.."

for engine in ${KWS_ENGINE:-docker podman buildah}; do
    command -v "$engine" >/dev/null 2>&1 && break
    engine=
done
[ -n "$engine" ] || { echo "docker/build.sh: no docker, podman or buildah here" >&2; exit 1; }

commit=$(git rev-parse HEAD 2>/dev/null || true)
if [ -n "$commit" ] && [ -n "$(git status --porcelain --untracked-files=no)" ]; then
    echo "docker/build.sh: files differ from commit $commit: commit them first" >&2
    exit 1
fi
# Health checks are of docker's format of images; the others leave them out unless they are asked.
set -- --build-arg "COMMIT=$commit" "$@"
[ "$engine" = docker ] || set -- --format docker "$@"
exec "$engine" build --file docker/Dockerfile --tag "$tag" "$@" .
