#!/bin/sh
# Builder stage: the locked packages, then the product, in an environment that is copied as it is.
# Usage: environment.sh packages|product UV_VERSION VENV, in the folder of pyproject.toml.
set -eu
what=$1 version=$2 venv=$3

uv=/opt/uv/bin/uv
if [ ! -x "$uv" ]; then
    python3 -m pip install --quiet --no-cache-dir --root-user-action ignore --disable-pip-version-check \
        --target /opt/uv "uv==$version"
fi
case $what in
    packages) set -- --no-install-project ;;
    product) set -- --no-editable ;;
    *) echo "environment.sh: packages or product, not $what" >&2; exit 1 ;;
esac
# Bytecode is compiled here: the user of the image may not write it.
UV_PROJECT_ENVIRONMENT=$venv UV_COMPILE_BYTECODE=1 UV_HTTP_TIMEOUT=180 \
    "$uv" sync --frozen --quiet --no-cache --no-dev --extra gs --extra s3 "$@" \
    --python "$(command -v python3)"
