FROM debian:trixie
RUN apt-get install -y curl jq
