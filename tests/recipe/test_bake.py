"""Bake files: the Dockerfiles in them, by HCL and by JSON."""

from __future__ import annotations

import pytest

from pinner.errors import InputError
from pinner.recipe import kinds
from tests.recipe.tables import VERSION, pins_where_marked

QUOTED = f'="{VERSION}"'
INSIDE = f'=\\"{VERSION}\\"'


def target(dockerfile: str, rest: str = "") -> str:
    """A target whose Dockerfile is a here-document without the indentation."""
    lines = "".join(f"    {line}\n" for line in dockerfile.splitlines())
    return f'{rest}\ntarget "a" {{\n  dockerfile-inline = <<-EOT\n{lines}    EOT\n}}\n'


@pytest.mark.parametrize(
    ("text", "pin", "reasons"),
    [
        (target("FROM debian:12\n# a\nRUN apt-get install -y curl^ \\\n\n  jq^"), QUOTED, ()),
        (target("FROM debian:12\nRUN <<E\n  apt-get install a^\nE"), QUOTED, ()),
        # `$${` is a dollar sign and a brace for the shell, `${` what Bake puts in.
        (target("FROM debian:12\nARG A=a^\nRUN apt-get install $${A}"), f"={VERSION}", ()),
        (target("FROM debian:12\nRUN apt-get install lib${A}^", 'variable "A" {default = "x"}'), QUOTED, ()),
        (
            target("FROM debian:12\nRUN apt-get install a^ ${A}", 'variable "A" {}'),
            QUOTED,
            ("variable-unknown",),
        ),
        (
            target('FROM debian:12\nRUN apt-get install a^ ${upper("x")} %{if true}b%{endif}'),
            QUOTED,
            ("variable-unknown",) * 2,
        ),
        (
            'target a {\n  dockerfile-inline = "FROM debian:12\\nRUN apt-get install \\"b^\\" é\\n"\n}\n',
            f"={VERSION}",
            ("not-a-name",),
        ),
        ('target "a" {\n dockerfile-inline = X\n}\n# apt-get install b\n', QUOTED, ("bake",)),
        ('target "a" {}\n', QUOTED, ()),
        ("", QUOTED, ()),
        (
            '{"variable": {"A": {"default": "x"}},\n\t"target": {"a": {"dockerfile-inline":'
            ' "FROM debian:12\\nRUN apt-get install b^ lib${A}^ $${B}\\n"}}}',
            INSIDE,
            ("variable-unknown",),
        ),
    ],
)
def test_words(text: str, pin: str, reasons: tuple[str, ...]) -> None:
    assert pins_where_marked("bake", text, pin) == reasons


def test_stages_by_target() -> None:
    text = target("ARG V=11\nFROM debian:$${V} AS x\nFROM x", 'X = "12"\nvariable "Y" { default = X }')
    text = text.replace("  dockerfile-inline", '  inherits = ["b"]\n  dockerfile-inline')
    text += 'target "b" { args = { V = "${Y}" } }\n'
    found = kinds.parse("bake", text)
    assert [(each.name, each.base, each.parent) for each in found.stages] == [
        ("a.x", "debian:12", None),
        ("a", "x", 0),
    ]


def test_an_error_has_its_place_in_the_file() -> None:
    with pytest.raises(InputError) as caught:
        kinds.parse("bake", target("FROM a\nRUNN b"))
    assert (caught.value.line, caught.value.column) == (5, 5)
    with pytest.raises(InputError) as caught:
        kinds.parse("bake", 'target "a" {\n  x = = 1\n}\n')
    assert caught.value.line == 2
