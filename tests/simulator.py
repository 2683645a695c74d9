"""An archive that signs on demand and is served over real HTTP, so that a test is one line of mischief.

    archive = SimulatedArchive()
    bookworm = archive.suite("bookworm")
    bookworm.package("curl", "7.88.1-10", depends="libc6").package("gawk", "1:5.2.1-2+b1", arch="amd64")
    archive.suite("bookworm-security", path="debian-security").package("curl", "7.88.1-10+deb12u5")
    with archive.serve() as url:
        Archive(tmp_path, now=archive.now, wait=archive.wait).load([bookworm.source("amd64")])

The unmodified client runs against it. Everything is made when it is asked for, from the values of that moment:
change a suite, `archive.now` or the mischief between two requests and the next answer differs. What a client would
sleep goes to `archive.waits`, what it asked for is in `archive.requests`. To run code that names the official hosts,
give it `archive.mirrors` and `archive.keys`.

Mischief takes a glob over URL paths (`*/InRelease`, `*/Packages.xz`; by-hash requests go by the path of the file that
they mean) and how many times it happens (default: always); the first that fits is used:

    archive.missing("*/InRelease")                  archive.status("*", 503, times=2, retry_after="7")
    archive.alter("*/InRelease", lambda body: …)    archive.cut("*/Packages.xz", at=100)
    archive.reset("*/InRelease", times=1)           archive.stall("*")           archive.drip("*")
    archive.replay("*/InRelease")                   archive.redirect("*/InRelease", "/elsewhere")

And of a suite: `fields` (of the Release; None takes one away), `date`, `valid_for`, `by_hash`, `listed`, `served`,
`signers`, `misstated`.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import socket
import struct
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from functools import cache, partial
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd
from pysequoia import ArmorKind, Profile, SignatureMode, Tsk, armor, sign
from pysequoia.packet import PacketPile

from pinner.apt.sources import Keys, Source

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
_PACK: Mapping[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".xz": lambda plain: lzma.compress(plain, preset=0),
    ".gz": lambda plain: gzip.compress(plain, mtime=0),
    ".bz2": bz2.compress,
    ".zst": lambda plain: zstd.compress(plain),
}


@cache
def _packed(form: str, plain: bytes) -> bytes:
    return _PACK[form](plain)


class Key:
    """A key that signs; without `expires_after` it never expires."""

    def __init__(self, owner: str = "Test Archive", *, expires_after: timedelta | None = None) -> None:
        seconds = int(expires_after.total_seconds()) if expires_after else None
        self._secret = Tsk.generate(user_id=owner, profile=Profile.RFC4880, validity_seconds=seconds)
        self.certificate = self._secret.extract_certificate()
        self.fingerprint = self.certificate.fingerprint.upper()

    def clear_sign(self, text: bytes) -> bytes:
        """An InRelease."""
        return sign(self._secret.signer(), text, mode=SignatureMode.CLEAR)

    def detached(self, text: bytes) -> bytes:
        """A Release.gpg."""
        return sign(self._secret.signer(), text, mode=SignatureMode.DETACHED)

    def revoked(self) -> bytes:
        """The content of a keyring that holds the certificate with its revocation."""
        return bytes(self.certificate) + bytes(self.certificate.revoke(self._secret.certifier()))


def _digest(field: str, content: bytes) -> str:
    return hashlib.new(field, content).hexdigest()


@dataclass
class SimulatedSuite:
    """A suite: its stanzas, and everything that its Release may say of them."""

    archive: SimulatedArchive
    name: str
    path: str
    architectures: tuple[str, ...]
    components: list[str]
    date: datetime | None = None  # None: an hour before `archive.now`
    valid_for: timedelta | None = None
    fields: dict[str, str | None] = field(default_factory=dict)
    by_hash: bool = True
    hashes: tuple[str, ...] = ("SHA256",)  # of the Release and of the stanzas that are added from then on
    listed: tuple[str, ...] = ("", ".xz")
    served: tuple[str, ...] = (".xz",)
    signers: list[Key] = field(default_factory=list)
    flat: bool = False  # one Packages file for all architectures, at `path` itself
    misstated: dict[str, tuple[int, str]] = field(default_factory=dict)  # path: (size, digest) in the Release
    stanzas: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    @property
    def uri(self) -> str:
        """Where it is served."""
        return f"{self.archive.url}/{self.path}"

    @property
    def root(self) -> str:
        """The URL path of its directory."""
        return f"/{self.path}/" if self.flat else f"/{self.path}/dists/{self.name}/"

    def source(self, arch: str, *components: str, check_valid_until: bool = True) -> Source:
        """What a sources file would say of it."""
        return Source(
            self.uri,
            "./" if self.flat else self.name,
            () if self.flat else components or ("main",),
            arch,
            self.archive.keys,
            check_valid_until=check_valid_until,
        )

    def package(
        self, name: str, version: str, *, arch: str = "any", component: str = "main", **fields: str | int
    ) -> SimulatedSuite:
        """Adds a stanza: to each architecture's index for `any` and `all`, else to one. `pre_depends="x"` is
        `Pre-Depends: x`; Filename, Size and SHA256 are made up unless given."""
        given = {
            key.replace("_", "-").title().replace("Sha", "SHA"): str(value) for key, value in fields.items()
        }
        for index in self.architectures if arch in ("any", "all") else (arch,):
            own = index if arch == "any" else arch
            content = f"{name} {version} {own}".encode()
            letter = name[:4] if name.startswith("lib") else name[:1]
            made_up = {
                "Architecture": own,
                "Filename": f"pool/{component}/{letter}/{name}/{name}_{version.partition(':')[2] or version}_{own}.deb",
                "Size": str(len(content) * 1000),
                **{name: _digest(name, content) for name in self.hashes},
            }
            stanza = {"Package": name, "Version": version} | made_up | given
            self.stanza(
                "".join(f"{key}: {value}\n" for key, value in stanza.items()), arch=index, component=component
            )
        return self

    def deb(
        self, name: str, version: str, *, arch: str = "any", size: int = 200_000, **fields: str
    ) -> SimulatedSuite:
        """Adds a package whose .deb is served: `size` bytes, others for each version and architecture."""
        for index in self.architectures if arch == "any" else (arch,):
            own = "all" if arch == "all" else index
            filename = f"pool/main/{name[0]}/{name}/{name}_{version.partition(':')[2] or version}_{own}.deb"
            seed = sha256(f"{name} {version} {own}".encode()).digest()
            content = (seed * (size // len(seed) + 1))[:size]
            self.archive.pool[f"/{self.path}/{filename}"] = content
            self.package(
                name,
                version,
                arch=index if arch == "any" else arch,
                filename=filename,
                size=size,
                **{name.lower(): _digest(name, content) for name in self.hashes},
                **fields,
            )
        return self

    def stanza(self, text: str, *, arch: str, component: str = "main") -> SimulatedSuite:
        """Adds the text of a stanza, as it is."""
        if component not in self.components:
            self.components.append(component)
        self.stanzas.setdefault((component, arch), []).append(text)
        return self

    def remove(self, name: str) -> SimulatedSuite:
        """Takes all versions of a package away."""
        for stanzas in self.stanzas.values():
            stanzas[:] = [text for text in stanzas if f"\nPackage: {name}\n" not in f"\n{text}"]
        return self

    def files(self) -> dict[str, bytes]:
        """The suite's directory apart from the Release files: each form of each Packages file."""
        plain = {
            f"{component}/binary-{arch}/Packages": "\n".join(self.stanzas.get((component, arch), [])).encode()
            for component in self.components
            for arch in self.architectures
        }
        plain |= {
            f"{component}/source/Sources": "\n".join(texts).encode()
            for (component, arch), texts in self.stanzas.items()
            if arch == "source"
        }
        if self.flat:
            stanzas = dict.fromkeys(text for group in self.stanzas.values() for text in group)
            plain = {"Packages": "\n".join(stanzas).encode()}
        forms = {*self.listed, *self.served}
        return {path + form: _packed(form, content) for path, content in plain.items() for form in forms}

    def release(self) -> bytes:
        """The text of the Release."""
        date = self.date or self.archive.now - timedelta(hours=1)
        fields: dict[str, str | None] = {
            "Origin": "Simulated",
            "Label": "Simulated",
            "Suite": self.name,
            "Codename": self.name,
            "Date": _date(date),
            "Valid-Until": _date(date + self.valid_for) if self.valid_for else None,
            "Acquire-By-Hash": "yes" if self.by_hash else None,
            "Architectures": " ".join(self.architectures),
            "Components": " ".join(self.components),
        }
        for name in self.hashes:
            fields[name] = "".join(
                f"\n {digest} {size} {path}"
                for path, content in self.files().items()
                if _form(path) in self.listed
                for size, digest in [self.misstated.get(path, (len(content), _digest(name, content)))]
            )
        return "".join(
            f"{key}: {value}\n" for key, value in (fields | self.fields).items() if value is not None
        ).encode()

    def answer(self, path: str) -> bytes | None:
        """The file at `path` in the suite's directory."""
        signers = self.signers or [self.archive.key]
        if path == "InRelease":
            return _clear_signed(self.release(), tuple(signers))
        if path == "Release":
            return self.release()
        if path == "Release.gpg":
            return signers[0].detached(self.release())
        return self.files().get(path) if _form(path) in self.served else None

    def meant_by_hash(self, path: str) -> str:
        """The path of the file that a by-hash path means; the path itself if it is none or means nothing."""
        for name, content in self.files().items() if "/by-hash/" in path and self.by_hash else ():
            for each in self.hashes:
                if path == f"{name[: name.rfind('/') + 1]}by-hash/{each}/{_digest(each, content)}":
                    return name
        return path


@dataclass
class Answer:
    """What goes back: `cut_at` bytes of the body are sent, `reset` and `stall` send nothing, `slow` sends pieces."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    cut_at: int | None = None
    reset: bool = False
    stall: bool = False
    slow: bool = False


@dataclass
class _Mischief:
    pattern: str
    times: int | None
    change: Callable[[Answer], Answer]


class SimulatedArchive:
    """Suites under one server. `now` is the archive's time: a test moves it, and gives it to the client."""

    def __init__(self, *, now: datetime = NOW) -> None:
        self.now = now
        self.key = Key()
        self.suites: list[SimulatedSuite] = []
        self.requests: list[str] = []
        self.headers: list[Mapping[str, str]] = []
        self.waits: list[float] = []
        self.wait = self.waits.append
        self.validators = False
        self.pool: dict[str, bytes] = {}
        self.ranges = True
        self.url = ""
        self._mischief: list[_Mischief] = []
        self._keyring: Path | None = None
        self._released = threading.Event()

    def suite(
        self,
        name: str,
        *,
        path: str = "debian",
        architectures: Sequence[str] = ("amd64", "arm64"),
        components: Sequence[str] = ("main",),
        fields: Mapping[str, str | None] | None = None,
    ) -> SimulatedSuite:
        """A suite served at `path`/dists/`name`; `fields` of its Release come in place of those made up."""
        suite = SimulatedSuite(
            self, name, path, tuple(architectures), list(components), fields=dict(fields or {})
        )
        self.suites.append(suite)
        return suite

    @property
    def keys(self) -> Keys:
        """The archive's key, as a source's Signed-By; only while it is served."""
        assert self._keyring is not None
        return Keys(str(self._keyring))

    @property
    def mirrors(self) -> dict[str, str]:
        """Official hosts, and one of others, to be asked here instead."""
        hosts = (
            *("deb.debian.org", "security.debian.org", "archive.debian.org"),
            *("archive.ubuntu.com", "security.ubuntu.com", "ports.ubuntu.com", "old-releases.ubuntu.com"),
        )
        return {f"http://{host}": self.url for host in hosts} | {"https://apt.example": self.url}

    def keyring(self, content: bytes) -> Keys:
        """Another keyring beside the archive's own."""
        assert self._keyring is not None
        path = self._keyring.with_name(sha256(content).hexdigest())
        path.write_bytes(content)
        return Keys(str(path))

    def alter(self, pattern: str, change: Callable[[bytes], bytes], *, times: int | None = None) -> None:
        """Serves another body."""
        self._add(pattern, times, lambda answer: replace(answer, body=change(answer.body)))

    def status(self, pattern: str, status: int, *, times: int | None = None, retry_after: str = "") -> None:
        """Answers with another status."""
        headers = {"Retry-After": retry_after} if retry_after else {}
        self._add(pattern, times, lambda _: Answer(status, headers, b"no\n"))

    def missing(self, pattern: str, *, times: int | None = None) -> None:
        """Answers 404."""
        self.status(pattern, 404, times=times)

    def redirect(self, pattern: str, location: str, *, times: int | None = None) -> None:
        """Sends the client elsewhere."""
        self._add(pattern, times, lambda _: Answer(302, {"Location": location}))

    def label(self, pattern: str, **headers: str) -> None:
        """Adds headers: `Content_Encoding="gzip"`."""
        given = {key.replace("_", "-"): value for key, value in headers.items()}
        self._add(pattern, None, lambda answer: replace(answer, headers=answer.headers | given))

    def cut(self, pattern: str, *, at: int, times: int | None = None) -> None:
        """Promises the whole body and ends after `at` bytes."""
        self._add(pattern, times, lambda answer: replace(answer, cut_at=at))

    def reset(self, pattern: str, *, times: int | None = None) -> None:
        """Resets the connection."""
        self._add(pattern, times, lambda answer: replace(answer, reset=True))

    def drip(self, pattern: str, *, times: int | None = None) -> None:
        """Sends the body in many small pieces."""
        self._add(pattern, times, lambda answer: replace(answer, slow=True))

    def stall(self, pattern: str, *, times: int | None = None) -> None:
        """Accepts the request and never answers."""
        self._add(pattern, times, lambda answer: replace(answer, stall=True))

    def replay(self, pattern: str) -> None:
        """Goes on serving what is there now, whatever happens to the suites."""
        kept = {
            path: body for path in self._paths() if fnmatchcase(path, pattern) and (body := self._body(path))
        }
        for path, body in kept.items():
            self._add(path, None, partial(_instead, body))

    def behave(self) -> None:
        """Ends all mischief."""
        self._mischief.clear()

    @contextmanager
    def serve(self) -> Iterator[str]:
        """Serves on a free port of the loopback interface, gives the URL."""
        with tempfile.TemporaryDirectory() as directory:
            self._keyring = Path(directory) / "archive.pgp"
            self._keyring.write_bytes(bytes(self.key.certificate))
            server = _Server(("127.0.0.1", 0), _Handler)
            server.archive = self
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            self.url = f"http://127.0.0.1:{server.server_address[1]}"
            try:
                yield self.url
            finally:
                self._released.set()
                server.shutdown()
                thread.join()
                server.server_close()

    def answer(self, path: str, headers: Mapping[str, str], form: bytes = b"") -> Answer:
        """What a GET of `path` gets."""
        path = path.replace("/./", "/")  # as servers do
        self.requests.append(path)
        self.headers.append(headers)
        meant = self._meant(path)
        body = self._body(meant)
        answer = Answer(body=body) if body is not None else Answer(404, body=b"not here\n")
        if self.validators and body is not None:
            answer = validated(answer, headers)
        if meant in self.pool and self.ranges:
            answer = _ranged(answer, headers)
        return self._mischievous(meant, answer)

    def _mischievous(self, meant: str, answer: Answer) -> Answer:
        for mischief in self._mischief:
            if fnmatchcase(meant, mischief.pattern) and mischief.times != 0:
                if mischief.times is not None:
                    mischief.times -= 1
                return mischief.change(answer)
        return answer

    def stalled(self) -> None:
        """Waits for the end of the test."""
        self._released.wait(30)

    def _add(self, pattern: str, times: int | None, change: Callable[[Answer], Answer]) -> None:
        self._mischief.append(_Mischief(pattern, times, change))

    def _suite_of(self, path: str) -> tuple[SimulatedSuite, str] | None:
        for suite in self.suites:
            if path.startswith(suite.root):
                return suite, path[len(suite.root) :]
        return None

    def _meant(self, path: str) -> str:
        found = self._suite_of(path)
        if found is None:
            return path
        suite, inner = found
        return path[: len(path) - len(inner)] + suite.meant_by_hash(inner)

    def _body(self, path: str) -> bytes | None:
        found = self._suite_of(path)
        return found[0].answer(found[1]) if found else self.pool.get(path)

    def _paths(self) -> Iterator[str]:
        for suite in self.suites:
            for path in ("InRelease", "Release", "Release.gpg", *suite.files()):
                yield suite.root + path


class _Server(ThreadingHTTPServer):
    archive: SimulatedArchive
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away early is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: no waiting for the client's delayed acknowledgement

    def do_GET(self) -> None:
        form = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        answer = self.server.archive.answer(self.path, dict(self.headers), form)
        if answer.stall:
            self.server.archive.stalled()
        if answer.reset or answer.stall:
            linger = struct.pack("ii", 1, 0)  # close() then sends RST
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if self.command == "HEAD":
            self.end_headers()
            return
        if answer.status != 304:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        for start in range(0, len(answer.body), 64) if answer.slow else ():
            self.wfile.write(answer.body[start : start + 64])
            self.wfile.flush()
        self.wfile.write(b"" if answer.slow else answer.body[: answer.cut_at])
        if answer.cut_at is not None:
            self.close_connection = True

    do_HEAD = do_POST = do_GET  # noqa: N815

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The Date field, by the archive's clock."""
        return super().date_time_string(
            self.server.archive.now.timestamp() if timestamp is None else timestamp
        )

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


def _instead(body: bytes, _: Answer) -> Answer:
    return Answer(body=body)


def _ranged(answer: Answer, headers: Mapping[str, str]) -> Answer:
    """From the byte on that `Range: bytes=N-` asks for."""
    first = headers.get("Range", "").removeprefix("bytes=").removesuffix("-")
    if not first:
        return answer
    total = len(answer.body)
    if int(first) >= total:
        return Answer(416)
    label = {"Content-Range": f"bytes {first}-{total - 1}/{total}"}
    return Answer(206, label, answer.body[int(first) :])


def validated(answer: Answer, headers: Mapping[str, str]) -> Answer:
    etag = f'"{sha256(answer.body).hexdigest()[:16]}"'
    if headers.get("If-None-Match") == etag:
        return Answer(304, {"ETag": etag})
    return replace(answer, headers={"ETag": etag})


@cache
def _clear_signed(text: bytes, signers: tuple[Key, ...]) -> bytes:
    """One text under all the signatures; the same bytes for the same text, as a file would have them."""
    begin = b"-----BEGIN PGP SIGNATURE-----"
    files = [signer.clear_sign(text) for signer in signers]
    packets = b"".join(
        bytes(packet) for file in files for packet in PacketPile.from_bytes(begin + file.partition(begin)[2])
    )
    signatures = armor(packets, ArmorKind.Signature)
    return files[0].partition(begin)[0] + (
        signatures if isinstance(signatures, bytes) else signatures.encode()
    )


def _form(path: str) -> str:
    """What the name of an index ends in: `.xz`, or "" for the plain one."""
    return path.rpartition("/")[2].removeprefix("Packages").removeprefix("Sources")


def _date(date: datetime) -> str:
    return f"{date:%a, %d %b %Y %H:%M:%S} UTC"
