#!/bin/bash
# pinner: suite=bookworm
set -euo pipefail
if [[ "${ID:-}" == "debian" || "${ID:-}" = *"like"* ]]; then
    apt-get update
    apt-get install -y \
        curl=7.88.1-10+deb12u14 \
        jq=1.6-2.1+deb12u1
fi
cat > /etc/x <<EOF
apt-get install -y tzdata
EOF
