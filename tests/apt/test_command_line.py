"""apt's command line reader: which words are options, values, packages."""

from __future__ import annotations

import pytest

from pinner.apt.command_line import Argument, ParsedCommand, Setting, parse


def words(line: str) -> list[Argument]:
    """The words of a line; one with `$` is known up to there."""
    return [Argument(word.partition("$")[0], "$" not in word) for word in line.split()]


def call(line: str) -> ParsedCommand:
    program, *rest = words(line)
    return parse(program.text, rest)


def arguments(line: str) -> str:
    return " ".join(line.split()[1:][at] for at in call(line).arguments)


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
    assert arguments(line) == packages


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
    assert arguments(line).endswith("a")


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
        assert call(line).boolean("APT::Install-Recommends") is recommends


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
    assert call(f"apt-get install {options} a").value("APT::Default-Release") == release


@pytest.mark.parametrize(
    "line", ["apt-get update", "apt-get remove a", "apt list a", "apt-get instal a", "apt-get"]
)
def test_other_subcommands(line: str) -> None:
    assert call(line).subcommand != "install"


@pytest.mark.parametrize(
    ("line", "takes", "left"),
    [
        ("apt-get remove a b-", "packages", "a b-"),
        ("apt-get upgrade a", "packages", "a"),
        ("apt-get autoremove a+", "packages", "a+"),
        ("apt satisfy x", "relations", "x"),
        ("apt-get build-dep -a arm64 x", "sources", "x"),
        ("apt-get source -P nocheck x=1", "sources", "x=1"),
        ("apt-get download x/sid", "names", "x/sid"),
        ("apt-get update -e any", "", ""),
        ("apt-get update --allow-releaseinfo-change", "", ""),
        ("apt-get update --error-on=any", "", ""),
    ],
)
def test_what_subcommands_take(line: str, takes: str, left: str) -> None:
    assert (call(line).takes, arguments(line), call(line).error) == (takes, left, "")


def test_what_options_set_in_order() -> None:
    found = call(
        "apt-get -y -c /a.conf -o A::B=1 -S 20260101T000000Z install x -o A::B=$X -c $F --solver 3.0"
    ).settings
    assert found == (
        Setting("APT::Get::Assume-Yes", "yes"),
        Setting("", "/a.conf", file=True),
        Setting("A::B", "1"),
        Setting("APT::Snapshot", "20260101T000000Z"),
        Setting("A::B", None),
        Setting("", None, file=True),
        Setting("APT::Solver", "3.0"),
    )


@pytest.mark.parametrize(
    ("line", "recommends", "release"),
    [
        ("aptitude install -R a", False, ""),
        ("aptitude -yr install a", True, ""),
        ("aptitude install --without-recommends -t sid a", False, "sid"),
        ("aptitude install -t=sid a", None, "=sid"),
        ("aptitude install --target-release=sid a", None, "sid"),
        ("aptitude install -q=2 -oAPT::Install-Recommends=0 a", False, ""),
    ],
)
def test_aptitude_has_options_of_its_own(line: str, recommends: bool | None, release: str) -> None:
    assert (call(line).boolean("APT::Install-Recommends"), call(line).value("APT::Default-Release")) == (
        recommends,
        release,
    )
    assert call("aptitude install --no-install-recommends a").error
    assert call("aptitude $X a").uncertain
