"""What apt's configuration decides about versions, by files and by a command's options."""

from __future__ import annotations

import pytest

from pinner.apt import command_line, decisions
from pinner.apt.command_line import Argument
from pinner.apt.decisions import Decisions, Places
from pinner.errors import InputError

#: The official images' files (debuerreotype): none of them decides a version.
DOCKER = (
    ("docker-autoremove-suggests", 'Apt::AutoRemove::SuggestsImportant "false";\n'),
    (
        "docker-clean",
        'DPkg::Post-Invoke { "rm -f /var/cache/apt/*.bin || true"; };\nDir::Cache::pkgcache "";\n',
    ),
    ("docker-gzip-indexes", 'Acquire::GzipIndexes "true";\n'),
    ("docker-no-languages", 'Acquire::Languages "none";\n'),
)


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        ("", "", Decisions()),
        ('APT { Install-Recommends "false"; };', "", Decisions(recommends=False)),
        ('// APT::Install-Recommends "false";', "", Decisions()),
        ('APT::Install-Recommends "0"; APT::Default-Release "sid";', "--install-recommends -t forky",
         Decisions(release="forky")),
        ('Acquire::Check-Valid-Until "false"; Acquire::Max-ValidTime 60;', "-o Acquire::Check-Date=no",
         Decisions(check_valid_until=False, check_date=False, valid_for=(0, 60))),
        ('APT::Snapshot "20260101T000000Z";', "", Decisions(snapshot="20260101T000000Z")),
        ("", "-S 20260101T000000Z --install-suggests", Decisions(snapshot="20260101T000000Z", suggests=True)),
        ('Dir::Etc::sourceparts "-"; Dir::Etc::sourcelist "sources.list";', "-o Dir::Etc::preferencesparts=/dev/null",
         Decisions(places=Places(sourceparts="/etc/apt/-", preferencesparts=""))),
        ('Dir::Etc::sourcelist "/x.list"; APT::Architectures { "amd64"; "i386"; };', "-o Dir::Etc::SourceParts=mine/",
         Decisions(places=Places("/x.list", "/etc/apt/mine"), architectures=("amd64", "i386"))),
        ("", "-o Dir::Etc::parts=/x", Decisions()),
        ('Binary::apt::APT::Install-Recommends "0";', "", Decisions()),
        ('Dpkg::Options { "--force-confold"; }; APT::Get::Assume-Yes "true";', "-o Acquire::Retries=3", Decisions()),
    ],
)  # fmt: skip
def test_what_is_decided(text: str, options: str, expected: Decisions) -> None:
    call = command_line.parse("apt-get", [Argument(word) for word in f"install {options}".split()])
    files = [(f"/etc/apt/apt.conf.d/{name}", content) for name, content in DOCKER]
    found = decisions.of([*files, ("/etc/apt/apt.conf", text)], "apt-get", call.settings)
    assert found._replace(said=()) == expected
    assert [(each.key, each.value) for each in found.said] == [
        ("APT::AutoRemove::SuggestsImportant", "false")
    ]


@pytest.mark.parametrize(
    ("text", "options", "why"),
    [
        ("", "-o Dir::Etc::sourcelist=./x", "Dir::Etc::sourcelist is not known"),
        ('Dir "/x";', "", "Dir::Etc::main moves"),
        ("", "-o Dir::State::lists=/x", "one command alone"),
        ('Dir::Etc::parts "/x";', "", "Dir::Etc::parts"),
        ('APT::Architecture "i386";', "", "APT::Architecture is not"),
        ('#include "/x";', "", "includes /x"),
        ("A b c;", "", "more than a value"),
        ("", "-c /x", "/x"),
        ("", "-o RootDir=/x", "RootDir"),
    ],
)
def test_what_is_not_followed_is_named(text: str, options: str, why: str) -> None:
    call = command_line.parse("apt-get", [Argument(word) for word in f"install {options}".split()])
    with pytest.raises(InputError, match=why):
        decisions.of([("/etc/apt/apt.conf", text)], "apt-get", call.settings)


def test_a_value_that_is_not_known_is_said() -> None:
    call = command_line.parse(
        "apt-get", [Argument("install"), Argument("-oAPT::Default-Release=", known=False)]
    )
    with pytest.raises(InputError, match="APT::Default-Release is not known"):
        decisions.of((), "apt-get", call.settings)
    call = command_line.parse("apt-get", [Argument("install"), Argument("-oAcquire::Retries=", known=False)])
    assert decisions.of((), "apt-get", call.settings) == Decisions()
