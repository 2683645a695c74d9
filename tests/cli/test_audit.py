"""`pinner audit`: a built image against the lock."""

from __future__ import annotations

import json

import pytest

from pinner.distributions import minbase
from tests.cli.workbench import Workbench, debian, incomplete
from tests.registry import Content, Registry, make, official, serve

DOCKERFILE = """\
FROM debian:bookworm AS base
RUN apt-get install -y curl
FROM base AS final
RUN apt-get install -y jq
"""
BASE = dict.fromkeys(minbase.names("bookworm", "amd64"), "1.0")
BASE = {("libc6:amd64" if name == "libc6" else name): version for name, version in BASE.items()}
BUILT = BASE | {"curl": "7.88", "libcurl4:amd64": "7.88", "jq": "1.6"}


@pytest.fixture
def bench(bench: Workbench) -> Workbench:
    archive = bench.archive
    archive.suites.clear()
    bookworm = debian(archive, "bookworm")
    bookworm.package("curl", "7.88", depends="libcurl4").package("jq", "1.6", arch="all")
    bookworm.package("libcurl4", "7.88", multi_arch="same")
    bench.write("Dockerfile", DOCKERFILE)
    assert bench.run("lock").status == 0
    return bench


def listing(packages: dict[str, str]) -> str:
    return "".join(f"{name}\t{version}\n" for name, version in sorted(packages.items()))


def status(packages: dict[str, str]) -> str:
    return "\n".join(
        f"Package: {name.partition(':')[0]}\nStatus: install ok installed\nArchitecture: "
        f"{'all' if name == 'jq' else 'amd64'}\nVersion: {version}\n"
        for name, version in packages.items()
    )


CASES = [
    ({}, [], 3),
    ({"curl": "7.89"}, ["differs  curl  7.89 instead of 7.88"], 2),
    ({"jq": ""}, ["missing  jq  1.6"], 2),
    ({"vim": "9"}, ["extra    vim  9"], 3),
    ({"libcurl4:i386": "7.88"}, ["extra    libcurl4:i386  7.88"], 3),
    # of the minimal set any version will do, and what a Dockerfile removes is not in the lock
    ({"tzdata": "2"}, [], 3),
    ({"tzdata": ""}, [], 3),
    (
        {"vim": "9", "jq": "", "curl": "1", "libcurl4:amd64": "1"},
        [
            "differs  curl  1 instead of 7.88",
            "differs  libcurl4  1 instead of 7.88",
            "missing  jq  1.6",
            "extra    vim  9",
        ],
        0,
    ),
]


@pytest.mark.parametrize(("change", "lines", "equal"), CASES)
def test_cases(bench: Workbench, change: dict[str, str], lines: list[str], equal: int) -> None:
    image = {name: version for name, version in (BUILT | change).items() if version}
    bench.write("image", listing(image))
    result = bench.run("audit", "--installed", "image", "--stage", "final")
    assert (result.status, result.err) == (int(bool(lines)), "")
    *found, summary = result.out.splitlines()
    assert found == lines
    counts = [sum(line.startswith(word) for line in lines) for word in ("differs", "missing", "extra")]
    assert summary == (
        f"Dockerfile, stage final, linux/amd64: {equal} equal, {counts[0]} differing, {counts[1]} missing, "
        f"{counts[2]} extra"
    )
    assert bench.run("audit", "--installed", "image", "--stage", "final", "-q").out.splitlines() == lines


def test_a_status_file_and_standard_input(bench: Workbench) -> None:
    bench.write("status", status(BUILT))
    assert bench.run("audit", "--installed", "status", "--stage", "final").status == 0
    assert (
        bench.run("audit", "--installed", "-", "--stage", "final", stdin=listing(BUILT).encode()).status == 0
    )


def test_the_stage_below_does_not_hold_what_comes_after(bench: Workbench) -> None:
    bench.write("image", listing(BUILT))
    result = bench.run("audit", "--installed", "image", "--stage", "base")
    assert (result.status, result.out.splitlines()[0]) == (1, "extra    jq  1.6")


def test_a_stage_that_installs_nothing_itself(bench: Workbench) -> None:
    bench.write("Dockerfile", DOCKERFILE + "FROM final AS test\nRUN make test\nFROM test\nCOPY . .\n")
    assert bench.run("lock").status == 0
    bench.write("image", listing(BUILT))
    result = bench.run("audit", "--installed", "image", "--stage", "3")
    assert (result.status, result.out) == (
        0,
        "Dockerfile, stage final, linux/amd64: 3 equal, 0 differing, 0 missing, 0 extra\n",
    )
    assert result.err == "note: stage 3 has no target in the lock; final is what it is built on\n"
    assert bench.run("audit", "--installed", "image", "--stage", "4").status == 2


def test_json(bench: Workbench) -> None:
    bench.write("image", listing(BUILT | {"curl": "1", "vim": "9"}))
    result = bench.run("audit", "--installed", "image", "--stage", "final", "--json")
    assert result.status == 1
    assert json.loads(result.out) == {
        "schema_version": 1,
        "status": 1,
        "errors": [],
        "file": "Dockerfile",
        "stage": "final",
        "platform": "linux/amd64",
        "equal": 2,
        "differing": [{"name": "curl", "locked": "7.88", "found": "1"}],
        "missing": [],
        "extra": [{"name": "vim", "found": "9"}],
        "incomplete": [],
    }


def test_which_stage(bench: Workbench) -> None:
    bench.write("image", listing(BUILT))
    result = bench.run("audit", "--installed", "image")
    assert result.status == 3
    assert result.err == (
        "error: which one was built? The lock has several that may be meant\nhint: choose with --file and --stage: "
        "Dockerfile, stage base, linux/amd64; Dockerfile, stage final, linux/amd64\n"
    )


def test_an_image_of_another_architecture(bench: Workbench) -> None:
    bench.write("image", listing(BUILT).replace("amd64", "armhf"))
    result = bench.run("audit", "--installed", "image", "--stage", "final")
    assert result.status == 3
    assert "image: lists packages of armhf, and the lock has no such platform there" in result.err


def test_a_starting_set_that_was_told(bench: Workbench) -> None:
    base = {"apt": "2.6.1", "libc6:amd64": "2.36", "own": "1"}
    bench.write("base", listing(base))
    lock = ("lock", "--platform", "amd64", "--installed", "base")
    assert bench.run(*lock).status == 0
    audit = ("audit", "--installed", "image", "--stage", "final")
    built = base | {"curl": "7.88", "libcurl4:amd64": "7.88", "jq": "1.6"}
    bench.write("image", listing(built))
    result = bench.run(*audit)
    assert result.status == 3
    assert "was locked for a base image that holds base sha256:" in result.err
    assert bench.run(*audit, "--base", "base").status == 0
    assert bench.run(*audit, "--base", "image").status == 3
    bench.configure('[installed]\n"debian:*" = "base"\n')
    assert bench.run(*audit).status == 0
    # here the versions are known
    bench.write("image", listing(built | {"libc6:amd64": "2.37"}))
    result = bench.run(*audit)
    assert (result.status, result.out.splitlines()[0]) == (1, "differs  libc6  2.37 instead of 2.36")


def test_a_target_that_is_not_known_in_full(bench: Workbench) -> None:
    bench.write("pinner.lock", incomplete(bench.read("pinner.lock")))
    bench.write("image", listing(BUILT))
    result = bench.run("audit", "--installed", "image", "--stage", "final")
    assert (result.status, "the lock does not know all that is installed: why" in result.err) == (3, True)


def test_a_starting_set_that_was_read_from_the_image(bench: Workbench) -> None:
    base = {"apt": "2.6.1", "own": "1"}
    content: dict[str, Content] = {
        **official("bookworm"),
        "var/lib/dpkg/status": status(base),
    }
    built = base | {"curl": "7.88", "libcurl4": "7.88", "jq": "1.6"}
    bench.write("image", status(built))
    bench.write("status", status(base))
    audit = ("audit", "--installed", "image", "--stage", "final")
    with serve(Registry()) as registry:
        registry.put("app:1", make(content, platform="linux/amd64"))
        bench.write("Dockerfile", DOCKERFILE.replace("debian:bookworm", f"{registry.host}/app:1"))
        lock = ("lock", "--platform", "amd64", "--images", "auto", "--insecure-registry", registry.host)
        assert bench.run(*lock).status == 0
        assert 'installed = "image sha256:' in bench.read("pinner.lock")
        # as the lock has it
        assert bench.run(*audit).status == 0
        bench.write("image", status(built | {"own": "2", "vim": "9"}))
        result = bench.run(*audit)
        assert (result.status, result.out.splitlines()[:2]) == (
            1,
            ["differs  own  2 instead of 1", "extra    vim  9"],
        )
    bench.write("image", status(built))
    assert bench.run("cache", "clear").status == 0
    assert bench.run(*audit).status == 0
    lock_text = bench.read("pinner.lock")
    bench.write(
        "pinner.lock", lock_text.replace('name = "own", version = "1"', 'name = "own", version = "3"')
    )
    result = bench.run(*audit)
    assert result.status == 3
    assert "hint: give the list that `pinner lock --installed` had, or else the base image's" in result.err
    assert bench.run(*audit, "--base", "status").status == 0
