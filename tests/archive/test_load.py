"""Sources to indices, against a simulated archive: each test is one line of mischief."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pinner.apt.sources import Keys, Source
from pinner.archive.cache import Cache
from pinner.archive.load import Archive
from pinner.archive.network import Network
from pinner.errors import CacheError, FetchError, InputError, PinnerError, TrustError
from pinner.resolve.universe import Index
from tests.simulator import Key, SimulatedArchive, SimulatedSuite

MAIN = "/debian/dists/bookworm/main/binary-amd64/Packages.xz"


@pytest.fixture
def archive() -> Iterator[SimulatedArchive]:
    archive = SimulatedArchive()
    with archive.serve():
        yield archive


@pytest.fixture
def bookworm(archive: SimulatedArchive) -> SimulatedSuite:
    return archive.suite("bookworm").package("curl", "7.88.1-10", depends="libc6").package("jq", "1.6-2.1")


class Client:
    """Runs the real thing, with one cache."""

    def __init__(self, archive: SimulatedArchive, cache: Path) -> None:
        self.archive = archive
        self.cache = cache
        self.notes: tuple[str, ...] = ()

    def load(self, *sources: Source, offline: bool = False) -> tuple[Index, ...]:
        loader = Archive(
            Network(Cache(self.cache), self.archive.now, offline=offline, wait=self.archive.wait)
        )
        indices, self.notes = loader.load(sources)
        return indices

    def curl(self, source: Source, *, offline: bool = False) -> str:
        (index,) = self.load(source, offline=offline)
        return index.packages("curl")[0].version


@pytest.fixture
def client(archive: SimulatedArchive, tmp_path: Path) -> Client:
    return Client(archive, tmp_path / "cache")


def later(archive: SimulatedArchive, **time: float) -> None:
    archive.now += timedelta(**time)


# What is read


def test_indices_come_in_the_order_of_sources_and_components(
    archive: SimulatedArchive, client: Client
) -> None:
    main = archive.suite("bookworm").package("curl", "1").package("steam", "2", component="contrib")
    security = archive.suite("bookworm-security", path="debian-security").package("curl", "3", arch="amd64")
    sources = (main.source("amd64", "main", "contrib"), main.source("arm64"), security.source("amd64"))
    indices = client.load(*sources)
    assert [(i.source, i.component) for i in indices] == [
        (sources[0], "main"),
        (sources[0], "contrib"),
        (sources[1], "main"),
        (sources[2], "main"),
    ]
    assert [[p.version for p in i.packages("curl")] for i in indices] == [["1"], [], ["1"], ["3"]]
    assert indices[0].release.codename == "bookworm"
    assert client.notes == ()


def test_one_release_serves_both_architectures(
    archive: SimulatedArchive, bookworm: SimulatedSuite, client: Client
) -> None:
    client.load(bookworm.source("amd64"), bookworm.source("arm64"))
    assert archive.requests.count("/debian/dists/bookworm/InRelease") == 1


def test_security_calls_its_components_otherwise(archive: SimulatedArchive, client: Client) -> None:
    security = archive.suite(
        "bookworm-security", fields={"Components": "updates/main updates/contrib"}
    ).package("curl", "3")
    assert client.curl(security.source("amd64")) == "3"


def test_an_architecture_that_is_not_served_is_a_note(
    archive: SimulatedArchive, bookworm: SimulatedSuite, client: Client
) -> None:
    assert client.load(bookworm.source("armel")) == ()
    assert client.notes == ("bookworm does not serve armel",)


def test_a_component_that_does_not_exist(bookworm: SimulatedSuite, client: Client) -> None:
    with pytest.raises(InputError, match=r"has no component mian\nhint: it has main"):
        client.load(bookworm.source("amd64", "mian"))


def test_packages_of_architecture_all_may_lie_apart(archive: SimulatedArchive, client: Client) -> None:
    suite = archive.suite("apart", architectures=("all", "amd64"))
    suite.stanza("Package: doc\nVersion: 1\nArchitecture: all\n", arch="all").package(
        "curl", "1", arch="amd64"
    )
    assert [sorted(index.names()) for index in client.load(suite.source("amd64"))] == [["curl"], ["doc"]]


# What is fetched


@pytest.mark.parametrize(
    ("listed", "served", "expected"),
    [
        ((".xz", ".gz", ""), (".xz", ".gz"), MAIN),
        ((".xz", ""), (".xz",), MAIN),
        ((".gz", ""), (".gz",), MAIN.replace(".xz", ".gz")),
        ((".bz2", ""), (".bz2",), MAIN.replace(".xz", ".bz2")),
        (("",), ("",), MAIN.replace(".xz", "")),
        ((".xz", ".gz", ""), (".gz",), MAIN.replace(".xz", ".gz")),
        ((".xz", ".gz", ""), ("",), MAIN.replace(".xz", "")),
    ],
)
def test_the_smallest_form_that_is_listed_and_there(
    listed: tuple[str, ...],
    served: tuple[str, ...],
    expected: str,
    archive: SimulatedArchive,
    bookworm: SimulatedSuite,
    client: Client,
) -> None:
    for number in range(300):
        bookworm.package(f"filler{number}", "1")
    bookworm.listed, bookworm.served, bookworm.by_hash = listed, served, False
    assert client.curl(bookworm.source("amd64")) == "7.88.1-10"
    assert archive.requests[-1] == expected


def test_by_hash_is_asked_for_first(
    archive: SimulatedArchive, bookworm: SimulatedSuite, client: Client
) -> None:
    client.curl(bookworm.source("amd64"))
    assert "/main/binary-amd64/by-hash/SHA256/" in archive.requests[-1]


def test_an_announced_by_hash_that_is_not_there(
    archive: SimulatedArchive, bookworm: SimulatedSuite, client: Client
) -> None:
    bookworm.by_hash, bookworm.fields = False, {"Acquire-By-Hash": "yes"}
    assert client.curl(bookworm.source("amd64")) == "7.88.1-10"


def test_a_server_that_calls_the_packed_file_an_encoding(
    archive: SimulatedArchive, bookworm: SimulatedSuite, client: Client
) -> None:
    bookworm.listed, bookworm.served = (".gz", ""), (".gz",)
    archive.label("*.gz", Content_Encoding="gzip")
    assert client.curl(bookworm.source("amd64")) == "7.88.1-10"


def test_redirections_are_followed(
    archive: SimulatedArchive, bookworm: SimulatedSuite, client: Client
) -> None:
    archive.suite("bookworm", path="elsewhere").stanzas = bookworm.stanzas
    archive.redirect("/debian/dists/bookworm/InRelease", "/elsewhere/dists/bookworm/InRelease")
    assert client.curl(bookworm.source("amd64")) == "7.88.1-10"


def test_redirections_in_a_circle(
    archive: SimulatedArchive, bookworm: SimulatedSuite, client: Client
) -> None:
    archive.redirect("*/InRelease", "/debian/dists/bookworm/InRelease")
    with pytest.raises(FetchError, match="too many redirections"):
        client.curl(bookworm.source("amd64"))


def test_a_mirror_is_asked_in_place_of_the_official_host(
    archive: SimulatedArchive, bookworm: SimulatedSuite, tmp_path: Path
) -> None:
    source = Source("http://deb.debian.org/debian", "bookworm", ("main",), "amd64", archive.keys)
    (index,), _ = Archive(Network(Cache(tmp_path), archive.now, mirrors=archive.mirrors)).load([source])
    assert index.source.uri == "http://deb.debian.org/debian"
    assert index.packages("curl")
    archive.missing("*/InRelease")
    archive.missing("*/Release")
    with pytest.raises(
        FetchError, match=r"^http://deb.debian.org/debian/dists/bookworm/InRelease: HTTP status 404"
    ):
        Archive(Network(Cache(tmp_path / "other"), archive.now, mirrors=archive.mirrors)).load([source])


# What is trusted


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda body: body.replace(b"Origin: Simulated", b"Origin: Tampered!"), "not signed by a key of"),
        (
            lambda body: body.replace(b"-----\n\n", b"-----\n\nEvil: yes\n", 1),
            "not signed by a key of|one clear-signed",
        ),
        (lambda body: b"Codename: evil\n" + body, "text outside the signed block: Codename: evil"),
        (lambda body: body + b"Codename: evil\n", "text outside the signed block: Codename: evil"),
        (lambda body: body + body, "not one clear-signed text"),
        (lambda body: body.partition(b"-----BEGIN PGP SIGNATURE")[0], "not one clear-signed text"),
        (lambda body: body.partition(b"\n\n")[2].partition(b"-----BEGIN")[0], "not one clear-signed text"),
        (lambda body: b"<html>log in here</html>", "not one clear-signed text"),
        (lambda body: b"", "not one clear-signed text"),
    ],
)
def test_an_altered_release(
    change: object, message: str, archive: SimulatedArchive, bookworm: SimulatedSuite, client: Client
) -> None:
    archive.alter("*/InRelease", change)  # type: ignore[arg-type]
    with pytest.raises(TrustError, match=message):
        client.curl(bookworm.source("amd64"))


def test_a_release_signed_by_somebody_else(bookworm: SimulatedSuite, client: Client) -> None:
    bookworm.signers = [Key("Somebody Else")]
    with pytest.raises(TrustError, match="not signed by a key of"):
        client.curl(bookworm.source("amd64"))


def test_further_unknown_signers_do_not_matter(
    archive: SimulatedArchive, bookworm: SimulatedSuite, client: Client
) -> None:
    bookworm.signers = [Key("Next Release"), archive.key, Key("Last Release")]
    assert client.curl(bookworm.source("amd64")) == "7.88.1-10"


def test_release_and_its_detached_signature(
    archive: SimulatedArchive, bookworm: SimulatedSuite, client: Client
) -> None:
    archive.missing("*/InRelease")
    assert client.curl(bookworm.source("amd64")) == "7.88.1-10"


def test_a_detached_signature_by_somebody_else(
    archive: SimulatedArchive, bookworm: SimulatedSuite, client: Client
) -> None:
    archive.missing("*/InRelease")
    bookworm.signers = [Key("Somebody Else")]
    with pytest.raises(TrustError, match="Release: not signed by a key of"):
        client.curl(bookworm.source("amd64"))


def test_a_release_without_a_signature(
    archive: SimulatedArchive, bookworm: SimulatedSuite, client: Client
) -> None:
    archive.missing("*/InRelease")
    archive.missing("*/Release.gpg")
    with pytest.raises(TrustError, match="Release: not signed"):
        client.curl(bookworm.source("amd64"))


def test_expired(archive: SimulatedArchive, bookworm: SimulatedSuite, client: Client) -> None:
    bookworm.valid_for, bookworm.date = timedelta(days=7), archive.now - timedelta(days=8)
    with pytest.raises(TrustError, match="expired on 2026-11-23 12:00 UTC"):
        client.curl(bookworm.source("amd64"))


def test_expired_where_it_does_not_matter(
    archive: SimulatedArchive, bookworm: SimulatedSuite, client: Client
) -> None:
    bookworm.valid_for, bookworm.date = timedelta(days=7), archive.now - timedelta(days=8)
    assert client.curl(bookworm.source("amd64", check_valid_until=False)) == "7.88.1-10"


def test_expired_within_the_ten_minutes(
    archive: SimulatedArchive, bookworm: SimulatedSuite, client: Client
) -> None:
    bookworm.valid_for, bookworm.date = timedelta(hours=1), archive.now - timedelta(minutes=55)
    client.curl(bookworm.source("amd64"))
    later(archive, minutes=6)
    with pytest.raises(TrustError, match="expired"):
        client.curl(bookworm.source("amd64"))


def test_made_in_the_future(archive: SimulatedArchive, bookworm: SimulatedSuite, client: Client) -> None:
    bookworm.date = archive.now + timedelta(hours=1)
    with pytest.raises(TrustError, match="made in the future"):
        client.curl(bookworm.source("amd64"))


def test_the_release_of_another_suite(
    archive: SimulatedArchive, bookworm: SimulatedSuite, client: Client
) -> None:
    bookworm.fields = {"Suite": "stable", "Codename": "trixie"}
    with pytest.raises(TrustError, match="this is the Release of stable or trixie, not of bookworm"):
        client.curl(bookworm.source("amd64"))


@pytest.mark.parametrize(
    ("suite", "fields"),
    [
        ("stable", {"Suite": "stable", "Codename": "bookworm"}),
        ("buster/updates", {"Suite": "oldoldstable", "Codename": "buster"}),
    ],
)
def test_names_that_a_suite_goes_by(
    suite: str, fields: dict[str, str | None], archive: SimulatedArchive, client: Client
) -> None:
    assert client.curl(archive.suite(suite, fields=fields).package("curl", "1").source("amd64")) == "1"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"SHA256": None}, "no SHA256 and no SHA512 field"),
        ({"Date": None}, "no Date"),
        ({"Date": "yesterday"}, "Date cannot be read: yesterday"),
        ({"Valid-Until": "Fri, 31 Feb 2027 00:00:00 UTC"}, "Valid-Until cannot be read"),
        ({"SHA256": f"\n {'a' * 64} 12 ../../../etc/passwd"}, "outside the suite"),
        ({"SHA256": "\n abc 12 main/x"}, "SHA256 field cannot be read"),
    ],
)
def test_a_signed_release_that_cannot_be_used(
    fields: dict[str, str | None], message: str, bookworm: SimulatedSuite, client: Client
) -> None:
    bookworm.fields = fields
    with pytest.raises(TrustError, match=f"InRelease: .*{message}"):
        client.curl(bookworm.source("amd64"))


@pytest.mark.parametrize("by_hash", [True, False])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda body: body[:-1] + b"!", "SHA-256 [0-9a-f]{64} instead of"),
        (lambda body: body[:-1], "bytes instead of"),
        (lambda body: body + b"!", "longer than the"),
        (lambda body: b"", "0 bytes instead of"),
    ],
)
def test_an_altered_index(
    change: object,
    message: str,
    by_hash: bool,
    archive: SimulatedArchive,
    bookworm: SimulatedSuite,
    client: Client,
) -> None:
    bookworm.by_hash = by_hash
    archive.alter("*/Packages.xz", change)  # type: ignore[arg-type]
    with pytest.raises(TrustError, match=message):
        client.curl(bookworm.source("amd64"))


@pytest.mark.parametrize("misstated", [(100, "0" * 64), (10**9, "0" * 64)])
def test_a_packed_file_that_is_not_what_the_plain_one_should_be(
    misstated: tuple[int, str], bookworm: SimulatedSuite, client: Client
) -> None:
    bookworm.misstated["main/binary-amd64/Packages"] = misstated
    with pytest.raises(TrustError, match="unpacks to"):
        client.curl(bookworm.source("amd64"))
    assert not list((client.cache / "indices").iterdir())
    assert not list((client.cache / "new").iterdir())


@pytest.mark.parametrize("form", [".xz", ".gz", ".bz2"])
def test_a_packed_file_that_cannot_be_unpacked(
    form: str, bookworm: SimulatedSuite, client: Client, archive: SimulatedArchive
) -> None:
    from hashlib import sha256

    bookworm.listed, bookworm.served = (form, ""), (form,)
    bookworm.misstated[f"main/binary-amd64/Packages{form}"] = (7, sha256(b"garbage").hexdigest())
    bookworm.by_hash = False
    archive.alter(f"*/Packages{form}", lambda _: b"garbage")
    with pytest.raises(TrustError, match="cannot be unpacked"):
        client.curl(bookworm.source("amd64"))


def test_an_index_that_is_none(bookworm: SimulatedSuite, client: Client) -> None:
    bookworm.stanza("Version: 1\n", arch="amd64")
    with pytest.raises(InputError, match="no Package field"):
        client.curl(bookworm.source("amd64"))


# Time


def test_within_ten_minutes_nobody_is_asked(
    archive: SimulatedArchive, bookworm: SimulatedSuite, client: Client
) -> None:
    client.curl(bookworm.source("amd64"))
    archive.requests.clear()
    bookworm.package("curl", "9")
    later(archive, minutes=10)
    assert client.curl(bookworm.source("amd64")) == "7.88.1-10"
    assert archive.requests == []


def test_after_ten_minutes_only_the_release_is_asked_for(
    archive: SimulatedArchive, bookworm: SimulatedSuite, client: Client
) -> None:
    bookworm.date = archive.now - timedelta(days=1)
    client.curl(bookworm.source("amd64"))
    archive.requests.clear()
    later(archive, minutes=11)
    client.curl(bookworm.source("amd64"))
    assert archive.requests == ["/debian/dists/bookworm/InRelease"]
    later(archive, minutes=9)
    client.curl(bookworm.source("amd64"))
    assert archive.requests == ["/debian/dists/bookworm/InRelease"]


def test_validators_are_sent_where_the_server_gives_them(
    archive: SimulatedArchive, bookworm: SimulatedSuite, client: Client
) -> None:
    archive.validators, bookworm.date = True, archive.now - timedelta(days=1)
    client.curl(bookworm.source("amd64"))
    later(archive, minutes=11)
    assert client.curl(bookworm.source("amd64")) == "7.88.1-10"
    assert archive.headers[-1].get("If-None-Match")
    assert archive.headers[-1]["User-Agent"].startswith("pinner/")


def test_a_damaged_http_cache_is_not_revalidated(
    archive: SimulatedArchive, bookworm: SimulatedSuite, client: Client
) -> None:
    archive.validators, bookworm.date = True, archive.now - timedelta(days=1)
    client.curl(bookworm.source("amd64"))
    (entry,) = (client.cache / "http").iterdir()
    entry.write_bytes(entry.read_bytes().replace(b"bookworm", b"trixie!!"))
    later(archive, minutes=11)
    assert client.curl(bookworm.source("amd64")) == "7.88.1-10"


def test_a_new_release_brings_the_new_index_and_drops_the_old(
    archive: SimulatedArchive, bookworm: SimulatedSuite, client: Client
) -> None:
    client.curl(bookworm.source("amd64"))
    bookworm.remove("curl").package("curl", "9")
    later(archive, days=1)
    assert client.curl(bookworm.source("amd64")) == "9"
    assert len(list((client.cache / "indices").iterdir())) == 1


def test_a_replayed_release_is_not_used_and_said(
    archive: SimulatedArchive, bookworm: SimulatedSuite, client: Client
) -> None:
    client.curl(bookworm.source("amd64"))
    archive.replay("*")
    bookworm.remove("curl").package("curl", "9")
    later(archive, days=1)
    kept = list(archive._mischief)
    archive.behave()
    assert client.curl(bookworm.source("amd64")) == "9"
    archive._mischief[:] = kept
    later(archive, hours=1)
    assert client.curl(bookworm.source("amd64")) == "9"
    assert client.notes == (
        "bookworm: the archive answers with a Release of 2026-11-24 11:00 UTC, older than the verified one of "
        "2026-11-25 11:00 UTC in the cache, which stays in use",
    )


def test_a_network_that_fails_is_an_error_although_something_is_cached(
    archive: SimulatedArchive, bookworm: SimulatedSuite, client: Client
) -> None:
    client.curl(bookworm.source("amd64"))
    later(archive, minutes=11)
    archive.reset("*")
    with pytest.raises(FetchError, match=r"hint: .*--offline"):
        client.curl(bookworm.source("amd64"))
    assert client.curl(bookworm.source("amd64"), offline=True) == "7.88.1-10"
    assert client.notes == ("bookworm: as of 2026-11-24 12:00 UTC, 11 minutes ago",)


def test_offline_says_that_a_release_has_expired(
    archive: SimulatedArchive, bookworm: SimulatedSuite, client: Client
) -> None:
    bookworm.valid_for = timedelta(days=7)
    client.curl(bookworm.source("amd64"))
    later(archive, days=9)
    assert client.curl(bookworm.source("amd64"), offline=True) == "7.88.1-10"
    assert client.notes == (
        "bookworm: as of 2026-11-24 12:00 UTC, 9 days ago; its Release expired on 2026-12-01",
    )


def test_offline_with_nothing(bookworm: SimulatedSuite, client: Client, archive: SimulatedArchive) -> None:
    with pytest.raises(FetchError, match="not in the cache"):
        client.curl(bookworm.source("amd64"), offline=True)
    client.curl(bookworm.source("amd64"))
    with pytest.raises(FetchError, match="binary-arm64/Packages: not in the cache"):
        client.curl(bookworm.source("arm64"), offline=True)
    assert archive.requests[-1].startswith("/debian/dists/bookworm/main/binary-amd64/")


def test_a_failed_update_leaves_what_was_there(
    archive: SimulatedArchive, bookworm: SimulatedSuite, client: Client
) -> None:
    client.curl(bookworm.source("amd64"))
    bookworm.remove("curl").package("curl", "9")
    later(archive, days=1)
    archive.alter("*/Packages.xz", lambda body: body[:-1] + b"!")
    with pytest.raises(TrustError):
        client.curl(bookworm.source("amd64"))
    assert client.curl(bookworm.source("amd64"), offline=True) == "7.88.1-10"


# Damage


def damaged(client: Client) -> Path:
    (path,) = (client.cache / "indices").iterdir()
    return path


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: b"garbage",
        lambda content: content[:4096],
        lambda content: content[: len(content) // 2],
        lambda content: content.replace(b"7.88.1-10", b"6.66.6-66"),
        lambda content: content.replace(b"curl\t", b"cvrl\t"),
        lambda content: b"\0" * len(content),
    ],
)
def test_a_damaged_index_is_made_anew(
    damage: object, bookworm: SimulatedSuite, client: Client, archive: SimulatedArchive
) -> None:
    client.curl(bookworm.source("amd64"))
    path = damaged(client)
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]
    asked = len(archive.requests)
    assert client.curl(bookworm.source("amd64")) == "7.88.1-10"
    assert len(archive.requests) == asked + 1
    assert client.curl(bookworm.source("amd64")) == "7.88.1-10"
    assert len(archive.requests) == asked + 1


def test_a_damaged_index_offline(bookworm: SimulatedSuite, client: Client) -> None:
    client.curl(bookworm.source("amd64"))
    damaged(client).write_bytes(b"garbage")
    with pytest.raises(FetchError, match="hint: a run that does"):
        client.curl(bookworm.source("amd64"), offline=True)


@pytest.mark.parametrize(
    "damage",
    [lambda c: b"", lambda c: c[:-1], lambda c: c.replace(b"bookworm", b"trixie!!"), lambda c: b"\xff\n" * 9],
)
def test_a_damaged_release_is_asked_for_anew(
    damage: object, bookworm: SimulatedSuite, client: Client, archive: SimulatedArchive
) -> None:
    client.curl(bookworm.source("amd64"))
    (path,) = (client.cache / "releases").iterdir()
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]
    assert client.curl(bookworm.source("amd64")) == "7.88.1-10"
    assert archive.requests[-1].endswith("/InRelease")


def test_an_index_vanishes_while_it_is_used(bookworm: SimulatedSuite, client: Client) -> None:
    (index,) = client.load(bookworm.source("amd64"))
    damaged(client).unlink()
    assert index.packages("curl")[0].version == "7.88.1-10"


def test_a_cache_that_cannot_be_written(bookworm: SimulatedSuite, client: Client) -> None:
    client.cache.write_bytes(b"a file, not a directory")
    with pytest.raises(CacheError, match=r"cannot be written: Not a directory\nhint: .*PINNER_CACHE_DIR"):
        client.curl(bookworm.source("amd64"))


# The network


def test_what_passes_is_tried_again(
    archive: SimulatedArchive, bookworm: SimulatedSuite, client: Client
) -> None:
    archive.status("*/InRelease", 503, times=2, retry_after="7")
    archive.cut("*/Packages.xz", at=10, times=1)
    archive.reset("*/Packages.xz", times=1)
    assert client.curl(bookworm.source("amd64")) == "7.88.1-10"
    assert archive.waits[:2] == [7, 7]
    assert 0.5 <= archive.waits[2] <= 1 <= archive.waits[3] <= 2


@pytest.mark.parametrize(
    ("mischief", "status", "message"),
    [
        (lambda archive: archive.status("*/InRelease", 503), 503, r"HTTP status 503 \(4 tries\)"),
        (lambda archive: archive.status("*/InRelease", 429), 429, "HTTP status 429"),
        (lambda archive: archive.reset("*/InRelease"), 0, "the connection was broken"),
        (lambda archive: archive.cut("*/InRelease", at=100), 0, "the answer was cut short"),
        (lambda archive: archive.cut("*/Packages.xz", at=10), 0, "the answer was cut short"),
    ],
)
def test_what_does_not_pass(
    mischief: object,
    status: int,
    message: str,
    archive: SimulatedArchive,
    bookworm: SimulatedSuite,
    client: Client,
) -> None:
    mischief(archive)  # type: ignore[operator]
    with pytest.raises(FetchError, match=message) as caught:
        client.curl(bookworm.source("amd64"))
    assert (caught.value.status, caught.value.tries) == (status, 4)
    assert len(archive.waits) == 3


@pytest.mark.parametrize("status", [403, 404, 410, 500])
def test_statuses_that_are_final_are_not_tried_again(
    status: int, archive: SimulatedArchive, bookworm: SimulatedSuite, client: Client
) -> None:
    archive.status("*", status)
    with pytest.raises(FetchError, match=f"InRelease: HTTP status {status}"):
        client.curl(bookworm.source("amd64"))
    assert len(archive.waits) == (3 if status == 500 else 0)


def test_a_suite_that_does_not_exist(archive: SimulatedArchive, client: Client) -> None:
    with pytest.raises(
        FetchError, match=r"/debian/dists/bookwrom/InRelease: HTTP status 404\nhint: check the suite"
    ):
        client.load(Source(f"{archive.url}/debian", "bookwrom", ("main",), "amd64", archive.keys))


def test_an_index_that_is_listed_and_nowhere(
    archive: SimulatedArchive, bookworm: SimulatedSuite, client: Client
) -> None:
    archive.missing("*/Packages*")
    with pytest.raises(FetchError, match="HTTP status 404"):
        client.curl(bookworm.source("amd64"))


def test_the_first_failing_source_is_the_one_named(
    archive: SimulatedArchive, bookworm: SimulatedSuite, client: Client
) -> None:
    missing = [
        Source(f"{archive.url}/debian", name, ("main",), "amd64", archive.keys)
        for name in ("a", "b", "c", "d")
    ]
    for _ in range(5):
        with pytest.raises(PinnerError, match="dists/a/InRelease"):
            client.load(bookworm.source("amd64"), *missing)


# Keys


def test_a_keyring_that_is_not_here(bookworm: SimulatedSuite, client: Client) -> None:
    source = Source(bookworm.uri, "bookworm", ("main",), "amd64", Keys("/no/such/keyring.pgp"))
    with pytest.raises(InputError, match="keyring cannot be read"):
        client.load(source)


def test_the_same_bytes_are_not_good_for_ever(
    archive: SimulatedArchive, bookworm: SimulatedSuite, client: Client
) -> None:
    key = Key(expires_after=timedelta(days=30))
    archive.now = datetime.now(UTC)  # keys are made now
    bookworm.signers, bookworm.date = [key], archive.now - timedelta(days=1)
    source = bookworm.source("amd64")._replace(signed_by=archive.keyring(bytes(key.certificate)))
    for day in (0, 29):
        later(archive, days=day)
        assert client.curl(source) == "7.88.1-10"
    later(archive, days=2)
    with pytest.raises(TrustError, match="expired on"):
        client.curl(source)


@pytest.mark.parametrize("change", [lambda key: key.revoked(), lambda key: bytes(Key().certificate)])
def test_the_same_bytes_are_not_good_by_another_keyring(
    archive: SimulatedArchive, bookworm: SimulatedSuite, client: Client, change: Callable[[Key], bytes]
) -> None:
    bookworm.date = archive.now - timedelta(days=1)
    source = bookworm.source("amd64")
    assert client.curl(source) == "7.88.1-10"
    Path(source.signed_by.keyring).write_bytes(change(archive.key))
    later(archive, minutes=11)
    with pytest.raises(TrustError, match=r"revoked|not signed by a key"):
        client.curl(source)


# SHA-512


@pytest.mark.parametrize("by_hash", [True, False])
@pytest.mark.parametrize("hashes", [("SHA512",), ("SHA256", "SHA512")])
def test_the_stronger_hash_of_a_release_counts(
    hashes: tuple[str, ...], by_hash: bool, archive: SimulatedArchive, client: Client
) -> None:
    suite = archive.suite("stonking")
    suite.hashes, suite.by_hash = hashes, by_hash
    suite.package("curl", "8.20")
    (index,) = client.load(suite.source("amd64"))
    assert len(index.packages("curl")[0].digest) == (64 if "SHA256" in hashes else 128)
    assert any("/by-hash/SHA512/" in path for path in archive.requests) == by_hash
    later(archive, hours=1)
    suite.date = archive.now - timedelta(minutes=1)
    suite.package("jq", "1.8").misstated["main/binary-amd64/Packages.xz"] = (1, "0" * 128)
    with pytest.raises(TrustError, match="longer than"):
        client.load(suite.source("amd64"))


# Other addresses of the same files


def test_a_stand_in_is_asked_where_the_first_has_nothing(archive: SimulatedArchive, client: Client) -> None:
    suite = archive.suite("resolute", path="ubuntu").package("curl", "8.18")
    ports = f"{archive.url}/ubuntu-ports"
    source = suite.source("arm64")._replace(uri=ports, stand_ins=(f"{archive.url}/nothing", suite.uri))
    assert client.curl(source) == "8.18"
    assert source.uri == ports  # what the lock states


def test_without_any_the_first_address_is_the_fault(archive: SimulatedArchive, client: Client) -> None:
    archive.suite("resolute", path="ubuntu")
    other = f"{archive.url}/nothing"
    source = archive.suites[0].source("arm64")._replace(uri=f"{archive.url}/ports", stand_ins=(other,))
    with pytest.raises(FetchError, match="/ports/dists/resolute/InRelease"):
        client.load(source)
