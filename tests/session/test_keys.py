"""Keys that a file names itself: trusted on first use, checked ever after; from the build context as they are."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pinner.lock.reader import loads
from pinner.lock.schema import LockedKey
from tests.cli.workbench import RELEASED, Result, Workbench, debian, ubuntu
from tests.simulator import Key, SimulatedArchive

URI, URL = "https://apt.vendor.example/debian", "https://vendor.example/key.asc"
RING = "/usr/share/keyrings/vendor.gpg"
SOURCE = f'echo "deb [signed-by={RING}] {URI} bookworm main" > /etc/apt/sources.list.d/vendor.list'
OWN_RING = f'RUN echo "deb {URI} bookworm main" > /etc/apt/sources.list.d/vendor.list'
FETCHED = f"RUN curl -fsSL {URL} | gpg --dearmor -o {RING} && {SOURCE}"
INSTALL = "RUN apt-get update && apt-get install -y tool"


@pytest.fixture
def archive() -> Iterator[SimulatedArchive]:
    archive = SimulatedArchive()
    debian(archive, "bookworm").package("curl", "7.88")
    vendor = archive.suite("bookworm", path="vendor").deb("tool", "2.0")
    vendor.signers, vendor.date = [Key("Vendor")], RELEASED
    archive.pool["/keys/key.asc"] = bytes(vendor.signers[0].certificate)
    with archive.serve():
        yield archive


@pytest.fixture
def bench(archive: SimulatedArchive, tmp_path: Path) -> Workbench:
    (tmp_path / "project").mkdir()
    bench = Workbench(tmp_path / "project", archive, tmp_path)
    mirrors = archive.mirrors | {
        URI: f"{archive.url}/vendor",
        "https://vendor.example": f"{archive.url}/keys",
        "https://keys.example": f"{archive.url}/keyserver",
    }
    lines = "".join(f'"{official}" = "{here}"\n' for official, here in mirrors.items())
    bench.write("pinner.toml", f'platforms = ["linux/amd64"]\n[mirrors]\n{lines}')
    return bench


def key(archive: SimulatedArchive) -> Key:
    return archive.suites[-1].signers[0]


def lock(bench: Workbench, *lines: str, flags: tuple[str, ...] = ("--trust-new-keys",)) -> Result:
    bench.write("Dockerfile", "\n".join(("FROM debian:bookworm", *lines, "")))
    return bench.run("lock", *flags)


@pytest.mark.parametrize(
    "lines",
    [
        [FETCHED],
        [f"RUN wget -qO- {URL} | gpg --dearmor > {RING}\nRUN {SOURCE}"],
        [f"RUN wget -O {RING} {URL}", f"RUN {SOURCE}"],
        [f"RUN curl -sSLo {RING} {URL}", f"RUN {SOURCE}"],
        [f"RUN curl -s {URL} | sudo tee {RING} >/dev/null && {SOURCE}"],
        [f"RUN curl -sS {URL} -o /tmp/k.asc && gpg --dearmor -o {RING} /tmp/k.asc && {SOURCE}"],
        [f"RUN cd /tmp && wget {URL} && cat key.asc | gpg --dearmor | tee {RING} >/dev/null 2>&1; {SOURCE}"],
        [f"RUN curl {URL} | gpg --no-default-keyring --keyring gnupg-ring:{RING} --import && {SOURCE}"],
        [f"RUN curl {URL} | gpg --import && gpg --export > {RING} && {SOURCE}"],
        [f"ADD {URL} {RING}", f"RUN {SOURCE}"],
        [f"ADD --chmod=644 {URL} /usr/share/keyrings/", f"RUN {SOURCE.replace(RING, '/usr/share/keyrings/key.asc')}"],
        [f"ARG KEY={URL}", f'RUN curl -fsSL "$KEY" | gpg --dearmor -o {RING} && {SOURCE}'],
        [f"RUN wget -qO - {URL} | apt-key add -", OWN_RING],
        [f"RUN curl -fsSL {URL} > /tmp/k && apt-key add /tmp/k", OWN_RING],
        [f"RUN curl -fsSL {URL} -o /etc/apt/trusted.gpg.d/vendor.asc", OWN_RING],
        [f"RUN <<EOF\ncurl -fsSL {URL} | gpg --dearmor -o {RING}\n{SOURCE}\nEOF"],
    ],
)  # fmt: skip
def test_trusted_on_first_use(bench: Workbench, archive: SimulatedArchive, lines: list[str]) -> None:
    refused = lock(bench, *lines, INSTALL, flags=())
    assert f"trust the key at {URL} on first use by --trust-new-keys" in refused.out
    assert "[[source]]" in refused.out
    assert not [path for path in archive.requests if path.startswith("/keys")]
    result = lock(bench, *lines, INSTALL)
    assert result.status == 0, result
    assert "tool=2.0" in bench.read("Dockerfile")
    assert f"trusted on first use for {URI}: {URL}, the key {key(archive).fingerprint}" in result.err
    assert loads(bench.read("pinner.lock")).keys == (LockedKey(URI, URL, (key(archive).fingerprint,)),)


def test_ever_after(bench: Workbench, archive: SimulatedArchive) -> None:
    assert lock(bench, FETCHED, INSTALL).status == 0
    before = bench.files()
    for arguments in (
        ["lock", "--check"],
        ["lock", "--offline", "--check"],
        ["verify"],
        ["refresh", "--check"],
        ["why", "tool"],
        ["export", "packages"],
        ["download", "../repository"],
    ):
        result = bench.run(*arguments)
        assert result.status == 0, (arguments, result)
        assert "trusted on first use" not in result.err
    assert bench.files() == before
    shutil.rmtree(bench.cache)
    assert "keep" in bench.run("scan").out
    assert "not in the cache, and this run does not use the network" in bench.run("lock", "--offline").err
    other = Key("Somebody")
    archive.pool["/keys/key.asc"] = bytes(other.certificate)
    for arguments in (
        ["lock"],
        ["lock", "--trust-new-keys"],
        ["verify"],
        ["refresh"],
        ["export", "packages"],
    ):
        result = bench.run(*arguments)
        assert result.status == 6, (arguments, result)
        assert (
            f"these are the keys {other.fingerprint}, and {key(archive).fingerprint} in the lock"
            in result.err
        )
    assert bench.files() == before


def test_a_key_of_the_build_context(bench: Workbench, archive: SimulatedArchive) -> None:
    bench.write("keys/vendor.gpg", bytes(key(archive).certificate))
    result = lock(bench, f"COPY keys/vendor.gpg {RING}", f"RUN {SOURCE}", INSTALL, flags=())
    assert result.status == 0, result
    assert "tool=2.0" in bench.read("Dockerfile")
    assert loads(bench.read("pinner.lock")).keys == (
        LockedKey(URI, "keys/vendor.gpg", (key(archive).fingerprint,)),
    )
    assert bench.run("export", "packages").out.startswith("Package: tool\n")
    assert bench.run("verify").status == 0


def test_by_its_whole_fingerprint_from_a_keyserver(bench: Workbench, archive: SimulatedArchive) -> None:
    own = key(archive)
    path = f"/keyserver/pks/lookup?op=get&options=mr&search=0x{own.fingerprint}"
    archive.pool[path] = bytes(own.certificate)
    line = f"RUN apt-key adv --keyserver hkps://keys.example --recv-keys {own.fingerprint}"
    assert lock(bench, line, OWN_RING, INSTALL).status == 0
    assert "tool=2.0" in bench.read("Dockerfile")
    archive.pool[path] = bytes(Key("Somebody").certificate)
    assert bench.run("lock").status == 6


def test_a_ppa(bench: Workbench, archive: SimulatedArchive) -> None:
    ubuntu(archive, "jammy")
    ppa = archive.suite("jammy", path="ppa", architectures=["amd64"]).package("tool", "3.0")
    ppa.signers, ppa.date = [Key("Launchpad")], RELEASED
    path = "/api/~me/+archive/ubuntu/tools?ws.op=getSigningKeyData"
    archive.pool[path] = json.dumps(str(ppa.signers[0].certificate)).encode()
    bench.write("pinner.toml", bench.read("pinner.toml") + "".join(
        f'"{official}" = "{archive.url}/{here}"\n'
        for official, here in (
            ("https://api.launchpad.net/devel", "api"),
            ("https://ppa.launchpadcontent.net/me/tools/ubuntu", "ppa"),
        )
    ))  # fmt: skip
    text = "FROM ubuntu:22.04\nRUN add-apt-repository -y ppa:me/tools\nRUN apt-get install -y tool\n"
    bench.write("Dockerfile", text)
    assert "by --trust-new-keys" in bench.run("lock").out
    assert bench.run("lock", "--trust-new-keys").status == 0
    assert "tool=3.0" in bench.read("Dockerfile")
    archive.pool[path] = b"null"
    assert bench.run("lock").status == 6


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([f"RUN curl http://vendor.example/key.asc | apt-key add -\n{OWN_RING}"], "nobody says"),
        (
            [f"RUN apt-key adv --keyserver hkps://keys.example --recv-keys 1234ABCD\n{OWN_RING}"],
            "nobody says",
        ),
        (
            [f"RUN curl {URL} https://vendor.example/other | gpg --dearmor > {RING} && {SOURCE}"],
            "nobody says",
        ),
        ([f"RUN curl {URL} | gpg --dearmor > /tmp/other.gpg && {SOURCE}"], "nobody says"),
        ([f"COPY ../key.asc {RING}\nRUN {SOURCE}"], "nobody says"),
    ],
)
def test_what_cannot_be_trusted(
    bench: Workbench, archive: SimulatedArchive, lines: list[str], why: str
) -> None:
    result = lock(bench, *lines, INSTALL)
    assert "which pinner does not read" in result.out
    assert "tool=" not in bench.read("Dockerfile")
    assert not [path for path in archive.requests if path.startswith("/keys")]


@pytest.mark.parametrize(
    ("mischief", "status"),
    [
        ("elsewhere", 6),
        ("circle", 5),
        ("page", 6),
        ("long", 6),
        ("gone", 5),
    ],
)
def test_mischief(bench: Workbench, archive: SimulatedArchive, mischief: str, status: int) -> None:
    at = "/keys/key.asc"
    if mischief in {"elsewhere", "circle"}:
        archive.redirect(at, "http://elsewhere.example/key" if mischief == "elsewhere" else at)
    elif mischief == "gone":
        archive.missing(at)
    else:
        archive.alter(at, lambda _: b"<html>" if mischief == "page" else b"x" * 2_000_000)
    result = lock(bench, FETCHED, INSTALL)
    assert result.status == status, result
    assert URL in result.err
    assert "tool=" not in bench.read("Dockerfile")


def test_a_key_that_has_moved(bench: Workbench, archive: SimulatedArchive) -> None:
    archive.redirect("/keys/key.asc", "/keys/moved.asc")
    archive.pool["/keys/moved.asc"] = bytes(key(archive).certificate)
    assert lock(bench, FETCHED, INSTALL).status == 0
    assert not any("Authorization" in headers for headers in archive.headers)


@pytest.mark.parametrize("command", ["lock", "refresh"])
def test_a_cache_that_cannot_hold_the_key(bench: Workbench, command: str) -> None:
    """A lock without the key would have anybody trust the next one."""
    assert lock(bench, FETCHED, INSTALL).status == 0
    shutil.rmtree(bench.cache / "keys")
    (bench.cache / "keys").write_text("a file in its place")
    before = bench.files()
    result = bench.run(command)
    assert (result.status, "the cache cannot be written" in result.err) == (3, True)
    assert bench.files() == before
