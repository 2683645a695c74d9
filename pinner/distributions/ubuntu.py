"""Ubuntu's suites from 16.04 on. Dates are those of the package distro-info-data, hosts those of the images' sources.

A release stays in the archive until its end; an LTS beyond it, updated for subscribers elsewhere (ESM). An interim
release moves to old-releases some time after its end, with all its architectures: the other place is asked where the
first does not have it.
"""

from __future__ import annotations

from datetime import date

from pinner.apt.sources import Keys
from pinner.distributions.suite import Distribution, Pocket, Suite

_ARCHIVE = "http://archive.ubuntu.com/ubuntu"
_SECURITY = "http://security.ubuntu.com/ubuntu"
_PORTS = "http://ports.ubuntu.com/ubuntu-ports"
_OLD = "http://old-releases.ubuntu.com/ubuntu"
_KEYS = Keys("ubuntu-archive-keyring")
_HERE = frozenset({"amd64", "i386"})
_POCKETS = ("", "-updates", "-backports", "-security")  # in the order of the images' sources


def _lts(codename: str, version: str, apt: str, end: date, esm: date) -> Suite:
    # From 26.04 on the archive has arm64 too, in the same Release; the images name the ports all the same.
    return _living(codename, version, apt, end, (_ARCHIVE,) if version >= "26.04" else (), esm)


def _interim(codename: str, version: str, apt: str, end: date | None) -> Suite:
    return _living(codename, version, apt, end, (_ARCHIVE, _OLD) if version >= "26.04" else (_OLD,))


def _living(
    codename: str, version: str, apt: str, end: date | None, others: tuple[str, ...], esm: date | None = None
) -> Suite:
    def pocket(name: str) -> Pocket:
        uri = _SECURITY if name == "-security" else _ARCHIVE
        return Pocket(uri, f"{codename}{name}", _PORTS, _HERE, others)

    pockets = tuple(map(pocket, _POCKETS))
    proposed = {"proposed": pocket("-proposed")}
    return Suite(codename, version, pockets, _KEYS, end, variants=proposed, esm=esm, apt=apt)


def _old(codename: str, version: str, apt: str, end: date, *, common: bool = False) -> Suite:
    pockets = tuple(Pocket(_OLD, f"{codename}{name}", stand_ins=(_ARCHIVE,)) for name in _POCKETS)
    return Suite(codename, version, pockets, _KEYS, end, laid_up=True, apt=apt, common=common)


UBUNTU = Distribution(
    name="ubuntu",
    suites=(
        _lts("xenial", "16.04", "1.2.35", date(2021, 4, 30), date(2026, 4, 23)),
        _old("yakkety", "16.10", "1.3.5", date(2017, 7, 20)),
        _old("zesty", "17.04", "1.4.6", date(2018, 1, 13)),
        _old("artful", "17.10", "1.5.2", date(2018, 7, 19), common=True),
        _lts("bionic", "18.04", "1.6.17", date(2023, 5, 31), date(2028, 4, 26)),
        _old("cosmic", "18.10", "1.7.6", date(2019, 7, 18), common=True),
        _old("disco", "19.04", "1.8.4", date(2020, 1, 23), common=True),
        _old("eoan", "19.10", "1.9.4", date(2020, 7, 17)),
        _lts("focal", "20.04", "2.0.11", date(2025, 5, 29), date(2030, 4, 23)),
        _old("groovy", "20.10", "2.1.10", date(2021, 7, 22), common=True),
        _old("hirsute", "21.04", "2.2.4", date(2022, 1, 20)),
        _old("impish", "21.10", "2.3.9", date(2022, 7, 14), common=True),
        _lts("jammy", "22.04", "2.4.15", date(2027, 6, 1), date(2032, 4, 21)),
        _old("kinetic", "22.10", "2.5.3", date(2023, 7, 20), common=True),
        _old("lunar", "23.04", "2.6.0", date(2024, 1, 25), common=True),
        _old("mantic", "23.10", "2.7.3", date(2024, 7, 11)),
        _lts("noble", "24.04", "2.8.4", date(2029, 5, 31), date(2034, 4, 25)),
        _old("oracular", "24.10", "2.9.8", date(2025, 7, 10)),
        _old("plucky", "25.04", "3.0.0", date(2026, 1, 15)),
        _interim("questing", "25.10", "3.1.6", date(2026, 7, 9)),
        _lts("resolute", "26.04", "3.2.1", date(2031, 5, 29), date(2036, 4, 23)),
        _interim("stonking", "26.10", "3.3.3", date(2027, 7, 15)),
        _interim("tenacious", "27.04", "3.3.3", None),
    ),
    components=("main", "universe", "restricted", "multiverse"),
    signed_by=_KEYS,
    image="ubuntu",
    number=r"\d\d[._-]?\d\d",
    moving=("latest", "rolling", "devel"),
    signed_weekly=False,
)
