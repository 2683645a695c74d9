"""devcontainer.json."""

from __future__ import annotations

import pytest

from pinner.recipe import kinds
from tests.recipe.tables import VERSION, pins_where_marked

FEATURE = '"ghcr.io/rocker-org/devcontainer-features/apt-packages:1"'


@pytest.mark.parametrize(
    ("text", "pin", "reasons"),
    [
        (f'{{"features": {{{FEATURE}: {{"packages": "a^,b^, c^"}}}}}}', "bare", ()),
        ('{"features":{"ghcr.io/x/other:1":{"packages":"a"}}}', "bare", ()),
        ('// x\n{\n\t"postCreateCommand": "sudo apt-get install a^ && echo //",\n}\n', "shell", ()),
        ('/* "apt-get install x" */ {"onCreateCommand":{"a":"apt-get install a^"},}', "shell", ()),
        ('{"postStartCommand": ["bash", "-c", "apt-get install a^"]}', "shell", ()),
        ('{"postStartCommand": ["apt-get", "install", "a^"]}', "bare", ()),
        ('{"postStartCommand": ["apt-get", "install", "$(a)"]}', "shell", ("words",)),
        ('{"postCreateCommand": "apt-get install ${localEnv:X} a^"}', "shell", ("variable-unknown",)),
        ('{"initializeCommand": "apt-get install a"}', "shell", ("other-key",)),
    ],
)
def test_words(text: str, pin: str, reasons: tuple[str, ...]) -> None:
    written = f"={VERSION}" if pin == "bare" else f'=\\"{VERSION}\\"'
    assert pins_where_marked("devcontainer", text, written) == reasons


def test_image() -> None:
    (stage,) = kinds.parse("devcontainer", '{"image":"debian:12", /* */ }').stages
    assert stage.base == "debian:12"
