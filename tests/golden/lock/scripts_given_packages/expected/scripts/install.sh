#!/bin/sh
apt-get update
apt-get install -y --no-install-recommends tini="0.19.0-1*" "$@"
