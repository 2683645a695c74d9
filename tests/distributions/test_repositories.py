"""The catalogue of third-party repositories: what a source line means, and that the data are sound."""

from __future__ import annotations

import re

import pytest

from pinner.distributions import repositories
from pinner.distributions.tables import rows


@pytest.mark.parametrize(
    ("uri", "suite", "name"),
    [
        ("https://deb.nodesource.com/node_20.x", "nodistro", "nodesource"),
        ("https://deb.nodesource.com/node_16.x/", "bullseye", "nodesource-legacy"),
        ("http://apt.postgresql.org/pub/repos/apt/", "bookworm-pgdg", "postgresql-pgdg"),
        ("http://APT.PostgreSQL.org/pub/repos/apt", "jammy-pgdg", "postgresql-pgdg"),
        ("https://repo.mongodb.org/apt/ubuntu", "jammy/mongodb-org/7.0", "mongodb-7.0"),
        ("https://developer.download.nvidia.com/compute/cuda/repos/ubuntu2204/x86_64", "/", "nvidia-cuda"),
        ("https://cloud.r-project.org/bin/linux/ubuntu", "jammy-cran40/", "cran-ubuntu"),
        ("https://cloud.r-project.org/bin/linux/ubuntu/jammy-cran40/", "./", "cran-ubuntu"),
        ("http://ppa.launchpad.net/deadsnakes/ppa/ubuntu", "jammy", "ppa-deadsnakes-ppa"),
        ("https://packages.microsoft.com/debian/12/prod", "bookworm", "microsoft-2015"),
        ("https://packages.microsoft.com/debian/13/prod", "trixie", "microsoft-2025"),
        # Another suite, another place on a host that many share, a login, a way around, no web address.
        ("https://deb.nodesource.com/node_20.x", "Nodistro", ""),
        ("https://storage.googleapis.com/others-apt", "stable", ""),
        ("https://bot:secret@deb.nodesource.com/node_20.x", "nodistro", ""),
        ("https://deb.nodesource.com/node_20.x/../node_20.x", "nodistro", ""),
        ("https://deb.nodesource.com.example.org/node_20.x", "nodistro", ""),
        ("file:/srv/apt", "nodistro", ""),
        ("", "", ""),
    ],
)
def test_a_source_is_known_by_its_address_and_suite(uri: str, suite: str, name: str) -> None:
    found = repositories.find(uri, suite)
    assert (found.name if found else "") == name


def test_where_many_share_a_key_the_address_is_asked_over_https() -> None:
    ppa = repositories.find("http://ppa.launchpad.net/deadsnakes/ppa/ubuntu/", "jammy")
    assert ppa and ppa.shared and ppa.uri == "https://ppa.launchpad.net/deadsnakes/ppa/ubuntu"
    pgdg = repositories.find("http://apt.postgresql.org/pub/repos/apt", "bookworm-pgdg")
    assert pgdg and not pgdg.shared and pgdg.uri == "http://apt.postgresql.org/pub/repos/apt"


def test_the_address_of_a_key_may_depend_on_the_source() -> None:
    uri = "https://pkgs.k8s.io/core:/stable:/v1.31/deb/"
    found = repositories.find(uri, "/")
    assert found and found.keys == (f"{uri}Release.key",)
    found = repositories.find("http://pkgs.tailscale.com/stable/debian", "bookworm")
    assert found and found.keys == ("https://pkgs.tailscale.com/stable/debian/bookworm.noarmor.gpg",)


def test_a_locked_key_leads_to_its_repository() -> None:
    uri, key = "https://repo.mongodb.org/apt/ubuntu", "https://pgp.mongodb.com/server-6.0.asc"
    found = repositories.of_key(uri, key, ())
    assert found and found.name == "mongodb-6.0"
    found = repositories.of_key(uri, "https://elsewhere.example.org/key", found.fingerprints)
    assert found and found.name == "mongodb-6.0"
    assert repositories.of_key(uri, "https://elsewhere.example.org/key", ("0" * 40,)) is None


@pytest.mark.parametrize(
    "row", [each.fields for each in rows("repository")], ids=lambda row: str(row["name"])
)
def test_rows_are_sound(row: dict[str, object]) -> None:
    uris, keys = row["uris"], row["keys"]
    prints, retired = row["fingerprints"], row.get("retired", [])
    assert isinstance(uris, list) and isinstance(keys, list)
    assert isinstance(prints, list) and isinstance(retired, list)
    assert set(row) <= {
        "name",
        "uris",
        "suites",
        "keys",
        "fingerprints",
        "retired",
        "shared",
        "serves",
        "example",
    }
    assert prints and all(re.fullmatch(r"[0-9A-F]{40}", each) for each in (*prints, *retired))
    assert not set(prints) & set(retired)
    assert all("://" not in uri and not uri.endswith("/") for uri in uris)
    assert all(re.match(r"https://|\{uri\}/", key) for key in keys)


def test_every_key_has_an_address() -> None:
    for each in repositories.every():
        assert all("{" not in key and "*" not in key for key in each.keys), each.name


def test_a_host_that_many_share_is_never_named_alone() -> None:
    shared = (
        "storage.googleapis.com",
        "packagecloud.io",
        "dl.cloudsmith.io",
        "download.opensuse.org",
        "ppa.",
    )
    for row in (each.fields for each in rows("repository")):
        for uri in row["uris"]:
            host, _, path = uri.partition("/")
            assert not host.startswith(shared) or path.count("/") >= 1 or path == "bazel-apt", uri
