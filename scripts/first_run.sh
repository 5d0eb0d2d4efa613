#!/usr/bin/env bash
# Tries the README's two commands as a new user would, and prints what they took.
#
#     scripts/first_run.sh [--keep FOLDER] [run] [test]      (make first-run: both)
#
# The committed state is cloned into an empty folder; HOME is empty, so there are no caches of
# packages, voices or anything else, and nothing of this checkout's .venv is used. What says how the
# network is reached (proxies, certificates, settings of pip and uv) is passed on. Times are those of
# all processes together; set-up is part of the first command.
set -euo pipefail

keep=""
commands=()
while [ $# -gt 0 ]; do
    case $1 in
    --keep) keep=${2:?--keep needs a folder} && shift ;;
    run | test) commands+=("$1") ;;
    *) echo "first_run: $1 is not known: scripts/first_run.sh [--keep FOLDER] [run] [test]" >&2 && exit 2 ;;
    esac
    shift
done
[ ${#commands[@]} -gt 0 ] || commands=(run test)

repository=$(git -C "$(dirname "$0")" rev-parse --show-toplevel)
git -C "$repository" diff --quiet HEAD ||
    echo "first_run: changes that are not committed are not part of it" >&2

if [ -n "$keep" ]; then
    mkdir -p "$keep"
    folder=$(cd "$keep" && pwd)
    [ -z "$(ls -A "$folder")" ] || { echo "first_run: $folder is not empty" >&2 && exit 2; }
else
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
fi
mkdir "$folder/home" "$folder/tmp"
git clone --quiet --no-hardlinks "$repository" "$folder/kws"

environment=("HOME=$folder/home" "TMPDIR=$folder/tmp" "LANG=C.UTF-8")
path=$(printf '%s' "$PATH" | tr ':' '\n' | grep -v '/\.venv/' | paste -sd:)
environment+=("PATH=$path")
# An installed Python is part of the machine, though pyenv keeps it below HOME.
pyenv=${PYENV_ROOT:-$HOME/.pyenv}
[ ! -d "$pyenv" ] || environment+=("PYENV_ROOT=$pyenv")
while IFS= read -r -d '' variable; do
    environment+=("$variable")
done < <(env -0 | grep -zE '^(PIP_|UV_|SSL_CERT_|CURL_CA_BUNDLE|REQUESTS_CA_BUNDLE|(https?|no|all)_proxy|(HTTPS?|NO|ALL)_PROXY)' | grep -zvE '^UV_(CACHE_DIR|PROJECT_ENVIRONMENT)=|^PIP_CACHE_DIR=')

failed=0
TIMEFORMAT='%R %U %S'
for command in "${commands[@]}"; do
    echo "== make $command"
    status=0
    { time (cd "$folder/kws" && env -i "${environment[@]}" make "$command" 2>&1 | tee "$folder/$command.log" >&3); } \
        3>&1 2>"$folder/$command.time" || status=$?
    case $command in
    run) verdict=$(grep -qw PUSHED "$folder/run.log" && [ $status = 0 ] && echo PUSHED || echo "not PUSHED") ;;
    test) verdict=$([ $status = 0 ] && echo passed || echo failed) ;;
    esac
    [ $status = 0 ] || failed=1
    tail -n 1 "$folder/$command.time" | awk -v what="make $command" -v verdict="$verdict" \
        '{ printf "== %s: %s, %.0f s, %.0f s of processor time\n", what, verdict, $1, $2 + $3 }'
done
exit $failed
