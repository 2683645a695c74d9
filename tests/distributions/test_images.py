"""What is known of base images by their names."""

from __future__ import annotations

import pytest

from pinner.distributions import images
from pinner.distributions.tables import is_one


@pytest.mark.parametrize(
    "repository",
    [
        "debian", "ubuntu", "library/debian", "docker.io/library/ubuntu", "public.ecr.aws/docker/library/debian",
        "python", "node", "golang", "ruby", "rust", "buildpack-deps", "eclipse-temurin", "openjdk", "perl", "httpd",
        "arm64v8/python", "docker.io/python", "mirror.gcr.io/library/node", "registry.example.com/library/python",
        "bitnami/minideb", "mambaorg/micromamba", "mcr.microsoft.com/dotnet/sdk", "ghcr.io/astral-sh/uv",
    ],
)  # fmt: skip
def test_plain(repository: str) -> None:
    found = images.row(repository)
    assert found and found.plain


@pytest.mark.parametrize(
    ("repository", "served", "own"),
    [
        ("postgres", "libpq-dev", "curl"),
        ("postgis/postgis", "postgresql-16-postgis-3", "git"),
        ("nvidia/cuda", "libcudnn8", "python3-pip"),
        ("nvidia/cuda", "libnvinfer8", "python3.12-venv"),
        ("nvidia/cuda", "libcurand-dev", "libcurl4"),
        ("nvcr.io/nvidia/pytorch", "libnccl2", "git"),
        ("ros", "ros-humble-desktop", "python3-pip"),
        ("arm64v8/ros", "python3-colcon-common-extensions", "curl"),
        ("gazebo", "libgazebo11-dev", "curl"),
        ("nginx", "nginx-module-njs", "curl"),
        ("mongo", "mongodb-org-tools", "curl"),
        ("mysql", "mysql-client", "curl"),
        ("mariadb", "mariadb-client", "curl"),
        ("php", "php-xml", "libzip-dev"),
        ("selenium/standalone-chrome", "google-chrome-stable", "jq"),
        ("google/cloud-sdk", "kubectl", "jq"),
    ],
)
def test_with_repositories(repository: str, served: str, own: str) -> None:
    found = images.row(repository)
    assert found and not found.plain
    assert is_one(served, found.serves) and not is_one(own, found.serves)


@pytest.mark.parametrize(
    "repository", ["example/app", "ghcr.io/example/python", "registry.example.com/python", "alpinish"]
)
def test_unknown(repository: str) -> None:
    assert images.row(repository) is None


@pytest.mark.parametrize(
    ("repository", "tag", "suite"),
    [
        ("ros", "humble", "jammy"),
        ("ros", "humble-ros-base", "jammy"),
        ("osrf/ros", "noetic-desktop-full", "focal"),
        ("ros", "rolling", ""),
        ("gazebo", "libgazebo11", "focal"),
        ("mcr.microsoft.com/dotnet/sdk", "8.0", "bookworm"),
        ("mcr.microsoft.com/dotnet/sdk", "8.0.404", "bookworm"),
        ("mcr.microsoft.com/dotnet/aspnet", "10.0", "noble"),
        ("mcr.microsoft.com/dotnet/aspnet", "11.0", ""),
        ("phusion/baseimage", "0.11", "bionic"),
        ("python", "3.12", ""),
    ],
)
def test_tags_that_name_a_suite_in_their_own_way(repository: str, tag: str, suite: str) -> None:
    found = images.row(repository)
    assert found and found.suite(tag) == suite
