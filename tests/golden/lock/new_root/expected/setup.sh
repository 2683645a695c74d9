#!/bin/sh
# The suite of the script is not that of the roots which it makes.
apt-get install -y jq
mmdebstrap --variant=minbase --include=curl=7.88.1-10+deb12u14,jq=1.6-2.1+deb12u1 bookworm "$1"
mmdebstrap --include='jq=1.7.1-6' trixie root.tar http://deb.debian.org/debian
debootstrap --include=jq bookworm root
