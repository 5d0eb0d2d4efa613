#!/bin/sh
# Builds docker/Dockerfile in earnest where no registry of images can be reached: by buildah, from a
# base that debootstrap makes of Debian's packages and this machine's Python 3.10. Needs root.
# Usage: rehearse.sh FOLDER, which takes some 15 GB; leaves the image kws:rehearsal in FOLDER/storage.
set -eu
folder=$1
repository=$(cd "$(dirname "$0")/../.." && pwd)
base=$folder/base
mkdir -p "$folder"
buildah() { command buildah --root "$folder/storage" --runroot "$folder/run" "$@"; }

# What python:3.10-slim-bookworm is: Debian, the libraries of Python's modules, Python in /usr/local.
if [ ! -e "$base/usr/local/bin/python3.10" ]; then
    debootstrap --variant=minbase \
        --include=ca-certificates,libssl3,libffi8,libbz2-1.0,liblzma5,libsqlite3-0,libreadline8 \
        bookworm "$base" >"$folder/debootstrap.log"
    prefix=$("${PYTHON:-python3.10}" -c 'import sys; print(sys.base_prefix)')
    mkdir -p "$base/usr/local/bin"
    cp -a "$prefix/lib" "$prefix/include" "$base/usr/local/"
    find "$base/usr/local/lib/python3.10/site-packages" -mindepth 1 -maxdepth 1 \
        ! -name 'pip*' ! -name 'setuptools*' ! -name pkg_resources ! -name '_distutils_hack' \
        ! -name 'distutils-precedence.pth' -exec rm -rf {} +
    cp "$prefix/bin/python3.10" "$base/usr/local/bin/"
    ln -sf python3.10 "$base/usr/local/bin/python3"
    ln -sf python3.10 "$base/usr/local/bin/python"
    chroot "$base" ldconfig
fi
container=$(buildah from scratch)
buildah add --quiet "$container" "$base" / >/dev/null
buildah config --env PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
# uv has certificates of its own; a machine behind a proxy has other ones.
buildah config --env SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt "$container"
buildah commit --quiet --rm "$container" localhost/rehearsal-base >/dev/null

# How this machine reaches the packages is this machine's affair.
set --
for file in /etc/pip.conf /etc/ssl/certs /etc/apt/apt.conf.d; do
    [ -e "$file" ] && set -- "$@" --volume "$file:$file:ro"
done
cd "$repository"
buildah build --isolation chroot --network host --format docker "$@" \
    --build-arg BASE=localhost/rehearsal-base --build-arg COMMIT="$(git rev-parse HEAD)" \
    --file docker/Dockerfile --tag kws:rehearsal .
