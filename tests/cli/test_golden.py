"""Cases as folders: what is in tests/golden/lock/<case> goes in, what is in its `expected` has to come out.

`command` is the command line (default: lock Dockerfile); `archive` what the archive holds, as in the `archive` that
lies beside the cases and serves those that have none. With PINNER_UPDATE_GOLDEN=1 in the environment the expectations
are written anew, for a person to read the difference.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.archive import shapes
from tests.cli.workbench import RELEASED, Workbench, debian, ubuntu
from tests.simulator import SimulatedArchive, SimulatedSuite

GOLDEN = Path(__file__).parent.parent / "golden" / "lock"
CASES = sorted(path.name for path in GOLDEN.iterdir() if path.is_dir())
UPDATE = os.environ.get("PINNER_UPDATE_GOLDEN") == "1"
PIN = re.compile(r'="[^"]*"|=[\w.+:~-]+\*?')
NOT_INPUT = ("archive", "command", "expected", "pinner.toml")


def archive_of(description: str) -> SimulatedArchive:
    """Lines of `suite name version`, an architecture if it is for one alone, and a field: `| Provides: awk`.

    `shape name` is one of `shapes` below https://apt.example; its key is the project's key.pgp.
    """
    archive = SimulatedArchive()
    for codename in ("bullseye", "bookworm", "trixie"):
        debian(archive, codename)
    ubuntu(archive, "jammy")
    suites: dict[str, list[SimulatedSuite]] = {}
    for each in archive.suites:
        suites.setdefault(each.name, []).append(each)
    archive.suite("stable", fields={"Codename": "trixie"}).date = RELEASED
    for line in description.splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith("shape "):
            getattr(shapes, line.removeprefix("shape "))(archive).suite.date = RELEASED
            continue
        words, _, field = line.partition(" | ")
        suite, name, version, *arch = words.split()
        key, _, value = field.partition(": ")
        for each in suites[suite]:
            each.package(name, version, arch="".join(arch) or "any", **({key: value} if key else {}))
    return archive


@pytest.fixture(scope="session")
def benches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str, Path], Workbench]]:
    """A bench for an archive and a folder; equal archives are served once and share a cache."""
    served: dict[str, tuple[SimulatedArchive, Path]] = {}
    with ExitStack() as stack:

        def bench(description: str, folder: Path) -> Workbench:
            if description not in served:
                archive = archive_of(description)
                stack.enter_context(archive.serve())
                served[description] = archive, tmp_path_factory.mktemp("aside")
            return Workbench(folder, *served[description])

        yield bench


def text_of(path: Path, default: str = "") -> str:
    return path.read_text(encoding="utf-8") if path.exists() else default


@pytest.mark.parametrize("case", CASES)
def test_case(case: str, benches: Callable[[str, Path], Workbench], tmp_path: Path) -> None:
    source = GOLDEN / case
    shutil.copytree(source, tmp_path, ignore=shutil.ignore_patterns(*NOT_INPUT), dirs_exist_ok=True)
    bench = benches(text_of(source / "archive", text_of(GOLDEN / "archive")), tmp_path)
    bench.configure(text_of(source / "pinner.toml"))
    if "shape " in text_of(source / "archive"):
        bench.write("key.pgp", bytes(bench.archive.key.certificate))
    command = shlex.split(text_of(source / "command", "lock Dockerfile"))
    before = bench.files()

    first = bench.run(*command)
    after = bench.files()
    actual = {
        name: steady(content)
        for name, (content, _) in after.items()
        if before.get(name, (b"", 0))[0] != content
    }
    said = f"$ pinner {shlex.join(command)}\n{first.out}{first.err}exit status {first.status}\n"
    actual["output"] = said.encode()
    if UPDATE:
        shutil.rmtree(source / "expected", ignore_errors=True)
        for name, content in actual.items():
            path = source / "expected" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    expected = {
        path.relative_to(source / "expected").as_posix(): path.read_bytes()
        for path in (source / "expected").rglob("*")
        if path.is_file()
    }
    assert actual == expected

    for name, (content, _) in before.items():
        if name not in {"pinner.lock", "key.pgp"} and not {"--expand-braces", "--rename-virtual"} & set(
            command
        ):
            assert without_pins(content.decode(), after[name][0].decode()) == content.decode()
    bench.run(*command)
    assert bench.files() == after, "a second run wrote something"


def steady(content: bytes) -> bytes:
    """A lock without the digests of Release files, whose signatures differ each time."""
    return re.sub(rb'(?<=Z", )digest = "[0-9a-f]{64}"', b'digest = "..."', content)


def without_pins(old: str, new: str) -> str:
    """`new` with every `=version` that was put in where `old` has none taken out again."""
    kept, at = [], 0
    for char in old:
        if not new.startswith(char, at) and (pin := PIN.match(new, at)):
            at = pin.end()
        kept.append(new[at : at + 1])
        at += 1
    return "".join(kept) + PIN.sub("", new[at:], count=1)
