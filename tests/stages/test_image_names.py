"""Which suite an image's name tells."""

from __future__ import annotations

import pytest

from pinner.recipe.dockerfile import parse
from pinner.stages.image_names import Alias, Named, Unnamed, named, suite_of
from pinner.stages.suites import Options, base_of

SUITES = [
    ("debian:bookworm", "bookworm"),
    ("debian:bookworm-slim", "bookworm"),
    ("debian:bookworm-20240701-slim", "bookworm"),
    ("debian:12", "bookworm"),
    ("debian:12.5", "bookworm"),
    ("debian:12.5-slim", "bookworm"),
    ("debian:12-slim@sha256:0000", "bookworm"),
    ("debian:sid", "sid"),
    ("docker.io/library/debian:11", "bullseye"),
    ("localhost:5000/debian:13.1-slim", "trixie"),
    ("arm64v8/debian:trixie", "trixie"),
    ("python:3.12-slim-bookworm", "bookworm"),
    ("buildpack-deps:trixie-curl", "trixie"),
    ("mcr.microsoft.com/devcontainers/base:bookworm", "bookworm"),
    ("mcr.microsoft.com/devcontainers/base:debian-12", "bookworm"),
    ("mcr.microsoft.com/dotnet/sdk:8.0-bookworm-slim", "bookworm"),
    ("gcr.io/distroless/base-debian12", "bookworm"),
    ("registry.example.org/team/app-bookworm:1.2.3", "bookworm"),
    ("php:8.3.1-cli-bookworm", "bookworm"),
    ("debian:9", "stretch"),
    ("debian:buster-slim", "buster"),
    ("debian:rc-buggy", "rc-buggy"),
    ("ubuntu:22.04", "jammy"),
    ("ubuntu:jammy", "jammy"),
    ("ubuntu:jammy-20240111", "jammy"),
    ("docker.io/library/ubuntu:24.04@sha256:0000", "noble"),
    ("arm64v8/ubuntu:20.04", "focal"),
    ("mcr.microsoft.com/devcontainers/base:ubuntu-22.04", "jammy"),
    ("mcr.microsoft.com/devcontainers/base:0-ubuntu-20.04", "focal"),
    ("nvidia/cuda:12.2.0-base-ubuntu22.04", "jammy"),
    ("nvidia/cuda:11.8.0-cudnn8-devel-ubuntu20.04", "focal"),
    ("rocm/dev-ubuntu-22.04:6.0", "jammy"),
    ("gcr.io/oss-fuzz-base/base-builder:ubuntu-24-04", "noble"),
    ("launcher.gcr.io/google/ubuntu16_04", "xenial"),
    ("quay.io/team/builder:ubuntu2204", "jammy"),
    ("phusion/baseimage:jammy-1.0.1", "jammy"),
    ("mcr.microsoft.com/dotnet/sdk:8.0-jammy", "jammy"),
    ("eclipse-temurin:17-jdk-jammy", "jammy"),
    ("eclipse-temurin:17-jdk-focal", "focal"),
    ("ubuntu:26.04", "resolute"),
    ("ubuntu:26.10", "stonking"),
]


@pytest.mark.parametrize(("reference", "codename"), SUITES)
def test_the_name_tells_the_suite(reference: str, codename: str) -> None:
    where = suite_of(reference)
    assert isinstance(where, Named)
    assert (where.suite.codename, where.variant) == (codename, "")


@pytest.mark.parametrize(
    ("reference", "alias"),
    [
        ("debian", "stable"),
        ("debian:latest", "stable"),
        ("debian:stable-slim", "stable"),
        ("debian:testing", "testing"),
        ("debian:unstable-20240101", "unstable"),
        ("debian:oldstable", "oldstable"),
    ],
)
def test_an_alias_is_looked_up_later(reference: str, alias: str) -> None:
    where = suite_of(reference)
    assert isinstance(where, Alias)
    assert where.name == alias


@pytest.mark.parametrize(
    ("reference", "why"),
    [
        ("node:12", "does not name a suite"),
        ("nginx:stable", "does not name a suite"),
        ("python:3.12", "does not name a suite"),
        ("ubuntu", "ubuntu is another release from time to time: the image itself has to be read"),
        ("ubuntu:latest", "is another release from time to time"),
        ("ubuntu:rolling", "is another release from time to time"),
        ("ubuntu:devel", "is another release from time to time"),
        ("team/ubuntu:stable", "does not name a suite"),
        ("ubuntu:trusty", "older than what pinner can verify"),
        ("app:ubuntu-14-04", "does not name a suite"),
        ("app:24-04", "does not name a suite"),
        ("ubuntu:99.04", "ubuntu 99.04 is not a suite that pinner knows"),
        ("groovy:jdk17", "does not name a suite"),
        ("ros:rolling", "does not name a suite"),
        ("node:22.04", "does not name a suite"),
        ("debian@sha256:0000", "does not name a suite"),
        ("alpine:3.12", "does not name a suite"),
        ("redis:11-alpine", "does not name a suite"),
        ("debian:7", "debian 7 is older than what pinner can verify"),
        ("ubuntu:14.04", "ubuntu 14.04 is older than what pinner can verify"),
        ("ubuntu:wily", "wily is older than what pinner can verify"),
        ("debian:wheezy-slim", "older than what pinner can verify"),
        ("ci/bookworm-to-trixie:1", "several suites: bookworm, trixie"),
    ],
)
def test_what_the_name_does_not_tell_is_not_guessed(reference: str, why: str) -> None:
    where = suite_of(reference)
    assert isinstance(where, Unnamed)
    assert why in where.why


@pytest.mark.parametrize(
    ("reference", "meant"),
    [
        ("debian:bookwrom-slim", "bookworm"),
        ("mirror.example/library/ubuntu:nobel", "noble"),
        ("debian:tesing", "testing"),
        ("debian:internal-7", ""),
        ("python:3.13-bookwrom", "bookworm"),
        ("node:20-bulseye-slim", "bullseye"),
        ("ros:rolling", ""),
        ("example.org/team/tool:3.13-bookwrom", ""),  # what others call their tags is their business
    ],
)
def test_a_tag_of_a_known_image_that_is_a_slip(reference: str, meant: str) -> None:
    where = suite_of(reference)
    assert isinstance(where, Unnamed)
    assert where.mistyped == bool(meant)
    assert not meant or where.hint == f"did you mean {meant}?"


def test_a_suite_that_a_person_writes_wrongly() -> None:
    where = named("bokworm")
    assert isinstance(where, Unnamed)
    assert where.hint == "did you mean bookworm?"


def test_a_name_that_others_use_too_is_ubuntus_only_in_its_own_tags() -> None:
    ros = suite_of("ros:kinetic")
    assert isinstance(ros, Named) and ros.suite.codename == "xenial"
    assert isinstance(suite_of("example/app:kinetic"), Unnamed)
    where = suite_of("ubuntu:kinetic")
    assert isinstance(where, Named)
    assert where.suite.version == "22.10"


def test_the_backports_image_reads_one_pocket_more() -> None:
    where = suite_of("debian:bookworm-backports")
    assert isinstance(where, Named)
    assert where.suite.variants[where.variant].suite == "bookworm-backports"


@pytest.mark.parametrize(
    ("text", "codename"),
    [
        ("bookworm", "bookworm"),
        ("Trixie", "trixie"),
        ("12", "bookworm"),
        ("12.5", "bookworm"),
        ("22.04", "jammy"),
        ("focal", "focal"),
        ("buster", "buster"),
    ],
)
def test_what_people_write_as_a_suite(text: str, codename: str) -> None:
    where = named(text)
    assert isinstance(where, Named)
    assert where.suite.codename == codename


@pytest.mark.parametrize("text", ["bookwurm", "", "bookworm-nonsense", "wheezy", "2604x"])
def test_a_word_that_is_no_suite(text: str) -> None:
    assert isinstance(named(text), Unnamed)


@pytest.mark.parametrize(
    ("image", "suite", "serves"),
    [
        ("python:${V}-slim-bookworm", "bookworm", None),
        ("ubuntu:22.04-$V", "jammy", None),
        ("team/ubuntu-22.04-$V", "jammy", ()),
        ("$V/debian:12-slim", "bookworm", ()),
        ("nvidia/cuda:${V}-devel-ubuntu22.04", "jammy", ("*cublas*",)),
        ("debian:$V", "", None),
        ("debian:1$V", "", None),
        ("python:3-${V}bookworm", "", None),
        ("ubuntu:$V", "", None),
        ("node:$V", "", None),
    ],
)
def test_what_is_known_of_an_image_names_the_suite(
    image: str, suite: str, serves: tuple[str, ...] | None
) -> None:
    file = parse(f"ARG V\nFROM {image}\n")
    base = base_of(file, file.stages[0], Options())
    assert (base.where.suite.codename if isinstance(base.where, Named) else "") == suite
    assert (base.doubt is None) == (serves is None)
    assert base.doubt is None or set(serves or ()) <= set(base.doubt.serves)
