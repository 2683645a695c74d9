#!/bin/bash
# pinner: suite=bookworm
set -e
packages="curl=7.88.1-10+deb12u14 jq=1.6-2.1+deb12u1"
bash -e <<EOF
apt-get update
apt-get install -y $packages \
    tzdata=2025b-0+deb12u2
EOF
sudo sh <<"EOF"
apt-get install -y jq=1.6-2.1+deb12u1
EOF
cat > /etc/setup.sh <<EOF
apt-get install -y tzdata
EOF
	EOF
chroot /mnt bash <<EOF
apt-get install -y tzdata
EOF
apt-get install -y libcurl4=7.88.1-10+deb12u14
