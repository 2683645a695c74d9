"""Repositories that a Dockerfile adds: read where their keys are known, else their stage's words stay as they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pinner.lock.reader import loads
from tests.cli.workbench import RELEASED, Result, Workbench, debian, ubuntu
from tests.simulator import SimulatedArchive


@pytest.fixture
def archive() -> Iterator[SimulatedArchive]:
    archive = SimulatedArchive()
    main = debian(archive, "bookworm").package("curl", "7.88").package("postgresql-16", "16.0")
    main.package("steam", "1.0", component="contrib")
    for suite in archive.suites:
        suite.components = ["main", "contrib"]
    pgdg = archive.suite("bookworm-pgdg", path="pgdg").package("postgresql-16", "16.4-1.pgdg120+1")
    pgdg.package("libpq5", "16.4-1.pgdg120+1")
    fields = {"NotAutomatic": "yes", "ButAutomaticUpgrades": "yes"}
    backports = archive.suite("bookworm-backports", fields=fields).package("curl", "8.0~bpo12+1")
    pgdg.date = backports.date = RELEASED
    with archive.serve():
        yield archive


@pytest.fixture
def bench(archive: SimulatedArchive, tmp_path: Path) -> Workbench:
    (tmp_path / "project").mkdir()
    bench = Workbench(tmp_path / "project", archive, tmp_path)
    bench.write("keys/pgdg.pgp", bytes(archive.key.certificate))
    return bench


def known(bench: Workbench, archive: SimulatedArchive, more: str = "") -> None:
    source = (
        f'[[source]]\nuri = "https://apt.postgresql.example/pub/repos/apt"\nkey = "keys/pgdg.pgp"\n{more}'
    )
    mirrors = archive.mirrors | {"https://apt.postgresql.example/pub/repos/apt": f"{archive.url}/pgdg"}
    lines = "".join(f'"{official}" = "{here}"\n' for official, here in mirrors.items())
    bench.write("pinner.toml", f"{source}\n[mirrors]\n{lines}")


def lock(bench: Workbench, *lines: str, image: str = "debian:bookworm") -> Result:
    bench.write("Dockerfile", "\n".join((f"FROM {image}", *lines, "")))
    return bench.run("lock")


PGDG = (
    'RUN echo "deb [signed-by=/usr/share/keyrings/pgdg.gpg] http://apt.postgresql.example/pub/repos/apt '
    '$(lsb_release -cs)-pgdg main" > /etc/apt/sources.list.d/pgdg.list'
)


def test_a_repository_whose_keys_are_known(bench: Workbench, archive: SimulatedArchive) -> None:
    known(bench, archive)
    result = lock(bench, "RUN apt-get install -y curl", PGDG, "RUN apt-get install -y postgresql-16 curl")
    assert result.status == 0, result
    assert "postgresql-16=16.4-1.pgdg120+1 curl=7.88" in bench.read("Dockerfile")
    found = loads(bench.read("pinner.lock"))
    assert {
        (package.uri, package.suite) for package in found.packages if package.name == "postgresql-16"
    } == {("https://apt.postgresql.example/pub/repos/apt", "bookworm-pgdg")}
    before = bench.files()
    assert bench.run("lock", "--check").status == 0
    assert bench.files() == before


def test_a_repository_that_nobody_vouches_for(bench: Workbench) -> None:
    result = lock(bench, "RUN apt-get install -y curl", PGDG, "RUN apt-get install -y curl")
    assert "line 3 changes where apt takes packages from: http://apt.postgresql.example" in result.out
    assert "[[source]]" in result.out
    assert bench.read("Dockerfile").count("curl=7.88") == 1


def test_the_keys_are_those_that_were_named(bench: Workbench, archive: SimulatedArchive) -> None:
    known(bench, archive, f'fingerprints = ["{"A" * 40}"]\n')
    result = lock(bench, PGDG, "RUN apt-get install -y postgresql-16")
    assert result.status == 3
    assert "holds none of the wanted keys" in result.err


def test_backports_need_no_keys(bench: Workbench) -> None:
    line = (
        'RUN echo "deb http://deb.debian.org/debian bookworm-backports main" > /etc/apt/sources.list.d/b.list'
    )
    result = lock(bench, line, "RUN apt-get install -y curl && apt-get install -y -t bookworm-backports curl")
    assert result.status == 0, result
    assert bench.read("Dockerfile").endswith(
        "curl=7.88 && apt-get install -y -t bookworm-backports curl=8.0~bpo12+1\n"
    )


def test_an_alias_of_a_suite_whose_stage_changes_its_sources(
    bench: Workbench, archive: SimulatedArchive
) -> None:
    archive.suite("oldstable", fields={"Codename": "bookworm"}).package("curl", "7.99").date = RELEASED
    line = "RUN sed -i 's/Components: main/Components: main contrib/' /etc/apt/sources.list.d/debian.sources"
    result = lock(bench, line, "RUN ./autogen.sh && apt-get install -y steam curl", image="debian:oldstable")
    assert "steam=1.0 curl=7.88" in bench.read("Dockerfile"), result
    line = "RUN echo deb http://deb.debian.org/debian oldstable main > /etc/apt/sources.list.d/old.list"
    lock(bench, line, "RUN apt-get install -y curl")
    assert "curl=7.99" in bench.read("Dockerfile")


@pytest.mark.parametrize(
    "line",
    [
        "RUN sed -i 's/Components: main/Components: main contrib/' /etc/apt/sources.list.d/debian.sources",
        "RUN add-apt-repository contrib",
        "RUN echo deb http://deb.debian.org/debian bookworm main contrib >> /etc/apt/sources.list",
    ],
)
def test_components(bench: Workbench, line: str) -> None:
    result = lock(bench, line, "RUN apt-get install -y steam curl")
    assert result.status == 0, result
    assert "steam=1.0 curl=7.88" in bench.read("Dockerfile")


def test_a_stage_built_on_the_stage_that_adds(bench: Workbench, archive: SimulatedArchive) -> None:
    known(bench, archive)
    result = lock(bench, PGDG, "FROM debian:bookworm AS other", "RUN apt-get install -y postgresql-16")
    assert result.status == 0
    assert "postgresql-16=16.0" in bench.read("Dockerfile")
    lock(
        bench,
        PGDG,
        "FROM first AS second",
        "RUN apt-get install -y postgresql-16",
        image="debian:bookworm AS first",
    )
    assert "postgresql-16=16.4" in bench.read("Dockerfile")


def test_an_ubuntu_list_that_is_replaced(bench: Workbench, archive: SimulatedArchive) -> None:
    ubuntu(archive, "jammy")
    for suite in archive.suites:
        if suite.name in {"jammy", "jammy-updates"}:
            suite.package("curl", "7.81" if suite.name == "jammy" else "7.82")
    line = "RUN echo deb http://mirror.example/ubuntu jammy main > /etc/apt/sources.list"
    lock(bench, line, "RUN apt-get install -y curl", image="ubuntu:22.04")
    assert "curl=7.81\n" in bench.read("Dockerfile")


@pytest.mark.parametrize(
    "table",
    ['uri = "x"', 'uri = "https://x.example"', 'uri = "https://x.example"\nkey = 1', 'key = "a"\nname = "b"'],
)
def test_a_table_that_says_too_little(bench: Workbench, table: str) -> None:
    bench.write("pinner.toml", f"[[source]]\n{table}\n")
    assert lock(bench, "RUN apt-get install -y curl").status == 3


def test_a_flat_repository(bench: Workbench, archive: SimulatedArchive) -> None:
    flat = archive.suite("", path="pgdg/flat")
    flat.flat, flat.date = True, RELEASED
    flat.fields = {"Suite": None, "Codename": None, "Components": None}
    flat.package("tool", "1.0", arch="amd64", filename="./tool_1.0_amd64.deb")
    flat.package("tool", "0.9", arch="arm64", filename="./tool_0.9_arm64.deb")
    known(bench, archive, 'suite = "flat/"\n')
    line = (
        "RUN echo deb https://apt.postgresql.example/pub/repos/apt flat/ > /etc/apt/sources.list.d/flat.list"
    )
    result = lock(bench, line, "RUN apt-get install -y tool")
    assert "the platforms differ: amd64 1.0, arm64 0.9" in result.out
    bench.write("Dockerfile", f"FROM debian:bookworm\n{line}\nRUN apt-get install -y tool\n")
    assert bench.run("lock", "--platform", "amd64").status == 0
    found = loads(bench.read("pinner.lock"))
    assert [(package.id, package.filename) for package in found.packages] == [
        ("tool:amd64=1.0", "flat/tool_1.0_amd64.deb")
    ]
    before = bench.files()
    assert bench.run("lock", "--platform", "amd64", "--check").status == 0
    assert bench.run("verify", "--platform", "amd64").status == 0
    assert bench.files() == before


PGDG_SOURCES = """\
Types: deb
URIs: https://apt.postgresql.example/pub/repos/apt
Suites: bookworm-pgdg
Components: main
"""


@pytest.mark.parametrize(
    "line",
    [
        "COPY apt/pgdg.sources /etc/apt/sources.list.d/",
        "COPY apt/ /etc/apt/sources.list.d/",
        "COPY apt/*.sources /etc/apt/sources.list.d/",
        "COPY . /ctx\nRUN cp /ctx/apt/pgdg.sources /etc/apt/sources.list.d/",
        "RUN --mount=target=/ctx cp /ctx/apt/* /etc/apt/sources.list.d/",
    ],
)
def test_a_sources_file_of_the_build_context(bench: Workbench, archive: SimulatedArchive, line: str) -> None:
    known(bench, archive)
    bench.write("apt/pgdg.sources", PGDG_SOURCES)
    result = lock(bench, line, "RUN apt-get install -y postgresql-16")
    assert result.status == 0, result
    assert "postgresql-16=16.4" in bench.read("Dockerfile")


@pytest.mark.parametrize(
    "line",
    [
        "COPY apt/gone.sources /etc/apt/sources.list.d/",
        "COPY --from=other apt/pgdg.sources /etc/apt/sources.list.d/",
        "COPY ../pgdg.sources /etc/apt/sources.list.d/",
        "COPY $FILE /etc/apt/sources.list.d/x.sources",
    ],
)
def test_a_file_that_is_not_surely_that(bench: Workbench, archive: SimulatedArchive, line: str) -> None:
    known(bench, archive)
    bench.write("apt/pgdg.sources", PGDG_SOURCES)
    result = lock(bench, line, "RUN apt-get install -y postgresql-16")
    assert "which pinner does not read" in result.out
    assert "postgresql-16=" not in bench.read("Dockerfile")


def test_two_contexts_that_differ(bench: Workbench, archive: SimulatedArchive) -> None:
    known(bench, archive)
    bench.write("pgdg.sources", PGDG_SOURCES)
    bench.write("web/pgdg.sources", PGDG_SOURCES.replace("main", "other"))
    lines = "COPY pgdg.sources /etc/apt/sources.list.d/\nRUN apt-get install -y postgresql-16"
    bench.write("web/Dockerfile", f"FROM debian:bookworm\n{lines}\n")
    assert "which pinner does not read" in bench.run("lock").out


def test_the_life_of_a_lock_with_others_packages(bench: Workbench, archive: SimulatedArchive) -> None:
    pgdg = next(suite for suite in archive.suites if suite.name == "bookworm-pgdg")
    for name in ("postgresql-16", "libpq5"):
        depends = "libpq5" if name.startswith("postgresql") else ""
        pgdg.remove(name).deb(name, "16.4-1.pgdg120+1", depends=depends)
    known(bench, archive)
    assert lock(bench, PGDG, "RUN apt-get install -y postgresql-16").status == 0
    uri = "https://apt.postgresql.example/pub/repos/apt"
    assert f"500 {uri} bookworm-pgdg/main amd64 Packages" in bench.run("why", "libpq5").out
    assert "bookworm-pgdg" not in bench.run("verify").out.partition("checked")[0]  # others may stand still
    index = bench.run("export", "packages")
    assert index.out.count("Package: ") == 4, index
    assert bench.run("download", "../repository").status == 0
    assert f"repository_url={uri}" in bench.run("export", "sbom").out.replace("%3A", ":").replace("%2F", "/")
    installed = "".join(f"{name}:amd64\t16.4-1.pgdg120+1\n" for name in ("postgresql-16", "libpq5"))
    audit = bench.run("audit", "--installed", "-", "--platform", "amd64", stdin=installed.encode())
    assert audit.status == 0, audit
    pgdg.remove("postgresql-16").deb("postgresql-16", "16.5-1.pgdg120+1", depends="libpq5")
    assert "gone; next is 16.5-1.pgdg120+1 in bookworm-pgdg" in bench.run("verify").out
    result = bench.run("refresh", "--summary", "../pr.md")
    assert result.status == 0, result
    assert "postgresql-16=16.5" in bench.read("Dockerfile")
    assert "sources.debian.org" not in (bench.folder.parent / "pr.md").read_text()
    assert bench.run("lock", "--check").status == 0


def test_a_list_that_is_removed_again(bench: Workbench, archive: SimulatedArchive) -> None:
    known(bench, archive)
    lines = (PGDG, "RUN apt-get install -y postgresql-16 && rm /etc/apt/sources.list.d/pgdg.list")
    result = lock(bench, *lines, "RUN apt-get update && apt-get install -y postgresql-16")
    assert result.status == 0, result
    assert "postgresql-16=16.4-1.pgdg120+1 &&" in bench.read("Dockerfile")
    # apt keeps what is installed, and refuses to go back to a version that is pinned
    assert bench.read("Dockerfile").endswith("install -y postgresql-16\n")
    assert "an earlier command installs a newer version" in result.out


def test_sources_that_are_gone(bench: Workbench) -> None:
    result = lock(bench, "RUN rm -rf /etc/apt/sources.list.d/*", "RUN apt-get install -y curl")
    assert "apt has no sources left" in result.out
    assert "curl=" not in bench.read("Dockerfile")


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("RUN extrepo enable nginx", "extrepo enable nginx"),
        ("RUN curl -fsSL https://deb.nodesource.com/setup_lts.x | bash -", "https://deb.nodesource.com/setup_lts.x"),
        ("RUN curl -o s.sh https://deb.nodesource.com/setup_lts.x && bash s.sh", "https://deb.nodesource.com/setup_lts.x"),
        ("RUN bash -c \"$(curl -s https://packagecloud.io/install/repositories/x/y/script.deb.sh)\"",
         "https://packagecloud.io/install/repositories/x/y/script.deb.sh"),
        ("ADD https://deb.nodesource.com/setup_lts.x /s.sh\nRUN bash /s.sh", "https://deb.nodesource.com/setup_lts.x"),
        ("RUN wget -q https://x.example/packages-microsoft-prod.deb && dpkg -i packages-microsoft-prod.deb",
         "https://x.example/packages-microsoft-prod.deb"),
        ("RUN apt-get install -y ./cuda-keyring_1.1-1_all.deb", "cuda-keyring_1.1-1_all.deb"),
        ("RUN apt install -y /tmp/google-chrome-stable_current_amd64.deb", "google-chrome-stable_current_amd64.deb"),
    ],
)  # fmt: skip
def test_what_sets_up_a_repository_is_named(bench: Workbench, line: str, what: str) -> None:
    result = lock(bench, line, "RUN apt-get update && apt-get install -y nodejs")
    assert f"({what}), which pinner does not read and which may serve another version" in result.out
    assert "curl=" not in bench.read("Dockerfile")


def test_sources_that_are_replaced_in_two_steps(bench: Workbench) -> None:
    lines = (
        "RUN rm -rf /etc/apt/sources.list.d/*",
        "RUN echo 'deb http://deb.debian.org/debian bookworm main' > /etc/apt/sources.list",
    )
    assert lock(bench, *lines, "RUN apt-get install -y curl").status == 0
    assert "curl=7.88" in bench.read("Dockerfile")
    assert {source.suite for source in loads(bench.read("pinner.lock")).releases} == {"bookworm"}


def test_many_changes_and_calls_take_linear_time(bench: Workbench, archive: SimulatedArchive) -> None:
    known(bench, archive)
    assert lock(bench, *[PGDG, "RUN apt-get install -y curl"] * 150).status == 0
    assert bench.read("Dockerfile").count("curl=7.88") == 150


@pytest.mark.parametrize(
    ("line", "unknown"),
    [
        ("RUN curl -fsSL https://deb.nodesource.com/setup_lts.x | bash -", {"nodejs"}),
        ("RUN curl -SLO https://deb.nodesource.com/nsolid_setup_deb.sh && bash ./nsolid_setup_deb.sh 20", {"nodejs"}),
        ("RUN curl -LsS https://r.mariadb.com/downloads/mariadb_repo_setup | bash", {"mariadb-server"}),
        ("RUN curl -sSL https://packages.microsoft.com/config/ubuntu/22.04/packages-microsoft-prod.deb -o /tmp/ms.deb"
         " && dpkg -i /tmp/ms.deb", {"dotnet-sdk-8.0"}),
        ("RUN wget -q https://dl.google.com/linux/direct/google-chrome-stable_current_amd64.deb\n"
         "RUN apt-get install -y ./google-chrome-stable_current_amd64.deb", {"google-chrome-beta"}),
        ("RUN curl -LsS https://packages.example.org/repo/install.sh | bash",
         {"curl", "nodejs", "mariadb-server", "dotnet-sdk-8.0", "google-chrome-beta"}),
        ("RUN curl --proto '=https' -sSf https://sh.rustup.rs | sh -s -- -y", set()),
        ("RUN curl -LsSf https://astral.sh/uv/install.sh | sh", set()),
        ("RUN wget https://github.com/wkhtmltopdf/packaging/releases/download/0.12.6/wkhtmltox_0.12.6_amd64.deb"
         " && apt-get install -y ./wkhtmltox_0.12.6_amd64.deb", set()),
        ("RUN curl -fsSL https://packages.microsoft.com/keys/microsoft.asc | gpg --dearmor > /etc/apt/keyrings/m.gpg",
         set()),
    ],
)  # fmt: skip
def test_a_known_program_costs_the_names_that_it_may_serve(
    bench: Workbench, line: str, unknown: set[str]
) -> None:
    names = ("curl", "nodejs", "mariadb-server", "dotnet-sdk-8.0", "google-chrome-beta")
    for name in names[1:]:
        bench.archive.suites[0].package(name, "7.88")
    lock(bench, line, f"RUN apt-get update && apt-get install -y {' '.join(names)}")
    (installs,) = (text for text in bench.read("Dockerfile").splitlines() if "install -y curl" in text)
    assert {name for name in names if f"{name}=7.88" not in installs} == unknown
