"""What scripts/bench.py measures with: Dockerfiles as long and mixed as real ones, a link with a rate and a delay."""

from __future__ import annotations

import random
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

#: Packages that both distributions have.
NAMES = " ".join(
    (
        "apt-utils autoconf automake bison build-essential bzip2 ca-certificates cmake cron curl dirmngr",
        "dnsutils file flex fontconfig g++ gcc gettext git gnupg graphviz htop imagemagick iproute2 iputils-ping",
        " jq less libbz2-dev libcurl4-openssl-dev libevent-dev libffi-dev libfreetype6-dev libgmp-dev",
        "libicu-dev libjpeg-dev libmagic1 libpng-dev libpq-dev libreadline-dev libsqlite3-dev libssl-dev",
        "libtool libxml2-dev libxslt1-dev libyaml-dev locales make nano netcat-openbsd nginx openssh-client",
        "patch pkg-config postgresql-client procps python3 python3-dev python3-pip python3-venv rsync sqlite3",
        "sudo supervisor tar tini tzdata unzip vim wget xz-utils zip zlib1g-dev zsh",
    )
).split()
_IMAGES = ("debian:bookworm-slim", "debian:trixie", "ubuntu:22.04", "ubuntu:noble", "python:3.12-bookworm")
_PROSE = (
    "This image is built by the platform team; see the internal documentation before any of it is changed.",
    "The order of the steps below is chosen so that layers which rarely change come first and stay in the cache.",
    "Do not remove the version of this tool without asking: later steps rely on the output of exactly this one.",
)
_THIRD_PARTY = (
    "RUN curl -fsSL https://deb.nodesource.com/setup_20.x | bash - \\\n    && apt-get install -y nodejs \\\n"
    "    && rm -rf /var/lib/apt/lists/*",
    "RUN install -m 0755 -d /etc/apt/keyrings \\\n"
    "    && curl -fsSL https://download.docker.com/linux/debian/gpg -o /etc/apt/keyrings/docker.asc \\\n"
    '    && echo "deb [arch=$(dpkg --print-architecture) signed-by=/etc/apt/keyrings/docker.asc] '
    'https://download.docker.com/linux/debian $(. /etc/os-release && echo "$VERSION_CODENAME") stable" '
    "> /etc/apt/sources.list.d/docker.list \\\n    && apt-get update && apt-get install -y docker-ce-cli",
    "RUN wget -qO- https://www.postgresql.org/media/keys/ACCC4CF8.asc | tee /etc/apt/trusted.gpg.d/pgdg.asc \\\n"
    '    && echo "deb http://apt.postgresql.org/pub/repos/apt bookworm-pgdg main" > /etc/apt/sources.list.d/pgdg.list',
)
_OTHER = (
    "RUN pip install --no-cache-dir --upgrade pip setuptools wheel && pip install --no-cache-dir -r requirements.txt",
    "RUN npm ci --omit=dev && npm run build && npm cache clean --force",
    "RUN mkdir -p /app/data /app/logs && chown -R 1000:1000 /app && chmod 0755 /app/data",
    "RUN git clone --depth 1 https://github.com/example/tool.git /tmp/tool && cd /tmp/tool && make && make install",
    "RUN sed -i 's/^# *\\(en_US.UTF-8\\)/\\1/' /etc/locale.gen && locale-gen && update-locale LANG=en_US.UTF-8",
    "RUN useradd --create-home --shell /bin/bash --uid 1000 app && echo 'app ALL=(ALL) ALL' > /etc/sudoers.d/app",
    "COPY --chown=1000:1000 . /app",
    "COPY config/nginx.conf /etc/nginx/conf.d/default.conf",
    "WORKDIR /app",
    'ENV PATH="/app/bin:${PATH}" PYTHONUNBUFFERED=1 NODE_ENV=production',
    "EXPOSE 8080 9090",
    'LABEL org.opencontainers.image.source="https://github.com/example/app" org.opencontainers.image.licenses="MIT"',
    "ARG VERSION=1.2.3",
)


def dockerfile(number: int, *, third_party: bool = True) -> str:
    """A Dockerfile of 4 to 5 kB: two stages, some 40 instructions, long comments, other repositories if wanted."""
    pick = random.Random(number)
    parts = [*(f"# {pick.choice(_PROSE)}" for _ in range(4)), "ARG DEBIAN_FRONTEND=noninteractive"]
    for stage in range(2):
        parts.append(f"FROM {pick.choice(_IMAGES)}" + (" AS build" if stage == 0 else ""))
        for size in (12, 5)[stage:]:
            parts += (f"# {pick.choice(_PROSE)}", _install(pick.sample(NAMES, size)))
        other = pick.choice(_THIRD_PARTY)
        parts += [other] if third_party else []
        for _ in range(14):
            if pick.random() < 0.1:
                parts.append(f"# {pick.choice(_PROSE)}")
            parts.append(pick.choice(_OTHER))
    parts.append(
        'HEALTHCHECK CMD curl -f http://localhost:8080/ || exit 1\nENTRYPOINT ["/usr/bin/tini", "--"]'
    )
    return "\n".join(parts) + '\nCMD ["/app/bin/serve"]\n'


def repository(folder: Path, number: int) -> None:
    """A work tree of git of six files that install packages of Debian, and twenty others."""
    pick = random.Random(number)
    image, names = (
        f"debian:{pick.choice(('bookworm-slim', 'trixie', 'bookworm'))}",
        partial(pick.sample, NAMES),
    )
    whole = dockerfile(number, third_party=False)
    for ubuntu, debian in (("ubuntu:22.04", "debian:bookworm"), ("ubuntu:noble", "debian:trixie")):
        whole = whole.replace(ubuntu, debian)
    install = "apt-get update && apt-get install -y"
    texts = {
        "Dockerfile": whole,
        "worker/Dockerfile": f"FROM {image}\n{_install(names(8))}\nCOPY . /app\nCMD /app/run\n",
        "docs/Dockerfile": f"FROM {image}\nRUN {install} {' '.join(names(4))}\n",
        "tests/Dockerfile": f"FROM debian:trixie-slim\nRUN {install} {' '.join(names(6))} && apt-get clean\n",
        "scripts/setup.sh": f"#!/bin/bash\n# pinner: suite=bookworm\nset -e\nsudo {install} {' '.join(names(5))}\n",
        ".github/workflows/ci.yml": "jobs:\n  test:\n    runs-on: ubuntu-latest\n    container: debian:bookworm\n"
        f"    steps:\n      - run: {install} {' '.join(names(4))}\n",
        ".git/HEAD": "ref: refs/heads/main\n",
        ".git/config": "[core]\n\trepositoryformatversion = 0\n",
        **{f"src/module{each}.py": f"print({each})\n" for each in range(20)},
    }
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    for name in ("objects", "refs"):
        (folder / ".git" / name).mkdir()


def _install(names: list[str]) -> str:
    lines = [f"        {name} \\\n" for name in names]
    lines.insert(5, "        # needed to build\n")
    middle = "".join(lines)
    return (
        "RUN apt-get update \\\n    && apt-get install -y --no-install-recommends \\\n"
        f"{middle}    && apt-get clean \\\n    && rm -rf /var/lib/apt/lists/* /tmp/* /var/tmp/*"
    )


class Link:
    """A proxy for http with the rate (bits a second) and round-trip time (seconds) of a link, shared by all
    connections, whose windows begin small (RFC 6928). What it fetches is kept: then only the link counts."""

    def __init__(self, rate: float, rtt: float) -> None:
        self.rate, self.rtt = rate / 8, rtt
        self._kept: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self._lock = threading.Lock()
        self._free = 0.0
        self.sent = 0  # bytes of bodies

    def pause(self, size: int) -> None:
        """Waits until the link has room for the bytes."""
        with self._lock:
            now = time.monotonic()
            self.sent += size
            self._free = max(self._free, now) + size / self.rate
            wait = self._free - now
        time.sleep(wait)

    def fetched(self, url: str) -> tuple[int, dict[str, str], bytes]:
        """The answer at an address."""
        if url not in self._kept:
            direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            try:
                with direct.open(url, timeout=60) as answer:
                    self._kept[url] = answer.status, dict(answer.headers), answer.read()
            except urllib.error.HTTPError as error:
                self._kept[url] = error.code, {}, b""
        return self._kept[url]

    @contextmanager
    def serve(self) -> Iterator[str]:
        """The proxy's address, while it runs."""
        link = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                status, headers, body = link.fetched(self.path)
                time.sleep(link.rtt)
                same = (
                    headers.get("Last-Modified")
                    and self.headers.get("If-Modified-Since") == headers["Last-Modified"]
                )
                if same or (headers.get("ETag") and self.headers.get("If-None-Match") == headers["ETag"]):
                    status, body = 304, b""
                self.send_response(status)
                for name in ("ETag", "Last-Modified", "Content-Type"):
                    if name in headers:
                        self.send_header(name, headers[name])
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                window, sent = 14_600, 0
                while sent < len(body):
                    piece = body[sent : sent + min(window, 65_536)]
                    link.pause(len(piece))
                    self.wfile.write(piece)
                    sent += len(piece)
                    if window < link.rate * link.rtt:
                        time.sleep(link.rtt)
                        window *= 2

            def log_message(self, format: str, *args: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
