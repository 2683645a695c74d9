"""A registry on loopback, and images made for it on demand.

A test makes an image of dictionaries, puts it into a `Registry`, does one line of mischief and runs the real client.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import sys
import tarfile
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
LAYER_TYPES = {
    (DOCKER, "gzip"): "application/vnd.docker.image.rootfs.diff.tar.gzip",
    (DOCKER, "plain"): "application/vnd.docker.image.rootfs.diff.tar",
    (DOCKER, "zstd"): "application/vnd.docker.image.rootfs.diff.tar.zstd",
    (OCI, "gzip"): "application/vnd.oci.image.layer.v1.tar+gzip",
    (OCI, "plain"): "application/vnd.oci.image.layer.v1.tar",
    (OCI, "zstd"): "application/vnd.oci.image.layer.v1.tar+zstd",
}

Content = str | bytes | None | tuple[str, str]


def tar(
    members: Mapping[str, Content] | Sequence[tuple[str, Content]], form: int = tarfile.PAX_FORMAT
) -> bytes:
    """A tar of files (text), directories (None), symlinks ("->", target) and hard links ("=", target)."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for name, content in members.items() if isinstance(members, Mapping) else members:
            member = tarfile.TarInfo(name)
            data = b""
            if content is None:
                member.type = tarfile.DIRTYPE
            elif isinstance(content, tuple):
                member.type = tarfile.SYMTYPE if content[0] == "->" else tarfile.LNKTYPE
                member.linkname = content[1]
            else:
                data = content.encode() if isinstance(content, str) else content
                member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


#: What the official images have for apt and dpkg, as debuerreotype and Ubuntu's image builds write it.
_OFFICIAL = Path(__file__).with_name("official")
_DEBIAN = {"bullseye": "11", "bookworm": "12", "trixie": "13"}
_UBUNTU = {"noble": "24.04"}


def official(codename: str, day: str = "20261117T000000Z") -> dict[str, Content]:
    """The files of an official image that decide what apt reads, of a Debian or an Ubuntu, byte for byte.

    Debian's name the snapshot of the `day` on which they were made.
    """

    def made(name: str) -> str:
        return (_OFFICIAL / name).read_text()

    names = ("docker-autoremove-suggests", "docker-clean", "docker-gzip-indexes", "docker-no-languages")
    files: dict[str, Content] = {f"etc/apt/apt.conf.d/{name}": made(name) for name in names}
    files["etc/dpkg/dpkg.cfg.d/docker-apt-speedup"] = made("docker-apt-speedup")
    folder = "etc/apt/sources.list.d"
    if codename in _UBUNTU:
        files |= {
            f"{folder}/ubuntu.sources": made("ubuntu.sources").replace("SUITE", codename),
            "etc/apt/sources.list": made("sources.list"),
            "etc/os-release": f'ID=ubuntu\nVERSION_ID="{_UBUNTU[codename]}"\nVERSION_CODENAME={codename}\n',
        }
        return files
    files["etc/os-release"] = f'ID=debian\nVERSION_ID="{_DEBIAN[codename]}"\nVERSION_CODENAME={codename}\n'
    live, then = "http://deb.debian.org", f"http://snapshot.debian.org/archive/%s/{day}"
    if codename == "bullseye":
        pairs = (("debian", ""), ("debian-security", "-security"), ("debian", "-updates"))
        files["etc/apt/sources.list"] = "".join(
            f"# deb {then % archive} {codename}{pocket} main\ndeb {live}/{archive} {codename}{pocket} main\n"
            for archive, pocket in pairs
        )
        return files
    keyring = f"/usr/share/keyrings/debian-archive-keyring.{'gpg' if codename == 'bookworm' else 'pgp'}"
    groups = (("debian", f"{codename} {codename}-updates"), ("debian-security", f"{codename}-security"))
    files[f"{folder}/debian.sources"] = "\n".join(
        f"Types: deb\n# {then % archive}\nURIs: {live}/{archive}\nSuites: {suites}\nComponents: main\n"
        f"Signed-By: {keyring}\n"
        for archive, suites in groups
    )
    return files


def packed(content: bytes, how: str, window: int = 21) -> bytes:
    if how == "gzip":
        return gzip.compress(content, 6, mtime=0)
    options: dict[int, int] = {zstd.CompressionParameter.window_log: window}
    return zstd.compress(content, options=options) if how == "zstd" else content


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def descriptor(content: bytes, media_type: str) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest(content), "size": len(content)}


@dataclass
class Made:
    """An image's documents and blobs."""

    manifest: bytes
    media_type: str
    config: bytes
    layers: list[bytes]
    platform: str

    @property
    def digest(self) -> str:
        return digest(self.manifest)


def make(
    *layers: Mapping[str, Content] | Sequence[tuple[str, Content]] | bytes,
    platform: str = "linux/amd64",
    packing: str = "gzip",
    media_type: str = DOCKER,
    history: Sequence[str] = (),
    labels: Mapping[str, str] | None = None,
) -> Made:
    """An image of `layers`, the lowest first; one given as bytes is taken as packed already."""
    plain = [layer if isinstance(layer, bytes) else tar(layer) for layer in layers]
    blobs = [
        layer if isinstance(layer, bytes) else packed(content, packing)
        for layer, content in zip(layers, plain, strict=True)
    ]
    os, architecture, *variant = platform.split("/")
    config = json.dumps(
        {
            "os": os,
            "architecture": architecture,
            **({"variant": variant[0]} if variant else {}),
            "config": {"Labels": dict(labels) if labels else None},
            "rootfs": {"type": "layers", "diff_ids": [digest(content) for content in plain]},
            "history": [{"created_by": step} for step in history],
        }
    ).encode()
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": media_type,
            "config": descriptor(config, "application/vnd.docker.container.image.v1+json"),
            "layers": [descriptor(blob, LAYER_TYPES[media_type, packing]) for blob in blobs],
        }
    ).encode()
    return Made(manifest, media_type, config, blobs, platform)


def index(*images: Made, media_type: str = DOCKER_LIST, named: bool = True) -> bytes:
    """A manifest list; without `named` its entries do not say their platforms."""
    entries = []
    for image in images:
        os, architecture, *variant = image.platform.split("/")
        about = {"os": os, "architecture": architecture, **({"variant": variant[0]} if variant else {})}
        entries.append(descriptor(image.manifest, image.media_type) | ({"platform": about} if named else {}))
    return json.dumps({"schemaVersion": 2, "mediaType": media_type, "manifests": entries}).encode()


@dataclass
class Request:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass
class Reply:
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None  # after how many bytes of the body the connection breaks


class Registry:
    """A registry; `mischief` may answer a request in its place. `log` holds all requests.

    With `login` it asks for a token (`auth = "bearer"`) or for that login itself (`"basic"`).
    """

    def __init__(self) -> None:
        self.documents: dict[str, tuple[bytes, str]] = {}
        self.blobs: dict[str, bytes] = {}
        self.log: list[Request] = []
        self.auth = ""
        self.login: tuple[str, str] | None = None
        self.identity = ""
        self.mischief: Callable[[Request], Reply | None] = lambda request: None
        self.address = ""

    @property
    def host(self) -> str:
        return self.address.removeprefix("http://")

    def put(self, name: str, *images: Made, top: bytes = b"", media_type: str = DOCKER_LIST) -> str:
        """Stores images, and `top` (or the one image) as `name` (`repository:tag`); the digest of that."""
        repository, _, tag = name.partition(":")
        for image in images:
            for blob in (image.config, *image.layers):
                self.blobs[f"{repository}/{digest(blob)}"] = blob
            self.documents[f"{repository}/{image.digest}"] = image.manifest, image.media_type
        document = (top, media_type) if top else (images[0].manifest, images[0].media_type)
        self.documents[f"{repository}/{tag}"] = self.documents[f"{repository}/{digest(document[0])}"] = (
            document
        )
        return digest(document[0])

    def asked(self, pattern: str) -> list[Request]:
        """The requests whose `METHOD path` has `pattern`."""
        return [one for one in self.log if re.search(pattern, f"{one.method} {one.path}")]

    def answer(self, request: Request) -> Reply:
        self.log.append(request)
        if reply := self.mischief(request):
            return reply
        if request.path.startswith("/token"):
            return self._token(request)
        authorization = request.headers.get("Authorization", "")
        if self.auth == "bearer" and authorization != "Bearer opened":
            realm = f'Bearer realm="{self.address}/token",service="stand-in"'
            return Reply(401, b"{}", {"WWW-Authenticate": realm})
        if self.auth == "basic" and authorization != self._basic():
            return Reply(401, b"{}", {"WWW-Authenticate": 'Basic realm="stand-in"'})
        match = re.fullmatch(r"/v2/(.+)/(manifests|blobs)/([^/?]+)", request.path)
        if not match:
            return Reply(404)
        key = f"{match[1]}/{match[3]}"
        if match[2] == "manifests" and key in self.documents:
            body, media_type = self.documents[key]
            if media_type not in request.headers.get("Accept", ""):
                return Reply(404)
            return Reply(200, body, {"Content-Type": media_type, "Docker-Content-Digest": digest(body)})
        if match[2] == "blobs" and key in self.blobs:
            return self.part(self.blobs[key], request)
        return Reply(404)

    @staticmethod
    def part(body: bytes, request: Request) -> Reply:
        wish = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
        if not wish:
            return Reply(200, body)
        start = int(wish[1])
        return Reply(206, body[start:], {"Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}"})

    def _basic(self) -> str:
        user, password = self.login or ("", "")
        return f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"

    def _token(self, request: Request) -> Reply:
        if self.identity:
            opened = request.method == "POST" and f"refresh_token={self.identity}" in request.body.decode()
        else:
            opened = self.login is None or request.headers.get("Authorization") == self._basic()
        return Reply(200, b'{"token": "opened"}') if opened else Reply(401, b"{}")


@contextmanager
def serve(registry: Registry) -> Iterator[Registry]:
    """Puts `registry` on a free port of the loopback."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def handle_all(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            request = Request(self.command, self.path, dict(self.headers.items()), self.rfile.read(length))
            reply = registry.answer(request)
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.body[: reply.cut])
            if reply.cut is not None:
                self.close_connection = True

        do_GET = do_HEAD = do_POST = handle_all  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            pass  # a client that hangs up is none: what it prints would stand in the client's own errors

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    registry.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield registry
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
