FROM debian:trixie
RUN apt-get install -y curl=8.14.1-2+deb13u1 jq=1.7.1-6
