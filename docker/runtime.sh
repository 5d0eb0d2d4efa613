#!/bin/sh
# Final stage: a user without rights, and folders that whoever runs the image may write to: clusters
# run it as a user of any number (OpenShift), mostly of group 0. Nothing is installed.
set -eu
groupadd --gid 10001 kws
useradd --uid 10001 --gid 10001 --no-log-init --home-dir /home/kws --shell /usr/sbin/nologin kws
# The last three are where the launcher of Kubeflow Pipelines keeps a task's files; only later
# versions of the server lay volumes there.
for folder in /home/kws /home/kws/cache /gcs /s3 /minio; do
    mkdir -p "$folder"
    chown 10001:0 "$folder"
    chmod 1777 "$folder"
done
