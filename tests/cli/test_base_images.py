"""Base images read from a registry: their suite, what they hold, what their apt is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from pinner.lock.reader import loads
from pinner.lock.schema import Lock, LockedKey
from tests.cli.workbench import RELEASED, Result, Workbench, debian, ubuntu
from tests.images.test_image_archive import archive as saved_archive
from tests.images.test_image_archive import layout, saved
from tests.registry import Content, Made, Registry, Reply, Request, digest, index, make, official, serve
from tests.simulator import Key, SimulatedArchive

BOOKWORM = "# debian.sh --arch 'amd64' out/ 'bookworm' '@1'"
OFFICIAL = official("bookworm")
SOURCES = str(OFFICIAL["etc/apt/sources.list.d/debian.sources"])


def status(**versions: str) -> str:
    return "".join(
        f"Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {version}\n\n"
        for name, version in versions.items()
    )


def image(
    installed: Mapping[str, str],
    platform: str = "linux/amd64",
    history: str = BOOKWORM,
    packing: str = "gzip",
    **files: Content,
) -> Made:
    """An image that holds these packages, and files at paths with `__` for `/`."""
    content: dict[str, Content] = {
        **OFFICIAL,
        "var/lib/dpkg/status": status(**installed).replace("amd64", platform.rpartition("/")[2]),
    }
    content |= {path.replace("__", "/"): text for path, text in files.items()}
    return make(content, platform=platform, packing=packing, history=[history])


@pytest.fixture
def registry() -> Iterator[Registry]:
    with serve(Registry()) as registry:
        yield registry


@pytest.fixture
def archive() -> Iterator[SimulatedArchive]:
    archive = SimulatedArchive()
    debian(archive, "bookworm").package("curl", "7.88", depends="libc6 (>= 2.36), libcurl4").package(
        "libcurl4", "7.88"
    )
    archive.suites[-1].package("libc6", "2.36", essential="no").package("jq", "1.6")
    with archive.serve():
        yield archive


@pytest.fixture
def bench(archive: SimulatedArchive, registry: Registry, tmp_path: Path) -> Workbench:
    (tmp_path / "project").mkdir()
    bench = Workbench(tmp_path / "project", archive, tmp_path)
    bench.write("Dockerfile", f"FROM {registry.host}/app:1\nRUN apt-get install -y curl\n")
    return bench


def lock(bench: Workbench, registry: Registry, *arguments: str) -> Result:
    return bench.run("lock", "--images", "auto", "--insecure-registry", registry.host, *arguments)


def locked(bench: Workbench) -> Lock:
    return loads(bench.read("pinner.lock"))


def test_an_official_image_is_pinned_alike_read_and_not_read(bench: Workbench, registry: Registry) -> None:
    registry.put("debian:bookworm", image({"libc6": "2.36"}))
    text = f"FROM {registry.host}/debian:bookworm\nRUN apt-get install -y curl jq\n"
    pinned = []
    for mode in ("never", "always"):
        bench.write("Dockerfile", text)
        arguments = ("--images", mode, "--platform", "linux/amd64", "--insecure-registry", registry.host)
        assert bench.run("lock", *arguments).status == 0
        pinned.append(bench.read("Dockerfile"))
    assert pinned[0] == pinned[1] == text.replace("curl jq", "curl=7.88 jq=1.6")


def test_suite_packages_and_digest_are_the_images(bench: Workbench, registry: Registry) -> None:
    amd64 = image({"apt": "2.6.1", "libc6": "2.36"})
    arm64 = image({"apt": "2.6.1", "libc6": "2.30"}, "linux/arm64")
    registry.put("app:1", amd64, arm64, top=index(amd64, arm64))
    assert lock(bench, registry).status == 0
    assert "curl=7.88" in bench.read("Dockerfile")
    targets = {target.platform: target for target in locked(bench).targets}
    assert {name: target.closure.digest for name, target in targets.items()} == {
        "linux/amd64": amd64.digest,
        "linux/arm64": arm64.digest,
    }
    assert {
        name: {package.id.partition(":")[0] for package in target.closure.members}
        for name, target in targets.items()
    } == {
        "linux/amd64": {"libcurl4", "curl"},
        "linux/arm64": {"libc6", "libcurl4", "curl"},
    }
    assert all(target.closure.installed.startswith("image sha256:") for target in targets.values())


def test_a_warm_run_asks_nothing(bench: Workbench, registry: Registry) -> None:
    registry.put("app:1", image({"apt": "2.6.1"}))
    lock(bench, registry, "--platform", "amd64")
    asked = len(registry.log)
    assert lock(bench, registry, "--platform", "amd64", "--check", "--max-age", "0s").status == 0
    assert len(registry.log) == asked


def test_a_tag_that_moves_is_kept_as_locked(bench: Workbench, registry: Registry) -> None:
    old = image({"apt": "2.6.1"})
    registry.put("app:1", old)
    lock(bench, registry, "--platform", "amd64")
    before = bench.files()
    registry.put("app:1", image({"apt": "2.6.1", "libc6": "2.36"}))
    assert lock(bench, registry, "--platform", "amd64", "--max-age", "0s").status == 0
    assert bench.files() == before


def test_a_registry_that_is_gone_leaves_a_locked_image_as_it_was(
    bench: Workbench, registry: Registry
) -> None:
    registry.put("app:1", image({"apt": "2.6.1"}))
    lock(bench, registry, "--platform", "amd64")
    before = bench.files()
    for path in (bench.cache / "images").iterdir():
        path.unlink()
    registry.documents.clear()
    result = lock(bench, registry, "--platform", "amd64")
    assert result.status == 0
    assert result.err == ""
    assert bench.files() == before


def unread(notes: str) -> str:
    """The notes without the one, which must be there, that a file's pins rest on an image's name."""
    lines = [line for line in notes.splitlines(keepends=True) if "not read and not known" not in line]
    assert len(lines) == notes.count("\n") - 1
    return "".join(lines)


def test_a_registry_that_does_not_answer_is_asked_once(bench: Workbench) -> None:
    bench.write("Dockerfile", "FROM 127.0.0.1:9/app-bookworm:1\nRUN apt-get install -y curl\n")
    arguments = ("lock", "--images", "auto", "--insecure-registry", "127.0.0.1:9")
    result = bench.run(*arguments)
    assert (result.status, bench.read("Dockerfile").count("curl=7.88")) == (0, 1)
    assert unread(result.err) == (
        "note: base images are not read, and are assumed to be minimal: 127.0.0.1:9 gave no answer: "
        "the connection was refused\n"
    )
    assert "is not asked again yet" in bench.run(*arguments).err


def test_an_image_that_has_to_be_read(bench: Workbench, registry: Registry) -> None:
    before = bench.files()
    result = lock(bench, registry, "--images", "always", "--platform", "amd64")
    assert (result.status, result.out) == (5, "")
    assert "the registry has no such image" in result.err
    assert bench.files() == before


def test_nothing_goes_below_the_image(bench: Workbench, registry: Registry) -> None:
    registry.put("app:1", image({"apt": "2.6.1", "curl": "8.0"}))
    result = lock(bench, registry, "--platform", "amd64")
    assert "the base image holds amd64 8.0, newer than all that its archive offers" in result.out
    assert "curl=" not in bench.read("Dockerfile")


def test_backports_are_taken_by_an_image_that_is_newer(
    bench: Workbench, registry: Registry, archive: SimulatedArchive
) -> None:
    fields = {"NotAutomatic": "yes", "ButAutomaticUpgrades": "yes"}
    backports = archive.suite("bookworm-backports", fields=fields).package("curl", "9.0")
    backports.date = RELEASED
    sources = (
        SOURCES
        + "\nTypes: deb\nURIs: http://deb.debian.org/debian\nSuites: bookworm-backports\nComponents: main\n"
    )
    made = image({"apt": "2.6.1", "curl": "8.0"}, **{"etc__apt__sources.list.d__debian.sources": sources})
    registry.put("app:1", made)
    lock(bench, registry, "--platform", "amd64")
    assert "curl=9.0" in bench.read("Dockerfile")


def test_other_components_are_read_where_the_image_reads_them(
    bench: Workbench, registry: Registry, archive: SimulatedArchive
) -> None:
    for suite in archive.suites:
        suite.components.append("non-free")
    archive.suites[-1].package("steam", "1.0", component="non-free")
    bench.write("Dockerfile", f"FROM {registry.host}/app:1\nRUN apt-get install -y steam\n")
    text = SOURCES.replace("main", "main non-free").replace("http://deb.debian.org", "https://mirror.example")
    registry.put("app:1", image({"apt": "2.6.1"}, **{"etc__apt__sources.list.d__debian.sources": text}))
    assert lock(bench, registry, "--platform", "amd64").status == 0
    assert "steam=1.0" in bench.read("Dockerfile")
    assert {source.uri for source in locked(bench).releases} == {
        "http://deb.debian.org/debian",
        "http://deb.debian.org/debian-security",
    }


@pytest.mark.parametrize(
    ("path", "text", "why"),
    [
        (
            "etc__apt__sources.list.d__x.list",
            "deb https://apt.example.org/ stable main\n",
            "the image reads packages from https://apt.example.org stable too",
        ),
        (
            "etc__apt__sources.list.d__x.list",
            "deb nonsense\n",
            "x.list is not read: apt cannot read this line",
        ),
        (
            "etc__apt__preferences.d__x",
            "Package: /(curl)+/\nPin: release n=sid\nPin-Priority: 900\n",
            "/etc/apt/preferences.d/x of the image is not followed: the regular expression /(curl)+/",
        ),
        (
            "etc__apt__apt.conf.d__x",
            'Dir { Etc::sourcelist "/x.list"; };\n',
            "apt.conf of the image is not followed",
        ),
        ("etc__apt__sources.list.d__debian.sources", "# none\n", "apt has no sources left here"),
    ],
)
def test_what_might_decide_otherwise_keeps_words_unpinned(
    bench: Workbench, registry: Registry, path: str, text: str, why: str
) -> None:
    registry.put("app:1", image({"apt": "2.6.1"}, **{path: text}))
    result = lock(bench, registry, "--platform", "amd64")
    assert why in result.out
    assert "curl=" not in bench.read("Dockerfile")


def test_recommends_as_the_image_sets_them(
    bench: Workbench, registry: Registry, archive: SimulatedArchive
) -> None:
    archive.suites[-1].package("tool", "1", recommends="jq")
    bench.write("Dockerfile", f"FROM {registry.host}/app:1\nRUN apt-get install -y tool\n")
    settings = 'APT::Install-Recommends "0";\n'
    registry.put("app:1", image({"apt": "2.6.1"}, **{"etc__apt__apt.conf.d__x": settings}))
    lock(bench, registry, "--platform", "amd64")
    assert [package.id for package in locked(bench).targets[0].closure.members] == ["tool:amd64=1"]


def test_architectures_that_the_image_added(bench: Workbench, registry: Registry) -> None:
    """Also by the lock alone, and together with one that the stage adds."""
    registry.put("app:1", image({"apt": "2.6.1"}, var__lib__dpkg__arch="amd64\narm64\n"))
    for before in ("", "dpkg --add-architecture i386 && "):
        bench.write("Dockerfile", f"FROM {registry.host}/app:1\nRUN {before}apt-get install -y jq:arm64\n")
        for _ in range(2):
            assert lock(bench, registry, "--platform", "amd64").status == 0
            assert "jq:arm64=1.6" in bench.read("Dockerfile")
            bench.write("Dockerfile", bench.read("Dockerfile").replace("=1.6", ""))


def test_an_image_that_is_no_debian(bench: Workbench, registry: Registry) -> None:
    alpine = make({"etc/os-release": "ID=alpine\nVERSION_ID=3.20\n"})
    registry.put("app:1", alpine)
    assert "is alpine, which has no packages of Debian" in lock(bench, registry, "--platform", "amd64").out


def test_an_image_that_is_another_suite_than_its_name_says(
    bench: Workbench, registry: Registry, archive: SimulatedArchive
) -> None:
    debian(archive, "trixie").package("curl", "8.14")
    registry.put("app:1-trixie", image({"apt": "2.6.1"}))
    bench.write("Dockerfile", f"FROM {registry.host}/app:1-trixie\nRUN apt-get install -y curl\n")
    lock(bench, registry, "--platform", "amd64")
    assert "curl=7.88" in bench.read("Dockerfile")


def test_an_ubuntu_has_a_closure_once_its_image_is_read(
    bench: Workbench, registry: Registry, archive: SimulatedArchive
) -> None:
    ubuntu(archive, "jammy")
    for suite in archive.suites:
        if suite.name == "jammy":
            suite.package("curl", "7.81", depends="libc6, libcurl4").package("libcurl4", "7.81")
            suite.package("libc6", "2.35")
    names = {"sources.list": "deb http://archive.ubuntu.com/ubuntu/ jammy main restricted\n"
             "deb http://archive.ubuntu.com/ubuntu/ jammy-updates main restricted\n"
             "deb http://archive.ubuntu.com/ubuntu/ jammy universe multiverse\n"
             "deb http://archive.ubuntu.com/ubuntu/ jammy-updates universe multiverse\n"
             "deb http://archive.ubuntu.com/ubuntu/ jammy-backports main restricted universe multiverse\n"
             "deb http://security.ubuntu.com/ubuntu/ jammy-security main restricted\n"
             "deb http://security.ubuntu.com/ubuntu/ jammy-security universe multiverse\n"}  # fmt: skip
    made = image(
        {"apt": "2.4.5", "libc6": "2.35"},
        history="ADD file",
        **{
            "etc__os-release": "ID=ubuntu\nVERSION_CODENAME=jammy\n",
            "etc__apt__sources.list.d__debian.sources": "",
            "etc__apt__sources.list": names["sources.list"],
        },
    )
    registry.put("app:1", made)
    result = lock(bench, registry, "--platform", "amd64")
    assert result.status == 0
    assert {package.id for package in locked(bench).targets[0].closure.members} == {
        "libcurl4:amd64=7.81",
        "curl:amd64=7.81",
    }


def test_a_large_image_is_read_only_on_demand(
    bench: Workbench, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pinner.session import images

    monkeypatch.setattr(images, "LARGEST", 10)
    without = make(image({"apt": "2.6.1"}).layers[0])
    registry.put("team/app:1", without)
    told = "RUN apt-get install -y curl\n"
    bench.write("Dockerfile", f"FROM {registry.host}/team/app:1\n{told}FROM {registry.host}/app:1\n{told}")
    registry.put("app:1", image({"apt": "2.6.1", "curl": "8.0"}))
    result = lock(bench, registry, "--platform", "amd64", "--dry-run")
    assert result.err.count("what it holds is assumed, not read") == 1
    assert f"{registry.host}/app:1 has 0 MB" in result.err
    assert "curl=7.88" in result.out
    result = lock(bench, registry, "--platform", "amd64", "--images", "always")
    assert "newer than all that its archive offers" in result.out


def test_an_archive_in_place_of_a_registry(bench: Workbench, tmp_path: Path) -> None:
    path = saved_archive(tmp_path, saved(image({"apt": "2.6.1", "curl": "8.0"}, packing="plain")))
    bench.write("Dockerfile", "FROM app:1\nRUN apt-get install -y curl\n")
    result = bench.run(
        "lock", "--images", "always", "--image-archive", f"app:*={path}", "--platform", "amd64"
    )
    assert "newer than all that its archive offers" in result.out


def ask(bench: Workbench, registry: Registry, command: str, *arguments: str) -> Result:
    return bench.run(
        command, "--images", "auto", "--insecure-registry", registry.host, "--platform", "amd64", *arguments
    )


@pytest.mark.parametrize(
    ("now", "expected", "text"),
    [
        (image({"apt": "2.6.1", "jq": "1.6"}), 0, "is another image than the one"),
        (image({"apt": "2.6.1", "curl": "9.0"}), 1, "holds curl 9.0 by now"),
        (image({"apt": "2.6.1"}, history=BOOKWORM.replace("bookworm", "trixie")), 1, "is trixie now"),
    ],
)
def test_verify_tells_that_a_tag_has_moved(
    bench: Workbench, registry: Registry, archive: SimulatedArchive, now: Made, expected: int, text: str
) -> None:
    debian(archive, "trixie").package("curl", "8.14")
    registry.put("app:1", image({"apt": "2.6.1"}))
    lock(bench, registry, "--platform", "amd64")
    quiet = ask(bench, registry, "verify")
    assert (quiet.status, "pinner refresh" in quiet.out) == (0, False)
    registry.put("app:1", now)
    result = ask(bench, registry, "verify")
    assert (result.status, text in result.out) == (expected, True), result


def test_refresh_goes_on_with_what_the_tag_means_now(bench: Workbench, registry: Registry) -> None:
    registry.put("app:1", image({"apt": "2.6.1"}))
    lock(bench, registry, "--platform", "amd64")
    moved = image({"apt": "2.6.1", "libc6": "2.36"})
    registry.put("app:1", moved)
    assert ask(bench, registry, "refresh").status == 0
    assert [target.closure.digest for target in locked(bench).targets] == [moved.digest]
    assert {package.name for package in locked(bench).packages} == {"curl", "libcurl4"}
    quiet = ask(bench, registry, "verify")
    assert (quiet.status, "pinner refresh" in quiet.out) == (0, False)


def test_pin_images(bench: Workbench, registry: Registry) -> None:
    images = [image({"apt": "2.6.1"}, platform) for platform in ("linux/amd64", "linux/arm64")]
    first = registry.put("app:1", *images, top=index(*images))
    text = (
        f"ARG TAG=1\nFROM --platform=$BUILDPLATFORM {registry.host}/app:1 AS build # why\n"
        f"FROM {registry.host}/app:$TAG\nFROM build\nFROM scratch\nFROM {registry.host}/gone:1\n"
        f"FROM {registry.host}/app:1\nRUN apt-get install -y curl\n"
    ).replace(" # why", "")
    bench.write("Dockerfile", text)
    assert lock(bench, registry, "--pin-images").status == 0
    expected = text.replace("app:1 AS", f"app:1@{first} AS").replace("app:1\nRUN", f"app:1@{first}\nRUN")
    assert bench.read("Dockerfile") == expected.replace("-y curl", "-y curl=7.88")
    before = bench.files()
    moved = image({"apt": "2.6.1", "libc6": "2.36"})
    second = registry.put("app:1", moved, top=index(moved))
    assert lock(bench, registry, "--pin-images", "--max-age", "0s").status == 0
    assert bench.files() == before
    assert ask(bench, registry, "refresh").status == 0
    assert bench.read("Dockerfile") == expected.replace(first, second).replace("-y curl", "-y curl=7.88")
    assert {target.closure.digest for target in locked(bench).targets} == {moved.digest}


def test_why_knows_what_the_image_holds(bench: Workbench, registry: Registry) -> None:
    registry.put("app:1", image({"apt": "2.6.1", "libc6": "2.36"}))
    lock(bench, registry, "--platform", "amd64")
    answers = [
        bench.run(
            "why", name, "--images", "auto", "--insecure-registry", registry.host, "--platform", "amd64"
        ).status
        for name in ("libc6", "libcurl4")
    ]
    assert answers == [1, 0]


def test_images_are_read_together(bench: Workbench, registry: Registry) -> None:
    names = [f"app:{number}" for number in range(4)]
    text = "".join(f"FROM {registry.host}/{name}\nRUN apt-get install -y curl\n" for name in names)
    bench.write("Dockerfile", text)
    for name in names:
        registry.put(name, image({"apt": "2.6.1", "jq": name.replace("app:", "1.")}))
    together = threading.Barrier(4)

    def wait(request: Request) -> Reply | None:
        with suppress(threading.BrokenBarrierError):
            if "/blobs/" in request.path and not together.broken:
                together.wait(20)
        return None

    registry.mischief = wait
    assert lock(bench, registry, "--platform", "amd64").status == 0
    assert not together.broken
    assert [target.closure.digest for target in locked(bench).targets] == [
        registry_digest(registry, name) for name in names
    ]


def registry_digest(registry: Registry, name: str) -> str:
    return digest(registry.documents[name.replace(":", "/")][0])


def test_what_several_images_share_is_fetched_once(bench: Workbench, registry: Registry) -> None:
    images = [image({"apt": "2.6.1"}), image({"apt": "2.6.1"}, "linux/arm64")]
    for name in ("app:1", "app:2", "app:3"):
        registry.put(name, *images, top=index(*images))
    bench.write(
        "Dockerfile",
        "".join(f"FROM {registry.host}/app:{n}\nRUN apt-get install -y curl\n" for n in (1, 2, 3)),
    )
    assert lock(bench, registry).status == 0
    assert len(registry.log) == len({(one.method, one.path) for one in registry.log})
    assert len(registry.log) == 3 + 1 + 2 * 3  # tags, the index, manifest and config and layer of each


def test_one_note_for_all_platforms(bench: Workbench, registry: Registry) -> None:
    made = image({"apt": "2.6.1"}, "linux/arm/v7")
    registry.put("app-bookworm:1", made, top=index(made))
    bench.write("Dockerfile", f"FROM {registry.host}/app-bookworm:1\nRUN apt-get install -y curl\n")
    assert unread(lock(bench, registry).err) == "".join(
        f"note: {registry.host}/app-bookworm:1: no image for linux/{arch}; it has linux/arm/v7\n"
        for arch in ("amd64", "arm64")
    )
    registry.documents.clear()
    assert unread(lock(bench, registry, "--max-age", "0s").err) == (
        f"warning: {registry.host}/app-bookworm:1 (amd64, arm64) was not read, what it holds is assumed: "
        "the registry has no such image (HTTP status 404)\n"
    )


def test_a_platform_that_the_image_is_not_made_for(
    bench: Workbench, registry: Registry, archive: SimulatedArchive
) -> None:
    """Nobody asked for it: its versions do not count, and it stays so where the registry does not answer."""
    archive.suites[-1].package("tool", "1", arch="amd64").package("tool", "2", arch="arm64")
    bench.write("Dockerfile", f"FROM {registry.host}/app:1\nRUN apt-get install -y tool\n")
    registry.put("app:1", image({"apt": "2.6.1"}))
    result = lock(bench, registry)
    assert (result.status, "tool=1" in bench.read("Dockerfile")) == (0, True)
    assert result.err == f"note: {registry.host}/app:1: no image for linux/arm64; it has linux/amd64\n"
    assert [target.platform for target in locked(bench).targets] == ["linux/amd64"]
    text = bench.read("pinner.lock")
    registry.documents.clear()
    for path in (bench.cache / "images").iterdir():
        path.unlink()
    assert (lock(bench, registry).status, bench.read("pinner.lock")) == (0, text)
    asked = lock(bench, registry, "--platform", "amd64", "--platform", "arm64")
    assert "not in arm64" in asked.out


def test_an_archive_need_not_have_all_platforms(bench: Workbench, tmp_path: Path) -> None:
    path = saved_archive(tmp_path, saved(image({"apt": "2.6.1"}, packing="plain")))
    bench.write("Dockerfile", "FROM app:1\nRUN apt-get install -y curl\n")
    result = bench.run("lock", "--image-archive", str(path))
    assert "app:1 (arm64) was not read, what it holds is assumed: " in result.err
    assert {target.platform for target in locked(bench).targets} == {"linux/amd64", "linux/arm64"}


def test_a_pin_below_the_image_fails_each_time(
    bench: Workbench, registry: Registry, archive: SimulatedArchive
) -> None:
    bench.write("Dockerfile", f"FROM {registry.host}/app:1\nRUN apt-get install -y curl=7.88 libcurl4\n")
    registry.put("app:1", image({"apt": "2.6.1", "curl": "8.0"}))
    for _ in range(2):
        result = lock(bench, registry, "--platform", "amd64")
        assert result.status == 1
        assert "apt would have to downgrade curl from 8.0 to 7.88" in result.out
        assert (
            "(take the version off curl: the image holds a newer one than its archive offers)" in result.out
        )
    archive.suites[-1].package("curl", "8.1")
    for _ in range(2):
        result = lock(bench, registry, "--platform", "amd64", "--max-age", "0s")
        assert (result.status, "moves the pin" in result.out) == (1, False)
        assert "(pinner refresh --package curl fixes it (7.88 → 8.1))" in result.out
    assert ask(bench, registry, "refresh").status == 0
    assert "curl=8.1" in bench.read("Dockerfile")


def test_a_digest_that_moves_is_told(bench: Workbench, registry: Registry, archive: SimulatedArchive) -> None:
    debian(archive, "trixie").package("curl", "8.14")
    first = image({"apt": "2.6.1"})
    registry.put("app:1", first)
    name = f"{registry.host}/app:1"
    assert f"note: {name} is pinned to {first.digest}\n" in lock(
        bench, registry, "--pin-images", "--platform", "amd64"
    ).err  # fmt: skip
    second = image({"apt": "2.6.1", "jq": "1.6"})
    registry.put("app:1", second)
    result = ask(bench, registry, "verify")
    told = f"pinner.lock  {name}  warning [image-moved]: has moved on from the digest in FROM"
    assert (result.status, told in result.out) == (
        0,
        True,
    )
    result = ask(bench, registry, "refresh", "--summary", "summary.md", "--commit-message", "message")
    digests = f"{first.digest[:19]} → {second.digest[:19]}"
    assert f"base image  {name}  {digests}\n" in result.out
    assert "refreshed 1 base image; wrote Dockerfile, pinner.lock" in result.out
    assert f"| `{name}` | {digests} |" in bench.read("summary.md")
    assert bench.read("message") == f"build(deps): refresh 1 base image\n\n- {name}: {digests}\n"
    sources = {"etc__apt__sources.list.d__debian.sources": SOURCES.replace("bookworm", "trixie")}
    third = image({"apt": "2.6.1"}, history=BOOKWORM.replace("bookworm", "trixie"), **sources)
    registry.put("app:1", third)
    result = ask(bench, registry, "refresh", "--check")
    assert f"bookworm → trixie, {second.digest[:19]} → {third.digest[:19]}" in result.out
    assert "would refresh 1 package, 1 base image and 2 packages installed with them" in result.out


def test_a_notice_is_one_for_all_platforms(bench: Workbench, registry: Registry) -> None:
    for number in (1, 2):
        images = [
            image({"apt": "2.6.1", "jq": str(number)}, platform)
            for platform in ("linux/amd64", "linux/arm64")
        ]
        registry.put("app:1", *images, top=index(*images))
        if number == 1:
            lock(bench, registry)
    result = bench.run("verify", "--images", "auto", "--insecure-registry", registry.host)
    name = f"{registry.host}/app:1"
    assert (
        f"{name} linux/amd64, linux/arm64  warning [image-moved]: is another image than the one that was locked"
        in result.out
    )


@pytest.mark.parametrize("name", ["vendor.gpg", "vendor.asc"])
def test_keys_that_the_image_holds(
    bench: Workbench, registry: Registry, archive: SimulatedArchive, name: str
) -> None:
    vendor = archive.suite("stable", path="vendor").deb("tool", "2.0")
    vendor.signers, vendor.date = [Key("Vendor")], RELEASED
    certificate = vendor.signers[0].certificate
    content = bytes(certificate) if name.endswith("gpg") else str(certificate)
    line = f"deb [signed-by=/usr/share/keyrings/{name}] {vendor.uri} stable main\n"
    files: dict[str, Content] = {
        "etc__apt__sources.list.d__x.list": line,
        f"usr__share__keyrings__{name}": content,
    }
    registry.put("app:1", image({"apt": "2.6.1"}, "linux/amd64", BOOKWORM, "gzip", **files))
    bench.write("Dockerfile", f"FROM {registry.host}/app:1\nRUN apt-get install -y tool\n")
    result = lock(bench, registry, "--platform", "amd64")
    assert "tool=2.0" in bench.read("Dockerfile"), result
    place = f"{registry.host}/app:1:/usr/share/keyrings/{name}"
    assert locked(bench).keys == (LockedKey(vendor.uri, place, (vendor.signers[0].fingerprint,)),)
    assert "Package: tool" in bench.run("export", "packages").out
    vendor.signers = [Key("Somebody")]
    assert lock(bench, registry, "--platform", "amd64", "--max-age", "0s").status == 6


def test_a_key_that_the_image_does_not_hold(bench: Workbench, registry: Registry) -> None:
    line = "deb [signed-by=/usr/share/keyrings/vendor.gpg] https://apt.vendor.example stable main\n"
    registry.put("app:1", image({"apt": "2.6.1"}, **{"etc__apt__sources.list.d__x.list": line}))
    result = lock(bench, registry, "--platform", "amd64")
    assert "the image reads packages from https://apt.vendor.example stable too" in result.out


def test_an_archive_that_cannot_be_read_is_an_error(bench: Workbench) -> None:
    bench.write("bad.tar", "x")
    for path, text in (("nope.tar", "No such file"), ("app:*=bad.tar", "bad.tar is not a whole tar archive")):
        bench.write("Dockerfile", "FROM app:1-bookworm\nRUN apt-get install -y curl\n")
        result = bench.run("lock", "--image-archive", path)
        assert (result.status, text in result.err) == (3, True), result
        assert bench.read("Dockerfile").endswith("-y curl\n")


def test_a_layout_that_is_locked_is_read_again(bench: Workbench, tmp_path: Path) -> None:
    """By the image's name: its digest in the lock changes nothing, and another image counts as what it is."""
    bench.write("Dockerfile", "FROM app:1\nRUN apt-get install -y curl\n")
    labels = set()
    for installed in ({"apt": "2.6.1"}, {"apt": "2.6.1", "libc6": "2.36"}):
        path = saved_archive(tmp_path, layout(image(installed)))
        for _ in range(2):
            result = bench.run("lock", "--image-archive", f"app:1={path}", "--platform", "amd64")
            assert (result.status, result.err) == (0, "")
        (target,) = locked(bench).targets
        assert ("libc6:amd64=2.36" in bench.read("pinner.lock")) == ("libc6" not in installed)
        labels.add((target.closure.installed, target.closure.digest))
    assert len(labels) == 2


def test_a_registry_without_tls(bench: Workbench, registry: Registry) -> None:
    bench.write("Dockerfile", f"FROM {registry.host}/app-bookworm:1\nRUN apt-get install -y curl\n")
    result = bench.run("lock", "--images", "auto")
    assert f"{registry.host} gave no answer: the server does not speak TLS (--insecure-registry" in result.err


@pytest.mark.parametrize("command", ["lock", "verify", "refresh"])
def test_no_layer_is_read_of_an_image_that_the_lock_holds(
    bench: Workbench, registry: Registry, command: str
) -> None:
    registry.put("app:1", image({"apt": "2.6.1"}))
    arguments = ("--images", "auto", "--insecure-registry", registry.host)
    lock(bench, registry, "--platform", "amd64")
    before = bench.read("pinner.lock")
    for path in (bench.cache / "images").iterdir():
        path.unlink()
    asked = len(registry.log)
    assert bench.run(command, *arguments).status == 0
    layers = [request for request in registry.log[asked:] if "/blobs/" in str(request)]
    assert len(layers) <= (command != "lock"), "the configuration at most"
    assert bench.read("pinner.lock") == before
