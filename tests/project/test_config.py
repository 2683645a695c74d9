"""The configuration: where it is found, what it may say."""

from __future__ import annotations

from pathlib import Path

import pytest

from pinner.errors import InputError
from pinner.project import config as project_config
from pinner.project.config import Config, Service


def load(folder: Path, root: Path | None = None) -> tuple[Config, Path | None]:
    """The configuration that holds in `folder`, a part of the work tree at `root`."""
    return project_config.load(folder, root or folder)


def test_pinner_toml(tmp_path: Path) -> None:
    (tmp_path / "pinner.toml").write_text(
        'platforms = ["amd64", "linux/arm64/v8"]\nsuite = "bookworm"\nexclude = ["vendor/*"]\nignore = ["linux-*"]\n'
        '[images]\n"company/base:*" = "trixie"\n[mirrors]\n"http://deb.debian.org" = "http://mirror.example.org"\n'
    )
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    config, path = load(below, tmp_path)
    assert path == tmp_path / "pinner.toml"
    assert config == Config(
        platforms=("linux/amd64", "linux/arm64"),
        suite="bookworm",
        images={"company/base:*": "trixie"},
        mirrors={"http://deb.debian.org": "http://mirror.example.org"},
        exclude=("vendor/*",),
        ignore=("linux-*",),
    )


def test_snapshot(tmp_path: Path) -> None:
    (tmp_path / "pinner.toml").write_text(
        '[snapshot]\nmirrors = ["http://mirror.example.org"]\ninterval = 2\n'
    )
    assert load(tmp_path)[0] == Config(snapshot=Service(("http://mirror.example.org",), 2.0))


def test_pyproject(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n[tool.pinner]\nsuite = "trixie"\n')
    assert load(tmp_path) == (Config(suite="trixie"), tmp_path / "pyproject.toml")


def test_another_projects_pyproject_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "pinner.toml").write_text('suite = "trixie"\n')
    below = tmp_path / "a"
    below.mkdir()
    (below / "pyproject.toml").write_text('[project]\nname = "x"\n')
    assert load(below, tmp_path)[0] == Config(suite="trixie")


def test_the_search_ends_at_the_work_tree(tmp_path: Path) -> None:
    (tmp_path / "pinner.toml").write_text('suite = "trixie"\n')
    (tmp_path / "repo").mkdir()
    assert load(tmp_path / "repo") == (Config(), None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('platform = ["amd64"]', "unknown key platform\nhint: did you mean platforms?"),
        ("zzz = 1", "unknown key zzz\nhint: known are platforms, suite,"),
        ('platforms = "amd64"', "platforms must be a list of strings"),
        ('platforms = ["amd65"]', "unknown platform amd65\nhint: did you mean linux/amd64?"),
        ("images = 1", "[images] must map strings to strings"),
        ("suite = 12", "suite must be a string"),
        ("suite = ", "not valid TOML"),
        ("snapshot = 1", "[snapshot] must be a table"),
        ('[wrappers]\na = "curl"', "wrappers.a: curl is no command of apt"),
        ("[snapshot]\nmirror = []", "unknown key snapshot.mirror\nhint: did you mean mirrors?"),
        ('[snapshot]\nmirrors = "x"', "snapshot.mirrors must be a list of strings"),
        ("[snapshot]\ninterval = -1", "snapshot.interval must be a number of seconds"),
        ("[snapshot]\ninterval = true", "snapshot.interval must be a number of seconds"),
    ],
)
def test_what_is_refused_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "pinner.toml").write_text(text)
    with pytest.raises(InputError) as caught:
        load(tmp_path)
    assert message in str(caught.value)
    assert str(tmp_path / "pinner.toml") in str(caught.value)
