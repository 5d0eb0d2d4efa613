#!/bin/sh
# Final stage: a user without rights and a home that is its own. Nothing is installed.
set -eu
groupadd --gid 10001 kws
useradd --uid 10001 --gid 10001 --no-log-init --home-dir /home/kws --shell /usr/sbin/nologin kws
mkdir -p /home/kws/cache
chown -R 10001:10001 /home/kws
chmod 0750 /home/kws
