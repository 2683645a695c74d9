"""A stand-in of snapshot.debian.org: import runs of archives, served over real HTTP with the service's habits.

    service = SnapshotService()
    service.run("debian", "20260101T030000Z", {"bookworm": {"curl": "7.88.1-10"}})
    service.run("debian", "20260101T090000Z", {"bookworm": {"curl": "7.88.1-11"}})
    with service.serve(): ...

A file is served from the last run that is not after the timestamp asked for (200, no redirection); a directory
redirects to that run's own timestamp. The archive `ubuntu` lies where snapshot.ubuntu.com has it, and takes any second.
`/cgi-bin/api` is metasnap.debian.net's, as debootsnap asks it; `forgotten` are versions that it does not know.
Everything under `/mr/` is JSON with the field names of the real service;
`older` gives those of its older versions. All mischief of `SimulatedArchive` works here too, by URL path; `times` are
the moments at which requests came in, in seconds of `clock`.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from hashlib import sha1
from itertools import groupby
from operator import itemgetter
from urllib.parse import parse_qs, unquote, urlsplit

from tests.simulator import NOW, Answer, SimulatedArchive, SimulatedSuite, validated

STAMP = "%Y%m%dT%H%M%SZ"
Content = Mapping[str, Mapping[str, str | tuple[str, ...]]]  # suite → name → version or versions


@dataclass
class Run:
    """One import: the suites as they were at `stamp`."""

    stamp: str
    suites: dict[str, SimulatedSuite]


@dataclass
class File:
    """A .deb that was seen under /pool."""

    archive: str
    name: str
    version: str
    arch: str
    first_seen: str
    extra: tuple[str, ...] = field(default=())  # further builds under the same name and version

    @property
    def hashes(self) -> tuple[str, ...]:
        return tuple(
            sha1(f"{self.name} {self.version} {self.arch} {build}".encode()).hexdigest()
            for build in ("", *self.extra)
        )

    def info(self, sha: str) -> dict[str, object]:
        name = f"{self.name}_{self.version.partition(':')[2] or self.version}_{self.arch}.deb"
        return {
            "archive_name": self.archive,
            "name": name,
            "path": f"/pool/main/{self.name[:1]}/{self.name}",
            "size": 1000,
            "first_seen": self.first_seen,
        }


class SnapshotService(SimulatedArchive):
    """Runs by archive, oldest first."""

    def __init__(self, *, now: datetime = NOW, architectures: tuple[str, ...] = ("amd64",)) -> None:
        super().__init__(now=now)
        self.architectures = architectures
        self.runs: dict[str, list[Run]] = {}
        self.files: dict[tuple[str, str, str, str], File] = {}
        self.pool: dict[str, bytes] = {}  # files that are really there, by path
        self.times: list[float] = []
        self.clock: Callable[[], float] = time.monotonic
        self.older = False
        self.ranges = True
        self.forgotten: set[tuple[str, str]] = set()
        self._busy = threading.Lock()
        self.overlaps = 0

    def run(
        self,
        archive: str,
        stamp: str,
        content: Content,
        *,
        date: datetime | None = None,
        valid_for: timedelta | None = None,
    ) -> Run:
        """Adds an import. Its Releases are an hour older than it, unless `date` says otherwise."""
        imported = datetime.strptime(stamp, STAMP).replace(tzinfo=UTC)
        suites = {}
        for suite_name, packages in content.items():
            components = ["main", "universe", "restricted", "multiverse"] if archive == "ubuntu" else ["main"]
            suite = SimulatedSuite(self, suite_name, archive, self.architectures, components)
            suite.date = date or imported - timedelta(hours=1)
            suite.valid_for = valid_for
            for name, versions in packages.items():
                for version in (versions,) if isinstance(versions, str) else versions:
                    suite.package(name, version)
                    self.seen(archive, name, version, stamp)
            suites[suite_name] = suite
        found = Run(stamp, suites)
        self.runs.setdefault(archive, []).append(found)
        return found

    def seen(self, archive: str, name: str, version: str, stamp: str) -> None:
        """Notes that a package was in the pool at `stamp`; the first note counts."""
        for arch in self.architectures:
            self.files.setdefault((archive, name, version, arch), File(archive, name, version, arch, stamp))

    @property
    def mirrors(self) -> dict[str, str]:
        """The live hosts, whose suites are made by `suite`, and the service."""
        return super().mirrors | dict.fromkeys(
            ("http://snapshot.debian.org", "http://snapshot.ubuntu.com"), self.url
        )

    def answer(self, path: str, headers: Mapping[str, str], form: bytes = b"") -> Answer:
        """What a request gets."""
        self.times.append(self.clock())
        if path.startswith("http://"):  # as a proxy is asked
            path = path.removeprefix(self.url) if path.startswith(self.url) else f"/{path.split('/', 3)[3]}"
        self.requests.append(path)
        self.headers.append(headers)
        if not self._busy.acquire(blocking=False):
            self.overlaps += 1
            self._busy.acquire()
        try:
            answer = self._mischievous(path, self._metasnap(headers, form) if form else self._served(path))
        finally:
            self._busy.release()
        if self.validators and answer.status == 200:
            answer = validated(answer, headers)
        wanted = re.fullmatch(r"bytes=(\d+)-", headers.get("Range", ""))
        if self.ranges and wanted and answer.status == 200 and int(wanted[1]) < len(answer.body):
            start, total = int(wanted[1]), len(answer.body)
            label = {"Content-Range": f"bytes {start}-{total - 1}/{total}"}
            return replace(answer, status=206, body=answer.body[start:], headers=answer.headers | label)
        return answer

    def _served(self, path: str) -> Answer:
        split = urlsplit(path)
        if split.path in self.pool:
            return Answer(body=self.pool[split.path])
        parts = [unquote(part) for part in split.path.split("/")[1:]]
        if parts[0] == "archive":
            return self._tree(parts[1:], split.path)
        if re.fullmatch(r"/ubuntu/\d{8}T\d{6}Z/.*", split.path) and "ubuntu" in self.runs:
            return self._tree(parts, split.path)
        if parts[0] == "mr":
            if not split.path.endswith("/") and parts[-1] not in {"binfiles", "info"}:
                return Answer(308, {"Location": f"{self.url}{split.path}/"})
            found = self._machine_readable(parts[1:], {k: v[0] for k, v in parse_qs(split.query).items()})
            if found is not None:
                return Answer(200, {"Content-Type": "application/json"}, json.dumps(found).encode())
        live = self._body(self._meant(path))
        return Answer(404, body=b"404 Not Found\n") if live is None else Answer(body=live)

    def _tree(self, parts: list[str], path: str) -> Answer:
        archive, _, rest = parts[0], None, parts[2:]
        runs = self.runs.get(archive, [])
        stamp = parts[1] if len(parts) > 1 else ""
        if re.fullmatch(r"\d{8}", stamp):
            wanted = f"{stamp}T000000Z"
        elif re.fullmatch(r"\d{8}T\d{6}Z", stamp):
            wanted = stamp
        else:
            return Answer(404, body=b"No such timestamp\n")
        found = next((run for run in reversed(runs) if run.stamp <= wanted), None)
        if found is None:
            return Answer(404, body=b"No mirrorrun found at this date.\n")
        inner = "/".join(rest)
        body = self._file(found, inner)
        if body is not None:
            return Answer(
                200, {"Cache-Control": "public, max-age=864000", "ETag": f'"{sha1(body).hexdigest()}"'}, body
            )
        if inner.endswith("/") or not inner:
            exact = f"/archive/{archive}/{found.stamp}/{inner}"
            if stamp != found.stamp or not path.endswith("/"):
                return Answer(301, {"Location": self.url + exact})
            return Answer(200, {"Content-Type": "text/html"}, b"<html></html>\n")
        return Answer(404, body=b"No such file or directory\n")

    def _file(self, run: Run, path: str) -> bytes | None:
        match = re.fullmatch(r"dists/([^/]+)/(.+)", path)
        suite = run.suites.get(match[1]) if match else None
        return suite.answer(match[2]) if match and suite else None

    def _metasnap(self, headers: Mapping[str, str], form: bytes) -> Answer:
        text = f"Content-Type: {headers['Content-Type']}\r\n\r\n".encode() + form
        fields = {
            str(part.get_param("name", header="content-disposition")): str(part.get_payload())
            for part in message_from_bytes(text).walk()
            if not part.is_multipart()
        }
        if list(fields) != ["archive", "arch", "pkgs"]:  # the order matters
            return Answer(500)
        wanted = [tuple(re.split("[:=]", each, maxsplit=2)) for each in fields["pkgs"].split(",")]
        lines = {each: self._ranges(fields["archive"], *each) for each in wanted}
        unknown = [
            " ".join((name, arch, version)) for (name, arch, version), found in lines.items() if not found
        ]
        if unknown:
            return Answer(404, body="\n".join(unknown).encode())
        return Answer(body="".join(line for found in lines.values() for line in found).encode())

    def _ranges(self, archive: str, name: str, arch: str, version: str) -> list[str]:
        """Lines of metasnap: the ranges of imports at which a suite had a version, one for each time it came."""
        found: list[str] = []
        runs = self.runs.get(archive, [])
        for suite in dict.fromkeys(each for run in runs for each in run.suites):
            stanza = f"Package: {name}\nVersion: {version}\n"
            has = [
                any(stanza in text for text in run.suites[suite].stanzas.get(("main", arch), ()))
                for run in runs
                if suite in run.suites
            ]
            for there, group in groupby(zip(has, runs, strict=False), key=itemgetter(0)):
                stamps = [run.stamp for _, run in group]
                if there and (name, version) not in self.forgotten:
                    found.append(f"{name} {arch} {version} {suite} main {stamps[0]} {stamps[-1]}\n")
        return found

    def _machine_readable(self, parts: list[str], query: Mapping[str, str]) -> dict[str, object] | None:
        head: dict[str, object] = {"_comment": "foo"} if self.older else {"_comment": "foo", "_api": "0.3"}
        if parts[0] == "timestamp":
            chosen = [query["archive"]] if "archive" in query else list(self.runs)
            stamps = {name: [run.stamp for run in self.runs.get(name, [])] for name in chosen}
            return head | {"result": stamps}
        if parts[0] == "binary" and len(parts) == 3:
            name = parts[1]
            known = {file.version: None for file in self.files.values() if file.name == name}
            rows = [
                {"name": name, "binary_version": version, "source": name, "version": version}
                for version in reversed(known)
            ]
            return head | {"binary": name, "result": rows} if rows else None
        if parts[0] == "binary" and parts[3:] == ["binfiles"]:
            return self._binfiles(head, parts[1], parts[2], query)
        if parts[0] == "file" and parts[2:] == ["info"]:
            infos = [file.info(parts[1]) for file in self.files.values() if parts[1] in file.hashes]
            return head | {"hash": parts[1], "result": infos} if infos else None
        return None

    def _binfiles(
        self, head: dict[str, object], name: str, version: str, query: Mapping[str, str]
    ) -> dict[str, object] | None:
        found = [file for file in self.files.values() if (file.name, file.version) == (name, version)]
        if not found:
            return None
        spelling = "binary-version" if self.older else "binary_version"
        rows = [{"architecture": file.arch, "hash": sha} for file in found for sha in file.hashes]
        unique = [row for number, row in enumerate(rows) if row not in rows[:number]]
        answer = head | {"binary": name, spelling: version, "result": unique}
        if query.get("fileinfo") == "1":
            infos: dict[str, list[dict[str, object]]] = {}
            for file in found:
                for sha in file.hashes:
                    infos.setdefault(sha, []).append(file.info(sha))
            answer |= {"run" if self.older else "fileinfo": infos}
        return answer
