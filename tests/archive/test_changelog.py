"""The changelog inside of a .deb, without unpacking it to the disk."""

from __future__ import annotations

import gzip
import io
import lzma
import sys
import tarfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from pinner.apt.changelog import entries
from pinner.apt.packages import Package
from pinner.archive.cache import Cache
from pinner.archive.changelog import Changelogs, texts
from pinner.archive.network import Network
from pinner.errors import TrustError
from tests.simulator import Answer, SimulatedArchive

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

TEXT = """\
jq (1.6-2.1+deb12u2) bookworm-security; urgency=high

  * Fix CVE-2025-48060 and CVE-2024-53427 (DSA-5900-1).

 -- A Person <a@example.org>  Sat, 01 Nov 2025 10:00:00 +0000

jq (1.6-2.1+deb12u1) bookworm; urgency=medium

  * Fix CVE-2023-50246, CVE-2023-50246.

 -- A Person <a@example.org>  Sat, 01 Nov 2024 10:00:00 +0000

jq (1.6-2.1) unstable; urgency=medium

  * Upload.

 -- A Person <a@example.org>  Sat, 01 Nov 2022 10:00:00 +0000
"""
PACK: Mapping[str, Callable[[bytes], bytes]] = {
    "data.tar": bytes,
    "data.tar.gz": gzip.compress,
    "data.tar.xz": lzma.compress,
    "data.tar.zst": zstd.compress,
}


def tree(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            if content.startswith(b"-> "):
                member.type, member.linkname, member.size = tarfile.SYMTYPE, content[3:].decode(), 0
            tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


def deb(
    files: Mapping[str, bytes], *, form: str = "data.tar.xz", control: Mapping[str, bytes] | None = None
) -> bytes:
    out = b"!<arch>\n"
    packed_control = b"odd" if control is None else PACK["data.tar.xz"](tree(control))
    members = {"debian-binary": b"2.0\n", "control.tar.xz": packed_control, form: PACK[form](tree(files))}
    for name, content in members.items():
        out += f"{name:16}{0:12}{0:6}{0:6}{'100644':8}{len(content):<10}`\n".encode() + content
        out += b"\n" * (len(content) % 2)
    return out


def packed(text: str) -> bytes:
    return gzip.compress(text.encode())


JQ = {"./usr/bin/jq": b"x" * 5000, "./usr/share/doc/jq/changelog.Debian.gz": packed(TEXT)}


@pytest.mark.parametrize("form", PACK)
def test_every_form_of_a_deb(form: str) -> None:
    assert texts(deb(JQ, form=form), "jq", "url") == ([TEXT], "")


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"usr/share/doc/jq/changelog.gz": packed("native")}, ["native"]),
        ({"./usr/share/doc/jq/changelog.gz": packed("upstream"),
          "./usr/share/doc/jq/changelog.Debian.gz": packed("debian")}, ["debian"]),
        ({"./usr/share/doc/jq/changelog.Debian.gz": packed("debian"),
          "./usr/share/doc/jq/changelog.Debian.amd64.gz": packed("rebuild")}, ["rebuild", "debian"]),
        ({"./usr/share/doc/libjq1/changelog.Debian.gz": packed("other")}, []),
        ({"./usr/share/doc/jq/changelog.Debian.gz/x": packed("x")}, []),
        ({}, []),
    ],
)  # fmt: skip
def test_which_changelog(files: dict[str, bytes], expected: list[str]) -> None:
    assert texts(deb(files), "jq", "url") == (expected, "")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"!<arch>\n",
        b"\x7fELF",
        deb(JQ)[:200],
        deb(JQ)[:-200],
        deb(JQ, form="data.tar")[:-15_000],
        deb({"./usr/share/doc/jq/changelog.Debian.gz": b"no gzip"}),
        deb(JQ).replace(b"data.tar.xz", b"data.tar.7z"),
    ],
)
def test_what_is_no_deb(data: bytes) -> None:
    with pytest.raises(TrustError, match="url: "):
        texts(data, "jq", "url")


def test_entries_and_the_numbers_in_them() -> None:
    found = list(entries(TEXT))
    assert [entry.version for entry in found] == ["1.6-2.1+deb12u2", "1.6-2.1+deb12u1", "1.6-2.1"]
    assert found[0].ids == ("CVE-2025-48060", "CVE-2024-53427", "DSA-5900-1")
    assert found[1].ids == ("CVE-2023-50246",)
    assert found[2].text == "  * Upload.\n\n -- A Person <a@example.org>  Sat, 01 Nov 2022 10:00:00 +0000"


def test_only_the_deb_that_was_vouched_for(tmp_path: Path) -> None:
    archive = SimulatedArchive()
    content = deb(JQ)
    digest = sha256(content).hexdigest()
    package = Package(
        "jq", "1.6-2.1+deb12u2", "amd64", filename="pool/jq.deb", size=len(content), digest=digest
    )
    with archive.serve() as url:
        archive._add("/debian/pool/jq.deb", None, lambda _: Answer(body=content))
        reader = Changelogs(
            Network(
                Cache(tmp_path), datetime.now(UTC), mirrors={"http://deb.debian.org": url}, wait=archive.wait
            )
        )
        found = reader.since(package, "http://deb.debian.org/debian", "1.6-2.1")
        assert [entry.version for entry in found] == ["1.6-2.1+deb12u2", "1.6-2.1+deb12u1"]
        other = Package("jq", "1", "amd64", filename="pool/jq.deb", size=len(content), digest="0" * 64)
        with pytest.raises(TrustError):
            reader.since(other, "http://deb.debian.org/debian", "0")
        link = deb({"./usr/share/doc/jq-doc/changelog.Debian.gz": b"-> ../jq/changelog.Debian.gz"})
        assert texts(link, "jq-doc", "url") == ([], "jq")
        assert texts(deb({"./usr/share/doc/jq-doc": b"-> jq"}), "jq-doc", "url") == ([], "jq")
        archive._add("/debian/pool/link.deb", None, lambda _: Answer(body=link))
        doc = Package(
            "jq-doc", "1", "all", "jq", "1", filename="pool/link.deb", size=len(link), digest=sha256(link).hexdigest()
        )  # fmt: skip
        same, stranger = package._replace(source="jq", source_version="1"), package._replace(source="x")
        for named, count in (([same], 2), ([stranger], 0), ([], 0)):
            asked = reader.since(doc, "http://deb.debian.org/debian", "1.6-2.1", {"jq": named}.__getitem__)
            assert len(asked) == count
        large = Package("jq", "1", "amd64", filename="pool/none.deb", size=10**9, digest=digest)
        assert reader.since(large, "http://deb.debian.org/debian", "0") == ()
