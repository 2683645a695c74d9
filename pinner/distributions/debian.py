"""Debian's suites. Dates are those of the package distro-info-data, pockets and hosts those of the official images.

Pockets stand in the order of the images' sources files, since apt prefers the first listed source of a version.
"""

from __future__ import annotations

from datetime import date

from pinner.apt.sources import Keys
from pinner.distributions.suite import Distribution, Pocket, Suite

_DEBIAN = "http://deb.debian.org/debian"
_SECURITY = "http://deb.debian.org/debian-security"
_ARCHIVE = "http://archive.debian.org"
_KEYS = Keys("debian-archive-keyring")


def _suite(codename: str, version: str, apt: str, end: date | None = None, full: date | None = None) -> Suite:
    release, updates, security = (
        Pocket(_DEBIAN, codename),
        Pocket(_DEBIAN, f"{codename}-updates"),
        Pocket(_SECURITY, f"{codename}-security"),
    )
    # The images of bullseye list security in the middle, later ones last.
    pockets = (release, security, updates) if codename == "bullseye" else (release, updates, security)
    variants = {name: Pocket(_DEBIAN, f"{codename}-{name}") for name in ("backports", "proposed-updates")}
    return Suite(codename, version, pockets, _KEYS, end, full, variants, apt=apt)


def _laid_up(codename: str, version: str, apt: str, end: date, full: date) -> Suite:
    """A suite on archive.debian.org. Its -updates pocket went into the last point release; not all have kept it."""
    pockets = (
        Pocket(f"{_ARCHIVE}/debian", codename),
        Pocket(f"{_ARCHIVE}/debian-security", f"{codename}/updates"),
    )
    keys = Keys("debian-archive-removed-keys", accept_expired=True)
    backports = {"backports": Pocket(f"{_ARCHIVE}/debian", f"{codename}-backports")}
    return Suite(codename, version, pockets, keys, end, full, backports, laid_up=True, apt=apt)


def _moving(codename: str, apt: str, *names: str) -> Suite:
    return Suite(codename, "", tuple(Pocket(_DEBIAN, name) for name in names), _KEYS, apt=apt)


DEBIAN = Distribution(
    name="debian",
    suites=(
        _laid_up("jessie", "8", "1.0.9.8.6", date(2020, 6, 30), date(2018, 6, 17)),
        _laid_up("stretch", "9", "1.4.11", date(2022, 6, 30), date(2020, 7, 18)),
        _laid_up("buster", "10", "1.8.2.3", date(2024, 6, 30), date(2022, 9, 10)),
        _suite("bullseye", "11", "2.2.4", date(2026, 8, 31), date(2024, 8, 14)),
        _suite("bookworm", "12", "2.6.1", date(2028, 6, 30), date(2026, 7, 11)),
        _suite("trixie", "13", "3.0.4", date(2030, 6, 30), date(2028, 8, 9)),
        _suite("forky", "14", "3.3.3"),
        _moving("sid", "3.3.5", "sid"),
        _moving("experimental", "3.3.5", "sid", "experimental"),
        _moving("rc-buggy", "3.3.5", "sid", "experimental"),
    ),
    components=("main",),
    signed_by=_KEYS,
    image="debian",
    number=r"\d+",
    aliases=("stable", "oldstable", "oldoldstable", "testing", "unstable"),
    alias_uri=_DEBIAN,
    latest="stable",
    optional=("contrib", "non-free", "non-free-firmware"),
)
