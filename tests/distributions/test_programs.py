"""What fetched programs and packages do to apt, by their address."""

from __future__ import annotations

import pytest

from pinner.apt import sources_list
from pinner.distributions import programs, repositories
from pinner.distributions.tables import is_one, rows

JAMMY = {"id": "ubuntu", "codename": "jammy", "version": "22.04", "arch": "amd64"}


@pytest.mark.parametrize(
    "url",
    [
        "https://sh.rustup.rs",
        "https://astral.sh/uv/install.sh",
        "https://astral.sh/uv/0.4.10/install.sh",
        "https://install.python-poetry.org",
        "https://bootstrap.pypa.io/get-pip.py",
        "https://bootstrap.pypa.io/pip/3.6/get-pip.py",
        "https://getcomposer.org/installer",
        "https://repo.anaconda.com/miniconda/Miniconda3-latest-Linux-x86_64.sh",
        "https://github.com/conda-forge/miniforge/releases/latest/download/Miniforge3-Linux-x86_64.sh",
        "https://raw.githubusercontent.com/nvm-sh/nvm/v0.40.1/install.sh",
        "https://get.sdkman.io?rcupdate=false",
        "https://get.haskellstack.org/",
        "https://yarnpkg.com/install.sh",
        "https://bun.sh/install",
        "https://deno.land/install.sh",
        "https://deno.land/x/install/install.sh",
        "https://mise.run",
        "https://get.rvm.io",
        "https://yihui.org/tinytex/install-bin-unix.sh",
        "https://nixos.org/nix/install",
        "https://raw.githubusercontent.com/ohmyzsh/ohmyzsh/master/tools/install.sh",
        "https://github.com/Kitware/CMake/releases/download/v3.27.0/cmake-3.27.0-linux-x86_64.sh",
        "https://github.com/krallin/tini/releases/download/v0.19.0/tini_0.19.0-amd64.deb",
        "https://github.com/bazelbuild/bazel/releases/download/6.4.0/bazel-6.4.0-installer-linux-x86_64.sh",
        "https://github.com/wkhtmltopdf/packaging/releases/download/0.12.6.1-2/wkhtmltox_0.12.6.1-2.bullseye_amd64.deb",
        "https://github.com/jgm/pandoc/releases/download/3.1.9/pandoc-3.1.9-1-amd64.deb",
        "https://dl.influxdata.com/telegraf/releases/telegraf_1.28.5-1_amd64.deb",
        "https://repo.scala-sbt.org/scalasbt/debian/sbt-1.9.7.deb",
        "https://download2.rstudio.org/server/jammy/amd64/rstudio-server-2023.09.1-494-amd64.deb",
        "https://raw.githubusercontent.com/helm/helm/main/scripts/get-helm-3",
        "https://x.example/v1/tool-linux-amd64",
        "https://x.example/bin/linux/amd64/tool_Linux_x86_64.tar.gz",
        "https://github.com/x/tool/releases/download/v1.2.3/tool",
        "https://github.com/x/tool/releases/latest/download/tool.AppImage",
    ],
)
def test_harmless(url: str) -> None:
    assert programs.effect(url).kind == "none"


@pytest.mark.parametrize(
    ("url", "served"),
    [
        ("https://deb.nodesource.com/setup_12.x", "nodejs"),
        ("https://deb.nodesource.com/setup_lts.x", "nodejs"),
        ("https://deb.nodesource.com/nsolid_setup_deb.sh", "nodejs"),
        ("https://downloads.mariadb.com/MariaDB/mariadb_repo_setup", "mariadb-server"),
        ("https://r.mariadb.com/downloads/mariadb_repo_setup", "libmysqlclient-dev"),
        ("https://cli-assets.heroku.com/install-ubuntu.sh", "heroku"),
        ("https://bootstrap.saltstack.com", "salt-minion"),
        ("https://packages.ntop.org/apt-stable/bookworm/all/apt-ntop-stable.deb", "ntopng"),
        ("https://packages.groonga.org/debian/groonga-apt-source-latest-bookworm.deb", "groonga"),
        ("https://packages.sury.org/php/README.txt", "php8.3-cli"),
        ("https://packages.erlang-solutions.com/erlang-solutions_2.0_all.deb", "esl-erlang"),
        ("https://dl.google.com/linux/direct/google-chrome-stable_current_amd64.deb", "google-chrome-stable"),
        ("https://go.microsoft.com/fwlink/?LinkID=760868", "code"),
        ("https://apt.puppet.com/puppet7-release-jammy.deb", "puppet-agent"),
        ("https://developer.download.nvidia.com/compute/cuda/repos/ubuntu2204/x86_64/cuda-keyring_1.1-1_all.deb",
         "libcudnn9-dev-cuda-12"),
        ("https://install.citusdata.com/community/deb.sh", "postgresql-16-citus-12.1"),
        ("https://repo.percona.com/apt/percona-release_latest.generic_all.deb", "percona-server-server"),
        ("https://dev.mysql.com/get/mysql-apt-config_0.8.29-1_all.deb", "mysql-server"),
        ("https://github.com/ros-infrastructure/ros-apt-source/releases/download/1.1.0/ros2-apt-source_1.1.0.jammy_all.deb",
         "ros-humble-desktop"),
        ("https://repo.radeon.com/amdgpu-install/6.2/ubuntu/jammy/amdgpu-install_6.2.60200-1_all.deb", "rocm-dev"),
        ("https://ollama.com/install.sh", "cuda-drivers"),
        ("https://salsa.debian.org/postgresql/postgresql-common/-/raw/master/pgdg/apt.postgresql.org.sh", "libpq-dev"),
        ("https://dl.cloudsmith.io/public/caddy/stable/setup.deb.sh", "caddy"),
        ("https://packagecloud.io/install/repositories/timescale/timescaledb/script.deb.sh", "timescaledb-tools"),
        ("https://get.docker.com", "docker-ce"),
        ("https://tailscale.com/install.sh", "tailscale"),
        ("https://apt.llvm.org/llvm.sh", "clang-17"),
        ("https://packages.example.org/example-release_1_all.deb", "anything"),
        ("https://example.org/install.sh", "anything"),
        ("", "anything"),
    ],
)  # fmt: skip
def test_what_may_add_a_repository(url: str, served: str) -> None:
    effect = programs.effect(url)
    assert effect.kind == "unknown" and is_one(served, effect.serves)


def test_what_a_known_program_serves_is_all_that_is_unknown_behind_it() -> None:
    for url in (
        "https://get.docker.com",
        "https://dl.google.com/linux/direct/google-chrome-stable_current_amd64.deb",
    ):
        assert not is_one("jq", programs.effect(url).serves)


def test_the_files_of_a_program_are_sources_of_known_repositories() -> None:
    effect = programs.effect("https://deb.nodesource.com/setup_22.x")
    assert effect.kind == "adds" and effect.updates
    written = effect.written(JAMMY)
    assert written is not None
    files, keys = written
    (entry,) = sources_list.read("/x.sources", files["/etc/apt/sources.list.d/nodesource.sources"])
    assert (entry.uri, entry.suite, entry.archs) == (
        "https://deb.nodesource.com/node_22.x",
        "nodistro",
        ("amd64",),
    )
    found = repositories.find(entry.uri, entry.suite)
    assert found and found.keys == (keys[entry.signed_by],)
    assert "Package: nodejs\n" in files["/etc/apt/preferences.d/nodejs"]


def test_a_package_for_another_release_is_not_certain() -> None:
    effect = programs.effect("https://packages.microsoft.com/config/ubuntu/22.04/packages-microsoft-prod.deb")
    written = effect.written(JAMMY)
    assert written and "https://packages.microsoft.com/ubuntu/22.04/prod jammy main" in next(
        iter(written[0].values())
    )
    assert effect.written({**JAMMY, "version": "24.04", "codename": "noble"}) is None
    assert effect.written({"arch": "amd64"}) is None


def test_rows_name_repositories_that_there_are() -> None:
    for row in (each.fields for kind in ("program", "image") for each in rows(kind)):
        for name in row.get("adds", ()):
            repositories.named(name)
    fields = {"urls", "effect", "serves", "adds", "files", "keys", "updates", "only"}
    for row in (each.fields for each in rows("program")):
        assert set(row) <= fields and row.get("effect", "unknown") in {"none", "unknown"}
        assert row.get("effect") == "none" or row.get("effect") or row.get("files"), row


@pytest.mark.parametrize("name", ["install.sh", "x-linux-amd64.sh", "x_amd64.deb", "linux-setup", "x.list"])
def test_scripts_and_packages_are_no_binaries(name: str) -> None:
    assert programs.effect(f"https://github.com/x/y/releases/download/v1/{name}").kind == "unknown"
