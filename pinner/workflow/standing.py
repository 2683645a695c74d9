"""How a version that a file or lock holds stands in the archive today, on one platform."""

from __future__ import annotations

from typing import Literal

from pinner.apt.version import compare
from pinner.errors import Unsatisfiable
from pinner.resolve.universe import Offer, Universe
from pinner.values import NamedTuple

State = Literal["live", "superseded", "gone", "unknown"]


class Standing(NamedTuple):
    """One version on one platform.

    `live`: an enabled pocket has it and apt would take no other. `superseded`: it is there, and the candidate is newer.
    `gone`: no enabled pocket has it. `unknown`: this could not be checked, `detail` says why.

    `version` is what apt takes, "" if nothing; `pocket` the suite that it comes from. `newer` is the candidate that
    supersedes it, or of a version that is gone the successor: the nearest higher one, else the candidate. `candidate`
    is what apt takes for the bare name. `security` tells that a newer version is in a security pocket.
    """

    state: State
    version: str = ""
    pocket: str = ""
    newer: str = ""
    newer_pocket: str = ""
    candidate: str = ""
    security: bool = False
    detail: str = ""


def unknown(why: str) -> Standing:
    """What could not be checked."""
    return Standing("unknown", detail=why)


def of_pin(universe: Universe, name: str, pin: str) -> Standing:
    """How `name=pin` stands, by apt's own rule for what it selects (apt-get(8))."""
    try:
        offer = universe.select(name, version_text=pin)
    except Unsatisfiable:
        return _gone(universe, name, pin)
    return _there(universe, offer)


def of_file(universe: Universe, name: str, version: str, digest: str) -> Standing:
    """How the .deb of this version and digest stands."""
    same = [offer for offer in universe.versions(name) if offer.version == version]
    for offer in same:
        if offer.package.digest == digest:
            return _there(universe, offer)
    if same:
        return Standing(
            "gone",
            newer=version,
            newer_pocket=_pocket(same[0]),
            candidate=version,
            detail="the archive has another file under the same version",
        )
    return _gone(universe, name, version)


def is_security(suite: str) -> bool:
    """Whether a suite is a security pocket, by its name: `bookworm-security`, `noble-security`."""
    return suite.endswith("-security")


def _pocket(offer: Offer) -> str:
    return offer.index.source.suite if offer.index is not None else ""


def _security_after(universe: Universe, name: str, version: str) -> bool:
    return any(
        is_security(index.source.suite)
        for offer in universe.versions(name)
        if compare(offer.version, version) > 0
        for index in offer.pockets
    )


def _there(universe: Universe, offer: Offer) -> Standing:
    candidate = universe.candidate(offer.name)
    if candidate is None or compare(candidate.version, offer.version) <= 0:
        text = candidate.version if candidate is not None else offer.version
        return Standing("live", offer.version, _pocket(offer), candidate=text)
    return Standing(
        "superseded",
        offer.version,
        _pocket(offer),
        candidate.version,
        _pocket(candidate),
        candidate.version,
        _security_after(universe, offer.name, offer.version),
    )


def _gone(universe: Universe, name: str, pin: str) -> Standing:
    version = pin.rstrip("*")
    candidate = universe.candidate(name)
    if candidate is None:
        return Standing("gone", detail=f"there is no package {name}")
    higher = [offer for offer in universe.versions(name) if compare(offer.version, version) > 0]
    successor = higher[-1] if higher else candidate
    return Standing(
        "gone",
        newer=successor.version,
        newer_pocket=_pocket(successor),
        candidate=candidate.version,
        security=_security_after(universe, name, version),
    )
