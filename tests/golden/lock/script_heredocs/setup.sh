#!/bin/bash
# pinner: suite=bookworm
set -e
packages="curl jq"
bash -e <<EOF
apt-get update
apt-get install -y $packages \
    tzdata
EOF
sudo sh <<"EOF"
apt-get install -y jq
EOF
cat > /etc/setup.sh <<EOF
apt-get install -y tzdata
EOF
	EOF
chroot /mnt bash <<EOF
apt-get install -y tzdata
EOF
apt-get install -y libcurl4
