"""The suite by an image's history, labels, or os-release."""

from __future__ import annotations

import pytest

from pinner.images.manifests import ImageConfig, ImageOrigin, from_config, from_os_release
from pinner.images.reference import Platform

VERSION, NAME = "org.opencontainers.image.version", "org.opencontainers.image.ref.name"


def config(*history: str, **labels: str) -> ImageConfig:
    names = {"version": VERSION, "name": NAME}
    pairs = tuple((names[key], value) for key, value in labels.items())
    return ImageConfig(Platform("linux", "amd64"), pairs, history, ())


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (config("# debian.sh --arch 'amd64' out/ 'bookworm' '@1721606400'"), ("debian", "bookworm", "history")),
        (config("# debian.sh --arch 'armhf' --eol out/ 'stretch' '@1'"), ("debian", "stretch", "history")),
        (config("# debian.sh --arch 'amd64' out/ 'testing' '@1'", "RUN x"), ("debian", "testing", "history")),
        (config("# debian.sh --arch 'amd64' out/ 'trixie' '@1'", name="ubuntu", version="24.04"),
         ("debian", "trixie", "history")),
        (config(name="ubuntu", version="24.04"), ("ubuntu", "noble", "label")),
        (config(name="ubuntu", version="20.04"), ("ubuntu", "focal", "label")),
        # An application on Ubuntu that gives itself a version, or one that only shares the number.
        (config(name="ubuntu", version="7.2.1"), ("", "", "")),
        (config(version="24.04"), ("", "", "")),
        (config("RUN echo debian.sh 'bookworm'"), ("", "", "")),
        (config("COPY debian.sh /", "RUN apt-get install x"), ("", "", "")),
        # Two bases in one history: neither.
        (config("# debian.sh out/ 'bookworm' '@1'", "# debian.sh out/ 'trixie' '@1'"), ("", "", "")),
        (config(), ("", "", "")),
    ],
)  # fmt: skip
def test_from_config(made: ImageConfig, expected: tuple[str, str, str]) -> None:
    found = from_config(made)
    assert (found.distribution, found.suite, found.told_by) == expected


@pytest.mark.parametrize(
    ("text", "distribution", "suite"),
    [
        (
            'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_CODENAME=bookworm\n',
            "debian",
            "bookworm",
        ),
        ("ID='ubuntu'\r\nVERSION_CODENAME='noble'\r\n", "ubuntu", "noble"),
        ('ID=debian\nVERSION="9 (stretch)"\n', "debian", "stretch"),
        (
            'ID="debian"\nVERSION="Debian GNU/Linux 12 (bookworm)"\nVERSION_CODENAME=""\n',
            "debian",
            "bookworm",
        ),
        ("ID=alpine\nVERSION_ID=3.20.1\n", "alpine", ""),
        ('ID=debian\nPRETTY_NAME="Debian GNU/Linux forky/sid"\n', "debian", ""),
        ("ID=debian\nVERSION_CODENAME=$(reboot)\n", "debian", ""),
        ("#ID=debian\n  ID=debian\nVERSION_CODENAME=trixie", "debian", "trixie"),
    ],
)
def test_from_os_release(text: str, distribution: str, suite: str) -> None:
    assert from_os_release(text) == ImageOrigin(distribution, suite, "os-release")


@pytest.mark.parametrize("text", ["", "VERSION_CODENAME=bookworm\n", "ID=a b\n", "\x00"])
def test_no_os_release(text: str) -> None:
    assert from_os_release(text) == ImageOrigin()
