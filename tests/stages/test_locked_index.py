from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pinner.apt.release import Release
from pinner.apt.sources import Keys, Source
from pinner.lock.schema import Lock, LockedPackage, LockedRelease
from pinner.stages.locked_index import NotLocked, stand_in

URI, SUITE = "http://security.debian.org/debian-security", "bookworm-security"
SOURCE = Source(URI, SUITE, ("main", "contrib"), "amd64", Keys("debian.pgp"))
RELEASE = Release(
    *("", "", "", "", "", datetime(2026, 1, 1, tzinfo=UTC), None, False, False, True, ("amd64",)),
    ("main", "contrib"),
    {},
)


def locked(*filenames: str) -> Lock:
    rows = (
        LockedPackage(f"p{number}", "1", "amd64", SUITE, URI, name, 1, "d")
        for number, name in enumerate(filenames)
    )
    return Lock((LockedRelease(URI, SUITE, "main", "2026-01-01T00:00:00Z", "digest"),), (), tuple(rows))


@pytest.mark.parametrize("filename", ["pool/updates/main/p/p/p0.deb", "pool/main/p/p/p0.deb"])
def test_a_package_is_in_the_component_of_its_file(filename: str) -> None:
    index = stand_in(locked(filename, "pool/updates/contrib/p/p/p1.deb"))(SOURCE, "main", RELEASE, "digest")
    assert index is not None
    assert [each.filename for each in index.packages("p0")] == [filename]
    assert index.packages("p1") == ()
    for ask in (index.packages, index.providers, index.order, index.source_versions):
        with pytest.raises(NotLocked):
            ask("other")


def test_nothing_stands_in_for_another_release_or_another_layout() -> None:
    assert stand_in(locked("pool/main/p0.deb"))(SOURCE, "main", RELEASE, "other") is None
    assert stand_in(locked("pool/main/p0.deb"))(SOURCE, "contrib", RELEASE, "digest") is None
    index = stand_in(locked("all/p0.deb"))(SOURCE, "main", RELEASE, "digest")
    assert index is not None
    with pytest.raises(NotLocked):
        index.packages("p0")
