#!/bin/sh
# Sets up .venv from uv.lock. Usage: UV_VERSION=x.y.z sh scripts/setup.sh PATH_OF_UV
# Every way to fail ends in one sentence that says what to do.
set -eu

uv=$1
tools=$(dirname "$(dirname "$uv")")

# Two at once (make run beside make test) would install over each other: the second one waits.
if [ -z "${SETUP_LOCKED:-}" ] && command -v flock >/dev/null 2>&1; then
    SETUP_LOCKED=1 exec flock .setup.lock sh "$0" "$@"
fi

stop() {
    echo "set-up: $1" >&2
    exit 1
}

# A build of one package (pyfarmhash, which TFX needs) compiles C++ against Python's headers.
command -v g++ >/dev/null 2>&1 ||
    stop "no C++ compiler found: install g++ (Debian, Ubuntu: apt-get install g++; macOS: xcode-select --install) and try again."

find_python() {
    for python in python3.10 python3 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.10.*/bin/python; do
        "$python" -c 'import sys; raise SystemExit(sys.version_info[:2] != (3, 10))' 2>/dev/null || continue
        # The real interpreter, not pyenv's shim, whose answer depends on the folder.
        "$python" -c 'import sys; print(sys.executable)'
        return
    done
}

has_headers() {
    "$1" -c 'import pathlib, sysconfig; raise SystemExit(not (pathlib.Path(sysconfig.get_path("include")) / "Python.h").is_file())'
}

python=$(find_python)
if [ -n "$python" ]; then
    has_headers "$python" ||
        stop "$python has no headers (Python.h): install them (Debian, Ubuntu: apt-get install python3.10-dev) and try again."
elif [ "${UV_PYTHON_DOWNLOADS:-automatic}" = never ]; then
    stop "no Python 3.10 on PATH or among pyenv's versions, and UV_PYTHON_DOWNLOADS=never forbids uv to bring one: install it (pyenv install 3.10) and try again."
fi

if [ ! -x "$uv" ] || [ "$("$uv" --version | cut -d' ' -f2)" != "$UV_VERSION" ]; then
    host=${python:-$(command -v python3 || command -v python || true)}
    [ -n "$host" ] || stop "no Python at all found: install Python 3.10 with pip and try again."
    echo "set-up: installing uv $UV_VERSION into $tools"
    rm -rf "$tools"
    "$host" -m pip install --quiet --disable-pip-version-check --target "$tools/lib" "uv==$UV_VERSION" ||
        stop "uv $UV_VERSION could not be installed: is pip there ($host -m pip) and is there a network?"
    mkdir -p "$tools/bin"
    ln -sf ../lib/bin/uv "$uv"
fi

echo "set-up: installing the locked packages into .venv"
# Compiled here on all cores: the first run imports half of the modules, and would compile them on one.
UV_COMPILE_BYTECODE=${UV_COMPILE_BYTECODE:-1} \
UV_HTTP_TIMEOUT=${UV_HTTP_TIMEOUT:-180} \
    "$uv" sync --frozen --quiet ${python:+--python "$python"} ||
    stop "the locked packages could not be installed: the lines above say which; without a network nothing can be, and a failed build of pyfarmhash means that g++ or Python's headers are missing."
echo "set-up: done"
