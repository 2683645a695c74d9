# The image of pinner: Debian's own Python and git, pinner's wheels by their hashes, nobody's root.
# Its apt packages are pinned and locked by pinner itself: `pinner refresh Dockerfile` moves them.
#
#   docker build -t pinner .
#   docker run --rm -v "$PWD:/work" -v pinner-cache:/cache pinner verify
FROM debian:trixie-slim AS base
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        ca-certificates=20250419+deb13u1 \
        git=1:2.47.3-0+deb13u1 \
        libpython3-stdlib=3.13.5-1 \
        python3-minimal=3.13.5-1 \
    # git's own commands in Perl, its servers and its manuals are not needed here.
    && dpkg --purge --force-depends perl perl-modules-5.40 libperl5.40 liberror-perl \
    && cd /usr/lib/git-core && rm -f /usr/bin/scalar /usr/bin/git-shell scalar git-daemon git-http-backend \
        git-http-fetch git-http-push git-imap-send git-shell \
    && rm -rf /usr/share/doc/git* /usr/share/man /usr/share/locale /usr/share/gitweb /var/cache/debconf/*-old \
        /var/lib/apt/lists/* /var/cache/apt/* /var/log/*

FROM debian:trixie-slim AS wheels
RUN apt-get update && apt-get install -y --no-install-recommends python3-pip=25.1.1+dfsg-1
COPY scripts/requirements.txt /requirements.txt
RUN pip install --no-cache-dir --no-compile --only-binary :all: --require-hashes --target /opt/pinner \
    -r /requirements.txt

FROM base
COPY --from=wheels /opt/pinner /opt/pinner
COPY pinner /opt/pinner/pinner
RUN python3 -I -m compileall -q /opt/pinner && mkdir -m 1777 /cache && printf '%s\n' '#!/usr/bin/python3 -I' \
        'import sys' 'sys.path.insert(0, "/opt/pinner")' 'from pinner.cli.main import main' 'main()' > /usr/bin/pinner \
    && chmod +x /usr/bin/pinner
ENV PYTHONDONTWRITEBYTECODE=1 PINNER_CACHE_DIR=/cache HOME=/tmp
USER 65532:65532
WORKDIR /work
ENTRYPOINT ["pinner"]
CMD ["--help"]
