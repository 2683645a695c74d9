"""What a hostile archive, mirror or registry may do, as data: one line a mischief, each with what must happen.

A mischief is done to an archive (or registry) that is all right otherwise, on a machine that has never asked it; then
the command runs. It must exit with the status, within the time and the memory of `test_archives`, say the text,
show no traceback, and change no file of the project unless the status is 0. A new attack costs one row.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import zlib
from collections.abc import Callable, Mapping
from datetime import timedelta
from hashlib import sha256
from typing import NamedTuple

from tests.cli.workbench import RELEASED, Workbench
from tests.registry import Content, packed, tar
from tests.simulator import SimulatedArchive, SimulatedSuite

#: The .deb of curl, as `SimulatedSuite.deb` makes it.
DEB = (sha256(b"curl 7 amd64").digest() * 6_251)[:200_000]
ZEROS = bytes(64 << 20)
PATH = "./usr/share/doc/curl/changelog.Debian.gz"


class Attack(NamedTuple):
    """`setup` commands run before the mischief."""

    name: str
    mischief: Callable[[Workbench], None]
    status: int
    says: str = ""
    command: tuple[str, ...] = ("lock",)
    setup: tuple[tuple[str, ...], ...] = ()


def bookworm(bench: Workbench) -> SimulatedSuite:
    return next(suite for suite in bench.archive.suites if suite.name == "bookworm")


def on(change: Callable[[SimulatedArchive], None]) -> Callable[[Workbench], None]:
    return lambda bench: change(bench.archive)


def body(pattern: str, content: bytes) -> Callable[[Workbench], None]:
    return lambda bench: bench.archive.alter(pattern, lambda _: content)


def detached(content: bytes) -> Callable[[Workbench], None]:
    """No InRelease, and that as Release.gpg."""

    def mischief(bench: Workbench) -> None:
        bench.archive.missing("*/InRelease")
        bench.archive.alter("*/Release.gpg", lambda _: content)

    return mischief


def unsigned(bench: Workbench) -> None:
    bench.archive.missing("*/InRelease")
    bench.archive.missing("*/Release.gpg")


def stanza(**fields: str) -> Callable[[Workbench], None]:
    """A signed index with one more curl."""

    def mischief(bench: Workbench) -> None:
        bookworm(bench).package("curl", fields.pop("version", "9"), **fields)

    return mischief


def dated(age: timedelta) -> Callable[[Workbench], None]:
    def mischief(bench: Workbench) -> None:
        bookworm(bench).date = RELEASED + age

    return mischief


def field(name: str, value: str | None) -> Callable[[Workbench], None]:
    def mischief(bench: Workbench) -> None:
        bookworm(bench).fields[name] = value

    return mischief


PACK: Mapping[str, Callable[[bytes], bytes]] = {
    ".gz": lambda plain: gzip.compress(plain, 1),
    ".xz": lambda plain: lzma.compress(plain, preset=0),
    ".bz2": lambda plain: bz2.compress(plain, 1),
    ".zst": lambda plain: packed(plain, "zstd"),
}


def listed(form: str, content: bytes) -> Callable[[Workbench], None]:
    """A Release that vouches for that as the index, packed; unpacked it should have 10 bytes."""

    def mischief(bench: Workbench) -> None:
        suite = bookworm(bench)
        suite.listed = suite.served = ("", form)
        for arch in suite.architectures:
            path = f"main/binary-{arch}/Packages"
            suite.misstated[path] = 10, "0" * 64
            suite.misstated[path + form] = len(content), sha256(content).hexdigest()
        bench.archive.missing("*/bookworm/main/*/Packages")
        bench.archive.alter(f"*/bookworm/main/*/Packages{form}", lambda _: content)

    return mischief


def compressed() -> bytes:
    deflate = zlib.compressobj(9, wbits=-15)
    inner = b"\xcb\xff" + (len(ZEROS) + 6).to_bytes(4, "big") + b"b" + bytes(5)
    packed = b"\x01" + deflate.compress(inner + ZEROS) + deflate.flush()
    return b"\xc8\xff" + len(packed).to_bytes(4, "big") + packed


PASSED = "whose stanza has "
LOCK = (("lock",),)
ARCHIVE = (
    # the signature
    Attack("a compressed packet as signature", detached(compressed()[:60_000]), 6, "type 8 has no place"),
    Attack("a long signature", detached(compressed() * 2), 6, "longer than the 65536 bytes"),
    Attack("no signature", unsigned, 6, "not signed"),
    Attack("an empty signature", detached(b""), 6, "no signature"),
    Attack(
        "text above the signed block",
        on(lambda archive: archive.alter("*/InRelease", lambda text: b"Suite: x\n" + text)),
        6,
        "outside",
    ),
    Attack(
        "two signed texts",
        on(lambda archive: archive.alter("*/InRelease", lambda text: text * 2)),
        6,
        "one clear-signed",
    ),
    Attack("a login page", body("*/InRelease", b"<html>log in</html>"), 6, "one clear-signed"),
    Attack("an endless Release", body("*/InRelease", ZEROS), 6, "longer than the 10000000 bytes"),
    # its date and its name
    Attack("an older Release", dated(timedelta(days=-1)), 6, "older than that of", setup=LOCK),
    Attack("an older Release, verify", dated(timedelta(days=-1)), 6, "older than that of", ("verify",), LOCK),
    Attack(
        "an older Release, refresh", dated(timedelta(days=-1)), 6, "older than that of", ("refresh",), LOCK
    ),
    Attack("a Release of tomorrow", dated(timedelta(days=9_999)), 6, "made in the future"),
    Attack(
        "another suite's Release",
        lambda bench: bookworm(bench).fields.update(Suite="sid", Codename="sid"),
        6,
        "not of bookworm",
    ),
    Attack("a Release without digests", field("SHA256", None), 6, "vouches for nothing"),
    Attack("a Release with an invalid digest", field("SHA256", "\n zz 1 main/binary-amd64/Packages.xz"), 6),
    Attack("a Release with a date that is none", field("Date", "yesterday"), 6),
    # the index
    Attack("another index", body("*/Packages.xz", lzma.compress(b"Package: curl\n")), 6, "instead of"),
    Attack(
        "an index that is a bomb",
        body("*/Packages.xz", lzma.compress(ZEROS, preset=0)),
        6,
        "longer than|instead of",
    ),
    *(
        Attack(f"an index {form} that is a bomb", listed(form, pack(ZEROS)), 6, "unpacks to more")
        for form, pack in PACK.items()
    ),
    *(
        Attack(f"half an index {form}", listed(form, pack(b"Package: c")[:-5]), 6, "cannot be unpacked")
        for form, pack in PACK.items()
    ),
    Attack("an index that wants 2 GiB", listed(".zst", packed(ZEROS, "zstd", 31)), 6, "too much memory"),
    Attack("an index that is not there", on(lambda archive: archive.missing("*/Packages.xz")), 5, "404"),
    Attack(
        "redirections without end",
        on(lambda archive: archive.redirect("*/InRelease", "/debian/dists/bookworm/InRelease")),
        5,
        "too many redirections",
    ),
    Attack(
        "a redirection to a file",
        on(lambda archive: archive.redirect("*/InRelease", "file:///etc/passwd")),
        5,
        "not an address",
    ),
    Attack(
        "a redirection to no address", on(lambda archive: archive.redirect("*/InRelease", "http://[::")), 5
    ),
    # what it says
    Attack("a version with a command", stanza(version="9;id"), 0, PASSED + "Version"),
    Attack("a version with a blank", stanza(version="9 x"), 0, PASSED + "Version"),
    Attack("a version with another direction", stanza(version="9\u202e"), 0, PASSED + "Version"),
    Attack("a file name that leaves the pool", stanza(filename="../../x.deb"), 0, PASSED + "Filename"),
    Attack("an absolute file name", stanza(filename="/etc/x.deb"), 0, PASSED + "Filename"),
    Attack("a size that is none", stanza(size="1e9"), 0, PASSED + "Size"),
    Attack("an invalid digest", stanza(sha256="abc"), 0, PASSED + "SHA256"),
    Attack("a source that is a path", stanza(source="../x"), 0, PASSED + "Source"),
)


def link(name: str, target: str) -> Callable[[Workbench], None]:
    """A symbolic link in the directory that is downloaded to."""

    def mischief(bench: Workbench) -> None:
        place = bench.folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        outside = bench.folder.parent / "outside"
        outside.mkdir(exist_ok=True)
        (outside / "InRelease").write_bytes(b"mine")
        place.symlink_to(outside / target)

    return mischief


def deb(pattern: str, change: Callable[[bytes], bytes]) -> Callable[[Workbench], None]:
    return lambda bench: bench.archive.alter(pattern, change)


def tree(*members: tuple[str, Content]) -> bytes:
    """A data.tar with these members and a changelog of curl."""
    return tar([(PATH, gzip.compress(LOG)), *members])


def ar(data: bytes, name: str = "data.tar", size: str = "") -> bytes:
    """A .deb; `size` is what its header says of the data."""
    head = f"{name:16}{0:12}{0:6}{0:6}{'100644':8}{size or len(data):<10}`\n".encode()
    return b"!<arch>\ndebian-binary   0           0     0     100644  4         `\n2.0\n" + head + data


def bomb(form: str, pack: Callable[[bytes], bytes]) -> bytes:
    """A .deb with a file of 640 MB."""
    info = tarfile.TarInfo("./x")
    info.size = 10 * len(ZEROS)
    return ar(pack(info.tobuf()) + pack(ZEROS) * 10, f"data.tar{form}")


def update(content: bytes) -> Callable[[Workbench], None]:
    """A newer curl, whose .deb that is."""

    def mischief(bench: Workbench) -> None:
        bench.archive.pool["/debian/pool/main/c/curl/curl_8.deb"] = content
        place, digest = "pool/main/c/curl/curl_8.deb", sha256(content).hexdigest()
        bookworm(bench).package("curl", "8", arch="amd64", filename=place, size=len(content), sha256=digest)

    return mischief


LOG = b"curl (8) x; urgency=low\n\n  * News.\n\n -- A <a@b>  Sat, 01 Nov 2025 10:00:00 +0000\n"
_OLD = (("lock", "--platform", "linux/amd64"),)
_REFRESH = ("refresh", "--changelogs", "--json")


def log(name: str, content: bytes, says: str = "no changelog of curl: .*") -> Attack:
    return Attack(name, update(content), 0, says, _REFRESH, _OLD)


CHANGELOG = (
    log("a changelog", ar(tree()), r"\* News"),
    *(log(f"a .deb that is a bomb of {form}", bomb(form, pack), "bomb") for form, pack in PACK.items()),
    log(
        "a .deb of 100,000 streams",
        ar(gzip.compress(tree()) + gzip.compress(b"") * 100_000, "data.tar.gz"),
        "News",
    ),
    log("a .deb that wants 2 GiB", ar(packed(ZEROS, "zstd", 31), "data.tar.zst"), "memory"),
    log("a .deb of half a stream", ar(packed(tree(), "zstd")[:-9], "data.tar.zst"), "too early"),
    log("a .deb whose header lies", ar(tree(), size="9" * 10), r"\* News"),
    log("a .deb with no size", ar(tree(), size="-1")),
    log("a .deb without data", ar(b"", "control.tar"), "cannot be found"),
    log("a .deb with a long name", ar(tree((f"./{'a/' * 600_000}b", ""))), "attributes"),
    log("a .deb with a way out", ar(tree(("../../../etc/cron.d/x", "x"))), r"\* News"),
    log("a changelog that is a link out", ar(tar({PATH: ("->", "/etc/passwd")})), '"uploads": \\[\\]'),
    log("a changelog that is a bomb", ar(tar({PATH: gzip.compress(LOG * 2_000_000, 1)})), r"\* News"),
    log("a changelog that is no gzip", ar(tar({PATH: LOG}))),
    log(
        "a changelog of another day",
        ar(tar({PATH: gzip.compress(LOG.replace(b"+0000", b"+" + b"9" * 30))})),
        "News",
    ),
    log(
        "a changelog with another direction",
        ar(tar({PATH: gzip.compress(LOG.replace(b"N", "\u202e".encode()))})),
        "202e",
    ),
)

_FETCH = ("download", "out")
_DIGEST = sha256(DEB).hexdigest()
DOWNLOAD = (
    Attack(
        "a link in place of the pool", link("out/pool", ""), 3, "leads out of the directory", _FETCH, LOCK
    ),
    Attack(
        "a link in place of a folder",
        link("out/pool/main/c", ""),
        3,
        "leads out of the directory",
        _FETCH,
        LOCK,
    ),
    Attack(
        "a link in place of the drafts",
        link("out/partial", ""),
        3,
        "leads out of the directory",
        _FETCH,
        LOCK,
    ),
    Attack(
        "a link in place of a draft",
        link(f"out/partial/{_DIGEST}", "InRelease"),
        3,
        "symbolic link",
        _FETCH,
        LOCK,
    ),
    Attack("a link in place of dists", link("out/dists", ""), 3, "leads out of", _FETCH, LOCK),
    Attack("another .deb", deb("*.deb", lambda content: content[::-1]), 6, "SHA-256", _FETCH, LOCK),
    Attack("a longer .deb", deb("*.deb", lambda content: content + b"x"), 6, "longer", _FETCH, LOCK),
    Attack("an endless .deb", deb("*.deb", lambda content: ZEROS), 6, "longer", _FETCH, LOCK),
    Attack("a shorter .deb", deb("*.deb", lambda content: content[:-1]), 6, "instead of", _FETCH, LOCK),
    Attack("a .deb that is gone", on(lambda archive: archive.missing("*.deb")), 5, "is gone", _FETCH, LOCK),
)
