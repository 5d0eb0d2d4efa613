#!/bin/sh
# A TFX executor by its arguments alone, or any command: `kws ...`, `python -m ...`.
set -eu
case ${1-} in
    --executor_class_path | --executor_class_path=*)
        exec python -m pipeline.runners.kubeflow.entrypoint "$@" ;;
esac
exec "$@"
