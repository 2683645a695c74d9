"""`pinner lock --snapshot`, `--write-sources`, `unpin --sources` and `export sources`, against the service."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.test_base_images import image
from tests.cli.workbench import Workbench, debian
from tests.images.test_image_archive import archive as saved_archive
from tests.images.test_image_archive import saved
from tests.registry import official
from tests.snapshots import SnapshotService

OLD, NEW, SECURITY = "20260301T031500Z", "20260601T091700Z", "20260228T200000Z"
PLAIN = "FROM debian:bookworm-20260201-slim\nRUN apt-get update && apt-get install -y curl\n"
APT = {"apt": "2.6.1"}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    service = SnapshotService(now=datetime.now(UTC), architectures=("amd64", "arm64"))
    week = timedelta(days=7)
    for stamp, curl in ((OLD, "7.88-1"), (NEW, "7.88-2")):
        content = {"bookworm": APT | {"curl": curl, "jq": "1.6"}, "bookworm-updates": {}}
        service.run("debian", stamp, content, valid_for=week)
    service.run("debian-security", SECURITY, {"bookworm-security": {}}, valid_for=week)
    service.run("debian-security", "20260601T120000Z", {"bookworm-security": {"curl": "7.88-2+deb12u1"}})
    debian(service, "bookworm").package("curl", "7.88-9").package("jq", "1.6")
    folder = tmp_path / "project"
    folder.mkdir()
    with service.serve():
        bench = Workbench(folder, service, tmp_path)
        bench.configure("[snapshot]\ninterval = 0\n")
        bench.write("Dockerfile", PLAIN)
        yield bench


def block(debian: str, security: str) -> str:
    moment = f"debian {debian}, debian-security {security}"
    return f"""\
# >>> pinner sources: {moment} (`pinner lock --write-sources` wrote this, `pinner unpin --sources` removes it)
RUN rm -f /etc/apt/sources.list /etc/apt/sources.list.d/* \\
 && printf '%s\\n' \\
      'Types: deb' \\
      'URIs: http://snapshot.debian.org/archive/debian/{debian}' \\
      'Suites: bookworm bookworm-updates' \\
      'Components: main' \\
      'Check-Valid-Until: no' \\
      'Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg' \\
      '' \\
      'Types: deb' \\
      'URIs: http://snapshot.debian.org/archive/debian-security/{security}' \\
      'Suites: bookworm-security' \\
      'Components: main' \\
      'Check-Valid-Until: no' \\
      'Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg' \\
      > /etc/apt/sources.list.d/pinner.sources \\
 && printf '%s\\n' \\
      'APT::Update::Error-Mode "any";  // --error-on=any' \\
      'Acquire::Retries "10";' \\
      'Acquire::Retries::HandleRetryAfter "true";' \\
      > /etc/apt/apt.conf.d/99pinner-snapshot
# <<< pinner sources
"""


def test_a_lock_at_a_moment(bench: Workbench) -> None:
    result = bench.run("lock", "--snapshot", "2026-03-02", "Dockerfile")
    assert (result.status, result.err) == (
        0,
        f"note: snapshot: debian {OLD}, debian-security {SECURITY}\n"
        "note: the build reads the archive as it is then: --write-sources makes it read the snapshot\n",
    )
    assert "curl=7.88-1\n" in bench.read("Dockerfile")
    lock = bench.read("pinner.lock")
    assert f'uri = "http://snapshot.debian.org/archive/debian/{OLD}"' in lock
    assert f'uri = "http://snapshot.debian.org/archive/debian-security/{SECURITY}"' in lock
    assert "deb.debian.org" not in lock
    before = bench.files()
    asked = len(bench.archive.requests)
    assert bench.run("lock", "--snapshot", "20260302", "--check", "Dockerfile").status == 0
    assert bench.files() == before
    assert len(bench.archive.requests) == asked  # all of it was learned


def test_the_moment_decides_over_an_earlier_lock(bench: Workbench) -> None:
    bench.write("Dockerfile", PLAIN.replace("curl", "jq"))
    bench.run("lock", "Dockerfile")
    assert "snapshot" not in bench.read("pinner.lock")
    bench.run("lock", "--snapshot", "latest", "Dockerfile")
    assert NEW in bench.read("pinner.lock") and "deb.debian.org" not in bench.read("pinner.lock")


def test_a_pin_that_the_moment_does_not_have(bench: Workbench) -> None:
    bench.write("Dockerfile", PLAIN.replace("curl", "curl=7.88-9"))
    result = bench.run("lock", "--snapshot", "latest", "Dockerfile")
    assert result.status == 1
    assert "7.88-9 is no longer in the archive (candidate 7.88-2+deb12u1)" in result.out


def test_the_block_is_written_and_only_inserted(bench: Workbench) -> None:
    bench.write("Dockerfile", PLAIN.replace("RUN", "ENV A=1\n# what we need\nRUN"))
    result = bench.run("lock", "--snapshot", "2026-03-02", "--write-sources", "Dockerfile")
    assert result.status == 0, result
    written = bench.read("Dockerfile")
    assert written == (
        "FROM debian:bookworm-20260201-slim\nENV A=1\n" + block(OLD, SECURITY) + "# what we need\n"
        "RUN apt-get update && apt-get install -y curl=7.88-1\n"
    )


def test_a_file_with_a_block_is_read_at_its_moment(bench: Workbench) -> None:
    bench.run("lock", "--snapshot", "2026-03-02", "--write-sources", "Dockerfile")
    before = bench.files()
    assert bench.run("lock", "Dockerfile").status == 0
    assert bench.run("lock", "--write-sources", "Dockerfile").status == 0
    assert bench.run("lock", "--snapshot", "2026-03-02", "--write-sources", "Dockerfile").status == 0
    assert bench.files() == before
    verified = bench.run("verify", "Dockerfile")
    assert verified.status == 0, verified


@pytest.mark.parametrize("option", [[], ["--write-sources"]])
def test_a_block_is_changed_in_place(bench: Workbench, option: list[str]) -> None:
    bench.run("lock", "--snapshot", "2026-03-02", "--write-sources", "Dockerfile")
    bench.write("Dockerfile", bench.read("Dockerfile").replace("curl=7.88-1", "curl"))
    assert bench.run("lock", "--snapshot", "latest", *option, "Dockerfile").status == 0
    assert bench.read("Dockerfile") == (
        "FROM debian:bookworm-20260201-slim\n" + block(NEW, "20260601T120000Z") + ""
        "RUN apt-get update && apt-get install -y curl=7.88-2+deb12u1\n"
    )


def test_unpin_takes_it_out_again(bench: Workbench) -> None:
    bench.run("lock", "--snapshot", "2026-03-02", "--write-sources", "Dockerfile")
    assert bench.run("unpin", "--sources", "--check").status == 1
    result = bench.run("unpin", "--sources")
    assert result.status == 0
    assert "Dockerfile: its build reads the live archive again\n" in result.out
    assert bench.read("Dockerfile") == PLAIN
    assert bench.run("unpin", "--sources", "--check").status == 0


def test_export_sources(bench: Workbench) -> None:
    bench.run("lock", "--snapshot", "2026-03-02", "--write-sources", "Dockerfile")
    result = bench.run("export", "sources")
    written = bench.read("Dockerfile")
    assert result.status == 0 and "/etc/apt/sources.list.d/pinner.sources" in result.err
    assert all(f"'{line}' \\\n" in written for line in result.out.splitlines())
    assert OLD in result.out and SECURITY in result.out
    later = bench.run("export", "sources", "--snapshot", "latest")
    assert NEW in later.out and later.out.count("Types: deb") == 2
    packages = bench.run("export", "packages", "--platform", "amd64")
    assert packages.status == 0 and "Version: 7.88-1\n" in packages.out


def test_one_block_for_stages_built_on_each_other(bench: Workbench) -> None:
    bench.write(
        "Dockerfile",
        "FROM debian:bookworm-20260201 AS base\nRUN apt-get install -y curl\n"
        "FROM base AS more\nRUN apt-get install -y apt\n"
        'FROM debian:bookworm-20260201\nSHELL ["/bin/bash", "-c"]\nRUN apt-get install -y apt\n',
    )
    assert bench.run("lock", "--snapshot", "latest", "--write-sources", "Dockerfile").status == 0
    text = bench.read("Dockerfile")
    assert text.count("# >>>") == 2
    assert "FROM base AS more\nRUN" in text


def test_escape_character_and_line_ends_of_the_file(bench: Workbench) -> None:
    original = ("# escape=`\n" + PLAIN).replace("\n", "\r\n")
    bench.write("Dockerfile", original)
    assert bench.run("lock", "--snapshot", "latest", "--write-sources", "Dockerfile").status == 0
    text = bench.read("Dockerfile")
    assert "sources.list.d/* `\r\n" in text and "\n" not in text.replace("\r\n", "")
    assert bench.run("lock", "--check", "Dockerfile").status == 0
    bench.run("unpin", "--sources")
    assert bench.read("Dockerfile") == original


def test_an_older_suite_has_a_sources_list(bench: Workbench) -> None:
    service = bench.archive
    assert isinstance(service, SnapshotService)
    service.run("debian", "20260701T000000Z", {"bullseye": APT, "bullseye-updates": {}})
    service.run("debian-security", "20260701T000000Z", {"bullseye-security": {}})
    bench.write("Dockerfile", "FROM debian:bullseye\nRUN apt-get install -y apt\n")
    result = bench.run("lock", "--snapshot", "latest", "--write-sources", "Dockerfile")
    assert result.status == 0, result
    options = "[check-valid-until=no signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"
    root = "http://snapshot.debian.org/archive"
    assert f"'deb {options} {root}/debian/20260701T000000Z bullseye main'" in bench.read("Dockerfile")
    assert "/etc/apt/sources.list.d/pinner.list" in bench.read("Dockerfile")
    assert "the date of this image is not known" in result.err


def test_an_image_newer_than_the_snapshot_is_said(bench: Workbench) -> None:
    bench.write("Dockerfile", PLAIN.replace("20260201", "20260901"))
    result = bench.run("lock", "--snapshot", "latest", "Dockerfile")
    assert "debian:bookworm-20260901-slim: the image is newer than the snapshot" in result.err
    bench.write("Dockerfile", PLAIN.replace("20260201", "20260301"))  # security had no import since
    result = bench.run("lock", "--snapshot", "2026-03-02", "Dockerfile")
    assert "image" not in result.err


def test_an_image_tells_its_date_itself(bench: Workbench, tmp_path: Path) -> None:
    sources = str(official("bookworm", "20260501T000000Z")["etc/apt/sources.list.d/debian.sources"])
    made = image({"apt": "2.6.1"}, packing="plain", **{"etc__apt__sources.list.d__debian.sources": sources})
    path = saved_archive(tmp_path, saved(made))
    bench.write("Dockerfile", PLAIN.replace("-20260201-slim", ""))
    arguments = ("--image-archive", str(path), "--platform", "amd64", "--dry-run", "Dockerfile")
    assert "image is newer" in bench.run("lock", "--snapshot", "2026-03-02", *arguments).err
    assert "image" not in bench.run("lock", "--snapshot", "latest", *arguments).err


def test_no_root_no_block(bench: Workbench) -> None:
    bench.write("Dockerfile", PLAIN.replace("RUN", "USER app\nRUN sudo"))
    result = bench.run("lock", "--snapshot", "latest", "--write-sources", "Dockerfile")
    assert result.status == 3
    assert "Dockerfile:3:1: apt's sources cannot be written here: the stage runs as user app" in result.err


def test_what_one_file_cannot_have_costs_that_file_alone(bench: Workbench) -> None:
    bench.write("a.Dockerfile", PLAIN.replace("RUN", "USER app\nRUN sudo"))
    sed = "RUN sed -i 's/main/main contrib/' /etc/apt/sources.list.d/debian.sources\n"
    bench.write("b.Dockerfile", PLAIN.replace("RUN", f"{sed}RUN"))
    bench.write("c.Dockerfile", PLAIN.replace("bookworm", "trixie"))
    result = bench.run("lock", "--snapshot", "latest", "--write-sources")
    assert result.status == 3, result
    assert "a.Dockerfile:3:1: apt's sources cannot be written here" in result.err
    assert "has no component contrib\nhint: it has main\nnot locked for that: b.Dockerfile\n" in result.err
    assert "hint: the archive did not have it at that time" in result.err
    assert "not locked for that: c.Dockerfile\n" in result.err
    assert "curl=7.88-2+deb12u1" in bench.read("Dockerfile") and "# >>>" in bench.read("Dockerfile")
    assert bench.read("a.Dockerfile") == PLAIN.replace("RUN", "USER app\nRUN sudo")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda text: text.replace("# <<< pinner sources\n", ""), "this block has no end"),
        (lambda text: text[text.index("RUN rm") :], "FROM"),
        (lambda text: text.replace("# >>>", "# >"), "this block has no beginning"),
        (lambda text: text.replace("snapshot.debian.org", "deb.debian.org"), "does not name one moment"),
    ],
)
def test_a_damaged_block_is_refused(bench: Workbench, damage: object, said: str) -> None:
    bench.run("lock", "--snapshot", "latest", "--write-sources", "Dockerfile")
    assert callable(damage)
    bench.write("Dockerfile", damage(bench.read("Dockerfile")))
    for command in (["lock"], ["unpin", "--sources"]):
        result = bench.run(*command, "Dockerfile")
        assert result.status == 3
        assert said in result.err


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--snapshot", "soon"], 2, "soon is not a moment"),
        (["--snapshot", "2099-01-01"], 2, "in the future"),
        (["--snapshot", "2020-01-01"], 3, "no snapshot of debian as early"),
        (["--write-sources"], 2, "--write-sources needs --snapshot"),
    ],
)
def test_moments_that_cannot_be(bench: Workbench, arguments: list[str], status: int, said: str) -> None:
    before = bench.files()
    result = bench.run("lock", *arguments, "Dockerfile")
    assert result.status == status and said in result.err
    assert bench.files() == before


def test_a_service_that_is_down(bench: Workbench) -> None:
    bench.archive.status("/mr/*", 404)
    result = bench.run("lock", "--snapshot", "latest", "Dockerfile")
    assert result.status == 5 and "http://snapshot.debian.org/mr/timestamp/" in result.err


def test_ubuntu(bench: Workbench) -> None:
    stamp = "20261101T000000Z"
    for pocket in ("", "-updates", "-backports", "-security"):
        components = ("main", "universe", "restricted", "multiverse")
        suite = bench.archive.suite(f"noble{pocket}", path=f"ubuntu/{stamp}", components=components)
        suite.package("curl", f"8{pocket or '-0'}")
    for suite in bench.archive.suites[-4:]:
        suite.date = datetime(2026, 10, 31, tzinfo=UTC)
    key = bytes(bench.archive.key.certificate)
    (bench.keyrings / "ubuntu-archive-keyring.pgp").write_bytes(key)
    bench.write("pinner.toml", f'[mirrors]\n"http://snapshot.ubuntu.com" = "{bench.archive.url}"\n'
                "[snapshot]\ninterval = 0\n")  # fmt: skip
    bench.write("Dockerfile", "FROM ubuntu:24.04\nRUN apt-get install -y curl\n")
    result = bench.run("lock", "--snapshot", "2026-11-01", "--write-sources", "Dockerfile")
    assert result.status == 0, result
    assert "linux/arm64" in bench.read("pinner.lock")
    text = bench.read("Dockerfile")
    assert f"'URIs: http://snapshot.ubuntu.com/ubuntu/{stamp}'" in text
    assert "'Suites: noble noble-updates noble-backports noble-security'" in text
    assert "curl=8-" in text and "/usr/share/keyrings/ubuntu-archive-keyring.gpg" in text


PGDG = "http://apt.postgresql.org/pub/repos/apt"
UNKEPT = f"apt reads {PGDG} too, which has no snapshot and may serve another version"


def test_a_repository_without_snapshots_costs_what_depends_on_it_alone(bench: Workbench) -> None:
    bench.configure(f'[snapshot]\ninterval = 0\n[[source]]\nuri = "{PGDG}"\nkey = "pgdg.asc"\n')
    bench.write("pgdg.asc", "")
    bench.write("pgdg.list", f"deb {PGDG} bookworm-pgdg main\n")
    bench.write(
        "Dockerfile",
        "FROM debian:bookworm-20260201-slim AS first\nRUN apt-get install -y curl\n"
        f"RUN echo 'deb {PGDG} bookworm-pgdg main' > /etc/apt/sources.list.d/pgdg.list\n"
        "RUN apt-get update && apt-get install -y jq postgresql-17=17.2-1.pgdg120+1\n"
        "FROM debian:bookworm-20260201-slim\nCOPY pgdg.list /etc/apt/sources.list.d/\n"
        "RUN apt-get update && apt-get install -y jq\n",
    )
    bench.write("other.Dockerfile", PLAIN)
    result = bench.run("lock", "--snapshot", "2026-03-02", "--write-sources")
    assert result.status == 0, result
    assert f"  not pinned [other-repository]: {UNKEPT}\n" in result.out
    assert f"  not pinned [other-repository]: it is not where pinner looks, and {UNKEPT}\n" in result.out
    text = bench.read("Dockerfile")
    assert "install -y curl=7.88-1\n" in text and "install -y jq postgresql-17=17.2-1.pgdg120+1\n" in text
    # The second stage reads nothing that is read here: a block would only take its repository away.
    assert text.count("# >>>") == 1 and text.index("# >>>") < text.index("RUN apt-get install -y curl")
    assert "line 3 changes where apt takes packages from, and the build reads that live" in result.err
    assert "curl=7.88-1" in bench.read("other.Dockerfile")
    assert bench.run("lock", "--snapshot", "2026-03-02", "--write-sources", "--strict").status == 1
    bench.write("Dockerfile", re.sub(r"(?s)# >>> pinner.*?# <<< pinner sources\n", "", text))
    found = bench.run("snapshot", "find", "--platform", "amd64", "Dockerfile")
    assert found.status == 1
    assert "bookworm: the version is there at" in found.out  # curl
    assert f"no snapshot has postgresql-17=17.2-1.pgdg120+1 (amd64); {UNKEPT}\n" in found.out


def test_a_pin_that_the_moment_lacks_leaves_the_file_alone(bench: Workbench) -> None:
    text = PLAIN.replace("curl", "curl=7.88-9 jq")
    bench.write("Dockerfile", text)
    bench.write("b/Dockerfile", PLAIN)
    result = bench.run("lock", "--snapshot", OLD, "--write-sources", "--platform", "amd64")
    assert result.status == 1
    assert bench.read("Dockerfile") == text
    assert "left as it is, since the snapshot lacks another version" in result.out
    assert "curl=7.88-1" in bench.read("b/Dockerfile")
    assert f">>> pinner sources: debian {OLD}" in bench.read("b/Dockerfile")
    assert '"Dockerfile"' not in bench.read("pinner.lock")


def test_refresh_moves_pins_and_block_together(bench: Workbench) -> None:
    bench.run("lock", "--snapshot", OLD, "--write-sources", "--platform", "amd64")
    assert "curl=7.88-1" in bench.read("Dockerfile")
    result = bench.run("refresh", "--snapshot", "2026-06-02")
    assert result.status == 0, result.err
    assert "curl=7.88-2+deb12u1" in bench.read("Dockerfile")
    assert f">>> pinner sources: debian {NEW}" in bench.read("Dockerfile")
    assert bench.run("lock", "--check").status == 0
    assert bench.run("refresh", "--snapshot", OLD).status == 0
    assert "curl=7.88-1" in bench.read("Dockerfile")
    assert f">>> pinner sources: debian {OLD}" in bench.read("Dockerfile")
