"""Compose files: the Dockerfiles in them."""

from __future__ import annotations

import pytest
import yaml

from pinner.errors import InputError
from pinner.recipe import kinds
from tests.recipe.tables import VERSION, pins_where_marked

QUOTED = f'="{VERSION}"'


def service(dockerfile: str, args: str = "{}") -> str:
    lines = "".join(f"        {line}\n" for line in dockerfile.splitlines())
    return f"services:\n  web:\n    build:\n      args: {args}\n      dockerfile_inline: |\n{lines}"


@pytest.mark.parametrize(
    ("text", "pin", "reasons"),
    [
        (service("FROM debian:12\nRUN apt-get install -y curl^ \\\n\n  jq^"), QUOTED, ()),
        (service("FROM debian:12\n# a\nRUN <<E\napt-get install a^\nE"), QUOTED, ()),
        (service("FROM debian:12\nRUN <<E cat\nx\nE\nRUN sh <<E\napt-get install a^\nE"), QUOTED, ()),
        (service("FROM debian:12\nRUN apt-get install ${A} a^"), QUOTED, ("variable-unknown",)),
        (service("FROM debian:12\nARG A=a^\nRUN apt-get install $$A"), f"={VERSION}", ()),
        (service("ARG A=a^\nFROM debian:12\nARG A\nRUN apt-get install $$A"), f"={VERSION}", ()),
        (service("FROM debian:12\nARG A=b\nRUN apt-get install $$A", "{A: a^}"), f"={VERSION}", ()),
        (service("FROM debian:12\nARG A=b\nRUN apt-get install $$A", "[A=a^]"), f"={VERSION}", ()),
        (
            service("FROM debian:12\nARG A=b\nRUN apt-get install $$A", "{A: $B}"),
            QUOTED,
            ("variable-unknown",),
        ),
        (
            'services:\n  a: {build: {dockerfile_inline: "FROM debian:12\\nRUN apt-get install \\"b^\\"\\n"}}\n',
            f"={VERSION}",
            (),
        ),
        ("services:\n  a: {image: b}\n", QUOTED, ()),
        (
            "services:\n  a:\n    image: b\n    command: |\n      bash -c '\n      apt-get install a^ $$B'\n",
            QUOTED,
            ("variable-unknown",),
        ),
        ("services:\n  a:\n    command: [sh, -c, apt-get install a^ && exec b]\n", QUOTED, ()),
        (
            "services:\n  a:\n    entrypoint: sh -c\n    command:\n      - |\n        apt-get install a^\n",
            QUOTED,
            (),
        ),
        ("", QUOTED, ()),
    ],
)
def test_words(text: str, pin: str, reasons: tuple[str, ...]) -> None:
    assert pins_where_marked("compose", text, pin) == reasons


def test_stages_by_service() -> None:
    text = service("ARG V=11\nFROM debian:$$V AS x\nFROM x", "{V: 12}") + "  b:\n    build: .\n"
    text += "  c:\n    build:\n      dockerfile_inline: FROM ubuntu:24.04\n"
    found = kinds.parse("compose", text)
    assert [(each.name, each.base, each.parent) for each in found.stages] == [
        ("web.x", "debian:12", None),
        ("web", "x", 0),
        ("c", "ubuntu:24.04", None),
    ]
    assert yaml.safe_load(text)["services"].keys() == {"web", "b", "c"}


def test_an_error_has_its_place_in_the_file() -> None:
    with pytest.raises(InputError) as caught:
        kinds.parse("compose", service("FROM a\nRUNN b"))
    assert (caught.value.line, caught.value.column) == (7, 9)
