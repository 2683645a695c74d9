"""Distributions that are built from Debian's or Ubuntu's packages and serve them under their own signature.

Their keys are in no package of Debian's, so none is shipped: `Keys` names fingerprints alone, and a keyring has to come
from the configuration, the image, or the owner's address. Proxmox and the 64-bit Raspberry Pi OS are Debian with one
repository more, and need no row here. Those of `OTHERS` share codenames with Debian or Ubuntu, or their images do, and
are not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from pinner.apt.sources import Keys
from pinner.distributions.suite import Distribution, Pocket, Suite

_OPTIONAL = ("contrib", "non-free", "non-free-firmware")

_KALI = "http://http.kali.org/kali"
_KALI_KEYS = Keys("", ("827C8569F2518CC677FECA1AED65462EC8D5E4C5",))  # of April 2025

KALI = Distribution(
    name="kali",
    suites=tuple(
        Suite(name, "", (Pocket(_KALI, name),), _KALI_KEYS, apt="3.3.3")  # it follows Debian's testing
        for name in ("kali-rolling", "kali-last-snapshot")
    ),
    components=("main", "contrib", "non-free", "non-free-firmware"),
    signed_by=_KALI_KEYS,
    image="kali-rolling",
    number=r"(?!)",
)

_DEVUAN = "http://deb.devuan.org/merged"
_DEVUAN_KEYS = Keys("", ("9F8D6C74DE661075FD171BE3B3982868D104092C",))  # of excalibur

DEVUAN = Distribution(
    name="devuan",
    suites=(
        Suite(
            "excalibur",
            "6",
            tuple(Pocket(_DEVUAN, f"excalibur{name}") for name in ("", "-updates", "-security")),
            _DEVUAN_KEYS,
            variants={"backports": Pocket(_DEVUAN, "excalibur-backports")},
            apt="3.0.4",
        ),
    ),
    components=("main",),
    signed_by=_DEVUAN_KEYS,
    image="devuan",
    number=r"\d",
    optional=_OPTIONAL,
)

#: Globs of image names.
OTHERS: Mapping[str, tuple[str, ...]] = {
    "Raspbian": ("*raspbian*", "balenalib/raspberry-pi-*", "balenalib/rpi-*", "resin/rpi-*"),
    "Raspberry Pi OS": ("*raspberrypi-os*", "*raspberrypios*", "*raspios*"),
    "Linux Mint": ("linuxmintd/*", "*linuxmint*", "*/mint[0-9]*"),
    "Parrot": ("parrotsec/*", "*parrot-os*"),
    "deepin": ("linuxdeepin/*", "deepin/*"),
    "elementary OS": ("*elementaryos*", "elementary/*"),
}


def other(image: str) -> str:
    """Which of `OTHERS` the image with this name (without a tag) is, "" if none."""
    return next(
        (
            name
            for name, globs in OTHERS.items()
            if any(each.strip("*").partition("[")[0] in image and fnmatchcase(image, each) for each in globs)
        ),
        "",
    )
