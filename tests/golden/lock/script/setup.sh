#!/bin/bash
# pinner: suite=bookworm
set -euo pipefail
if [[ "${ID:-}" == "debian" || "${ID:-}" = *"like"* ]]; then
    apt-get update
    apt-get install -y \
        curl \
        jq
fi
cat > /etc/x <<EOF
apt-get install -y tzdata
EOF
