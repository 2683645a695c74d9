"""Lists of packages that a service installs."""

from __future__ import annotations

import pytest

from pinner.recipe import kinds
from pinner.stages.install_commands import read_file
from pinner.stages.suites import Options
from tests.recipe.tables import pins_where_marked


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        ("# tools\na^\n\nb^\n", ()),
        ("a^ b^\r\nc=1\r\n", ()),
        ("a^\n  :repo:deb http://example.org x main\nb^\n", ()),
        ("a^\n:repo\n", ("not-a-name",)),
        ("a\n<b>\n", ("package-list",)),
        ("", ()),
    ],
)
def test_words(text: str, reasons: tuple[str, ...]) -> None:
    assert pins_where_marked("packages", text) == reasons


def test_a_comment_says_the_suite() -> None:
    (stage,) = kinds.parse("packages", "# pinner: suite=bookworm\na\n").stages
    assert [each.value for each in stage.directives] == ["bookworm"]


def test_a_repository_of_the_list_counts() -> None:
    text = "# pinner: suite=noble\na\n:repo:deb http://example.org x main\n"
    (call,) = read_file("Aptfile", text, Options()).calls()
    assert [each.reason for each in call.install.requests] == ["other-repository"]
