"""The store against a plain reading of the same files: every stanza of two Debian releases."""

from __future__ import annotations

import lzma
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from urllib.request import urlopen

import pytest

from pinner.apt.sources import Keys, Source
from pinner.archive.cache import Cache
from pinner.archive.load import Archive
from pinner.archive.network import Network

pytestmark = pytest.mark.live

DEBIAN, SECURITY = "http://deb.debian.org/debian", "http://deb.debian.org/debian-security"
KEYS = Keys("debian-archive-keyring")


def plainly(source: Source) -> dict[str, list[tuple[str, str, str]]]:
    """Name → version, SHA-256 and Provides of its stanzas."""
    url = f"{source.uri}/dists/{source.suite}/main/binary-{source.arch}/Packages.xz"
    with urlopen(url) as response:
        text = lzma.decompress(response.read()).decode()
    found: dict[str, list[tuple[str, str, str]]] = {}
    for stanza in text.split("\n\n"):
        fields = dict(
            line.split(": ", 1) for line in stanza.split("\n") if ": " in line and line[0] not in " \t"
        )
        if fields:
            entry = (fields["Version"], fields["SHA256"], fields.get("Provides", ""))
            found.setdefault(fields["Package"], []).append(entry)
    return found


@pytest.mark.parametrize("arch", ["amd64", "arm64"])
@pytest.mark.parametrize("suite", ["bookworm", "trixie"])
def test_every_stanza(suite: str, arch: str, tmp_path: Path) -> None:
    sources = [
        Source(DEBIAN, suite, ("main",), arch, KEYS),
        Source(DEBIAN, f"{suite}-updates", ("main",), arch, KEYS),
        Source(SECURITY, f"{suite}-security", ("main",), arch, KEYS),
    ]
    indices, notes = Archive(Network(Cache(tmp_path), datetime.now(UTC))).load(sources)
    assert [index.source for index in indices] == sources
    assert notes == ()
    for index in indices:
        expected = plainly(index.source)
        assert list(index.names()) == sorted(expected)
        for name, stanzas in expected.items():
            assert [(p.version, p.digest, p.provides) for p in index.packages(name)] == stanzas
            assert index.order(name) is not None
        provided: dict[str, list[str]] = {}
        for name, stanzas in expected.items():
            for _, _, provides in stanzas:
                for word in {clause.split()[0] for clause in provides.split(",") if clause.strip()}:
                    provided.setdefault(word, []).append(name)
        for virtual, names in provided.items():
            assert sorted(p.name for p in index.providers(virtual)) == sorted(names)
        with urlopen(f"{index.source.uri}/dists/{index.source.suite}/InRelease") as response:
            assert index.release_sha256 == sha256(response.read()).hexdigest()


@pytest.mark.parametrize("suite", ["bullseye", "stable"])
def test_older_suites_and_aliases_verify(suite: str, tmp_path: Path) -> None:
    (index,), _ = Archive(Network(Cache(tmp_path), datetime.now(UTC))).load(
        [Source(DEBIAN, suite, ("main",), "amd64", KEYS)]
    )
    assert index.packages("openssl")
