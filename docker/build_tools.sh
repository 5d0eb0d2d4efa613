#!/bin/sh
# Builder stage: what compiles pyfarmhash, which TFX needs and which has no wheel.
set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends g++ >/dev/null
rm -rf /var/lib/apt/lists/*
