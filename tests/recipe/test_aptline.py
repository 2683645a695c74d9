"""apt's command line reader: which words are options, values, packages."""

from __future__ import annotations

import pytest

from pinner.edit.span import Joined, Span
from pinner.recipe.aptline import Call, parse
from pinner.shell import syntax


def call(line: str) -> Call:
    (command,) = syntax.read(line, Joined.without(line, Span(0, len(line)), ())).commands("apt")
    assert command.certain
    return parse(command.words[0].raw, command.words[1:])


@pytest.mark.parametrize(
    ("line", "packages"),
    [
        ("apt-get install a b", "a b"),
        ("apt-get -y install a", "a"),
        ("apt-get install a -y b", "a b"),
        ("apt-get install -y yes a", "a"),
        ("apt-get install -y yEs a", "a"),
        ("apt-get install -y maybe a", "maybe a"),
        ("apt-get install -q 2 a", "a"),
        ("apt-get install -q a", "a"),
        ("apt-get install -qq a", "a"),
        ("apt-get install -yq2 a", "a"),
        ("apt-get install -q=2 a", "a"),
        ("apt-get install --quiet 2 a", "a"),
        ("apt-get install --no-install-recommends on a", "a"),
        ("apt-get install -t sid a", "a"),
        ("apt-get install -tsid a", "a"),
        ("apt-get install -t=sid a", "a"),
        ("apt-get install -yt sid a", "a"),
        ("apt-get install --target-release sid a", "a"),
        ("apt-get install --target-release=sid a", "a"),
        ("apt-get install --Target-Release=sid a", "a"),
        ("apt-get install -o A::B=c a", "a"),
        ("apt-get install -oA::B=c a", "a"),
        ("apt-get install -o Dpkg::Options::=--force-confold a", "a"),
        ('apt-get install -o Dpkg::Options::="--force-confold" a', "a"),
        ("apt-get install -yqqo A=b a", "a"),
        ("apt-get install -c file a", "a"),
        ("apt-get install -- -y a", "-y a"),
        ("apt-get -s -- install a", "a"),
        ("apt-get install - a", "a"),
        ("apt-get install --without-install-recommends a", "a"),
        ("apt-get install --allow-downgrades --allow-unauthenticated a", "a"),
        ("apt-get install --no-y a", "a"),
        ("apt-get install a -y$X b", "a b"),
        ("apt-get install -t $X b", "b"),
        ("apt-get install -o A=$X b", "b"),
        ("apt-get $OPTIONS install b", "b"),
        ("aptitude install -R -t sid -w 80 a", "a"),
        ("aptitude -y install -o A=b a", "a"),
        ("aptitude install --without-recommends --target-release sid a", "a"),
    ],
)
def test_what_remains_are_the_packages(line: str, packages: str) -> None:
    result = call(line)
    assert (result.subcommand, result.error) == ("install", "")
    assert [word.raw for word in result.arguments] == packages.split()


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("apt-get install -t -y a", "-t requires an argument"),
        ("apt-get install a -t", "-t requires an argument"),
        ("apt-get install a -o A", "no `=`"),
        ("apt-get install -a arm64 a", "-a is not understood"),
        ("apt-get install -q2y a", "-2 is not understood"),
        ("apt-get install -q=x a", "value of -q"),
        ("apt-get install --no-recommends a", "--no-recommends is not understood"),
        ("apt-get install --no-install-recommend a", "--no-install-recommend is not understood"),
        ("apt-get install --no-install-recommends=maybe a", "value of --install-recommends"),
        ("apt-get install --allow-releaseinfo-change a", "not understood"),
        ("apt-get install --no-cache a", "not understood"),
        ("apt-get install --y a", "not understood"),
        ("apt-get install --t sid a", "not understood"),
        ("apt-get install --no-t a", "not understood"),
    ],
)
def test_what_apt_refuses(line: str, error: str) -> None:
    result = call(line)
    assert error in result.error
    assert result.arguments[-1].raw == "a"


@pytest.mark.parametrize(
    ("options", "recommends"),
    [
        ("", None),
        ("-y", None),
        ("--no-install-recommends", False),
        ("--no-install-recommends=true", True),
        ("--no-install-recommends on", True),
        ("--no-install-recommends=false", False),
        ("--no-install-recommends off", False),
        ("--install-recommends", True),
        ("--install-recommends=false", False),
        ("--install-recommends no", False),
        ("--without-install-recommends", False),
        ("--disable-install-recommends", False),
        ("--true-install-recommends", True),
        ("--NO-Install-Recommends", False),
        ("--no-install-recommends --install-recommends", True),
        ("--install-recommends -o APT::Install-Recommends=0", False),
        ("-o apt::INSTALL-recommends=no", False),
        ("-oAPT::Install-Recommends=1", True),
        ("-o APT::Get::Install-Recommends=false", None),
        ("-o APT::Install-Recommends=$X", None),
    ],
)
def test_recommends(options: str, recommends: bool | None) -> None:
    for line in (f"apt-get {options} install a", f"apt-get install a {options}"):
        assert call(line).boolean("apt::install-recommends") is recommends


@pytest.mark.parametrize(
    ("options", "release"),
    [
        ("-t sid", "sid"),
        ("--default-release sid", "sid"),
        ("-o APT::Default-Release=sid", "sid"),
        ("-t sid -t forky", "forky"),
        ("-t n=sid", "n=sid"),
        ("-t=sid", "sid"),
        ("-t $X", None),
    ],
)
def test_target_release(options: str, release: str | None) -> None:
    assert call(f"apt-get install {options} a").settings["apt::default-release"] == release


@pytest.mark.parametrize(
    "line", ["apt-get update", "apt-get remove a", "apt list a", "apt-get instal a", "apt-get"]
)
def test_other_subcommands(line: str) -> None:
    assert call(line).subcommand != "install"
