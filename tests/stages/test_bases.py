"""Names that tell no suite, and images as their families are made: what a stage on each of them stands on."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pinner.archive.cache import Cache
from pinner.archive.network import Network
from pinner.errors import PinnerError
from pinner.images import reference
from pinner.images.image import Image
from pinner.images.registry import Registry as Client
from pinner.lock.schema import Lock
from pinner.recipe import dockerfile
from pinner.stages.bases import Bases
from pinner.stages.image_names import Alias, Named, Unnamed
from pinner.stages.suites import Options, StageBase, World, base_of
from tests.registry import OCI, Content, Registry, index, make, serve

ADDED = "/bin/sh -c #(nop) ADD file:0123456789abcdef in / "  # Debian's images until September 2024
BOOKWORM = 'ID=debian\nVERSION_ID="12"\nVERSION="12 (bookworm)"\nVERSION_CODENAME=bookworm\n'
STRETCH = 'ID=debian\nVERSION_ID="9"\nVERSION="9 (stretch)"\n'
NOBLE = 'ID=ubuntu\nID_LIKE=debian\nVERSION="24.04.3 LTS (Noble Numbat)"\nVERSION_CODENAME=noble\n'
ZESTY = 'ID=ubuntu\nVERSION="17.04 (Zesty Zapus)"\nVERSION_CODENAME=zesty\n'
LABEL = "org.opencontainers.image."


def history(suite: str) -> list[str]:
    return [f"# debian.sh --arch 'amd64' out/ '{suite}' '@1761000000'", 'CMD ["bash"]', "RUN apt-get update"]


def ubuntu(version: str) -> dict[str, str]:
    return {f"{LABEL}ref.name": "ubuntu", f"{LABEL}version": version}


#: The name in FROM, os-release, the history, the labels; and the suite, or what is said.
FAMILIES = [
    ("python:3.12", BOOKWORM, history("bookworm"), {}, "bookworm"),
    ("node:22", BOOKWORM, history("bookworm"), {}, "bookworm"),
    ("golang", "", history("trixie"), {}, "trixie"),
    ("postgres:16", BOOKWORM, history("bookworm"), {}, "bookworm"),
    ("debian:rc-buggy", "", history("rc-buggy"), {}, "rc-buggy"),
    ("php:7.1-apache", STRETCH, [ADDED, "RUN apt-get update"], {}, "stretch"),
    ("openjdk:8-jdk", BOOKWORM, [ADDED], {}, "bookworm"),
    ("mcr.microsoft.com/devcontainers/javascript-node:22", BOOKWORM, [ADDED], {}, "bookworm"),
    ("mcr.microsoft.com/dotnet/sdk:10.0", NOBLE, [], ubuntu("24.04"), "noble"),
    ("ubuntu", "", [ADDED], ubuntu("24.04"), "noble"),
    ("ubuntu:rolling", "", [ADDED], ubuntu("25.10"), "questing"),
    ("eclipse-temurin:21", NOBLE, [], ubuntu("24.04"), "noble"),
    ("quay.io/jupyter/base-notebook", NOBLE, [], ubuntu("7.1.2"), "noble"),
    ("registry.example/base:7", NOBLE, [], {}, "noble"),
    ("python:3.12-alpine", "ID=alpine\nVERSION_ID=3.20\n", [], {}, "is alpine, which has no packages of Debian"),
    ("fedora:41", "ID=fedora\nVERSION_ID=41\n", [], {}, "is fedora, which has no packages of Debian"),
    ("ros:lunar", ZESTY, [], {}, "zesty"),
    ("registry.example/empty", "", [], {}, "does not name a suite"),
    # What the image is counts more than its name.
    ("company/jammy-tools:1", BOOKWORM, history("bookworm"), {}, "bookworm"),
]  # fmt: skip


@pytest.fixture(scope="module")
def registry() -> Iterator[Registry]:
    with serve(Registry()) as registry:
        for number, (name, release, steps, labels, _) in enumerate(FAMILIES):
            base: dict[str, Content] = {
                "usr/lib/os-release": release,
                "etc/os-release": ("->", "../usr/lib/os-release"),
            }
            packing = {"packing": "zstd", "media_type": OCI} if number % 3 == 0 else {}
            images = [
                make(
                    base if release else {"x": "y"},
                    {"srv/x": "y"},
                    platform=platform,
                    history=steps,
                    labels=labels,
                    **packing,
                )
                for platform in ("linux/amd64", "linux/arm64")
            ]
            parsed = reference.parse(name)
            registry.put(f"{parsed.repository}:{parsed.tag}", *images, top=index(*images))
        yield registry


def base(registry: Registry, cache: Path, image: str) -> StageBase:
    host = reference.parse(image).registry
    client = Client(Network(Cache(cache), datetime.now(UTC), mirrors={f"https://{host}": registry.address}))

    def inspect(wanted: Sequence[tuple[str, str]], known: Collection[str]) -> Sequence[Image | PinnerError]:
        return [client.inspect(*each) for each in wanted]

    parsed = dockerfile.parse(f"FROM {image}\n")
    options = Options(world=World(look=Bases(inspect, {}, strict=True).look(Lock())))
    return base_of(parsed, parsed.stages[0], options)


@pytest.mark.parametrize(("image", "expected"), [(row[0], row[4]) for row in FAMILIES])
def test_the_suite_is_the_images(registry: Registry, tmp_path: Path, image: str, expected: str) -> None:
    where = base(registry, tmp_path, image).where
    if isinstance(where, Unnamed):
        assert expected in where.why
    else:
        assert (where.name if isinstance(where, Alias) else where.suite.codename) == expected
        assert isinstance(where, Named)
