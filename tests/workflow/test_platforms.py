"""What a stage stands on where the platform decides it."""

from __future__ import annotations

from pinner.recipe import dockerfile
from pinner.stages.image_names import Named, Unnamed
from pinner.stages.suites import Options, base_of

FILE = "FROM {0} AS base-amd64\nFROM {1} AS base-arm64\nARG TARGETARCH\nFROM base-${{TARGETARCH}}\n"


def test_stages_by_platform() -> None:
    parsed = dockerfile.parse(FILE.format("debian:12", "arm64v8/debian:12"))
    base = base_of(parsed, parsed.stages[-1], Options())
    assert isinstance(base.where, Named)
    assert base.where.suite.codename == "bookworm"
    assert base.platforms == ("linux/amd64", "linux/arm64")
    assert base.images == {"linux/amd64": "debian:12", "linux/arm64": "arm64v8/debian:12"}


def test_several_suites() -> None:
    parsed = dockerfile.parse(FILE.format("debian:12", "debian:13"))
    base = base_of(parsed, parsed.stages[-1], Options())
    assert isinstance(base.where, Unnamed)
    one = base_of(parsed, parsed.stages[-1], Options(platforms=("linux/arm64",)))
    assert isinstance(one.where, Named)
    assert one.where.suite.codename == "trixie"
