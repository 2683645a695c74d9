#!/bin/sh
# The suite of the script is not that of the roots which it makes.
apt-get install -y jq
mmdebstrap --variant=minbase --include=curl,jq bookworm "$1"
mmdebstrap --include='jq' trixie root.tar http://deb.debian.org/debian
debootstrap --include=jq bookworm root
