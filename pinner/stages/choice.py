"""One version text for a word on all its platforms, or the reason why there is none.

Per platform the version is apt's candidate (apt_preferences(5)). Where platforms differ by the number of a binNMU
alone (`+b1`, Debian Policy 5.6.12 and the Developer's Reference 5.10.2), the pin is the source version with `*`; it
is taken only if apt's own rule for `name=version` (apt-get(8)) makes it select the candidate on every platform. That
also excludes versions that differ in more than the binNMU.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from pinner.apt.version import source_version
from pinner.errors import UnknownPackage, Unsatisfiable
from pinner.recipe.installs import Request
from pinner.regex import is_slow
from pinner.resolve.universe import Offer, Universe
from pinner.stages.policy import PinForm
from pinner.values import NamedTuple

ChoiceStatus = Literal["pinned", "kept", "skipped", "gone", "missing", "unsolved"]


class Choice(NamedTuple):
    """What becomes of one word.

    `version` is the text behind `=`, new or kept. `offers` is what apt would install per platform; a platform that has
    no such package is absent. `fails` tells that the run cannot count as good.
    """

    status: ChoiceStatus
    version: str = ""
    offers: Mapping[str, Offer] | None = None
    reason: str = ""
    detail: str = ""
    hint: str = ""
    fails: bool = False


_LEAVE = "leave that platform out with --platform, or the argument with `# pinner: ignore`"
# Reasons of arguments of which the archive alone does not tell what they install.
_UNREAD = frozenset(
    {"variable-unknown", "variable-pin", "command-substitution", "other-repository", "file", "split-word"}
)


def is_unread(request: Request, choice: Choice) -> bool:
    """Whether it is not known here what an argument installs."""
    return not request.name or choice.reason in _UNREAD


def stands_for_several(request: Request) -> bool:
    """Whether a word is a glob, a regular expression or a task, for what apt finds by it."""
    several = request.reason == "task" or (not request.name and request.reason in ("glob", "regex"))
    return several and request.word.value is not None


def _per_platform(offers: Mapping[str, Offer]) -> str:
    return ", ".join(f"{short(platform)} {offer.version}" for platform, offer in offers.items())


def short(platform: str) -> str:
    """A platform as people say it: without `linux/`."""
    return platform.removeprefix("linux/")


def choose(
    request: Request, universes: Mapping[str, Universe], *, asked: bool, form: PinForm = "exact"
) -> Choice:
    """Decide about one word that names a package. `asked`: each platform was asked for, so none may lack it.

    With the form `upstream*` a new version is a glob of the upstream version, where apt takes the same by it.
    """
    if not universes:
        hint = f"add it by `dpkg --add-architecture {request.arch}` before"
        return _missing("architecture", f"{request.arch} is not an architecture of this stage", hint)
    offers: dict[str, Offer] = {}
    failure: Unsatisfiable | None = None
    for platform, universe in universes.items():
        try:
            offers[platform] = universe.select(
                request.name, version_text=request.pin, release=request.release
            )
        except Unsatisfiable as error:
            failure = failure or error
    if not any(universe.indexes for universe in universes.values()):
        return _missing("platform", f"no source serves {', '.join(map(short, universes))}", _LEAVE)
    if not offers and failure is not None:
        return _not_found(request, universes, failure)
    if unfit := _unfit(request, offers):
        return unfit
    lacking = [short(platform) for platform in universes if platform not in offers]
    note = f"not in {', '.join(lacking)}" if lacking else ""
    if request.action == "keep":
        return Choice("kept", request.pin, offers, detail=note)
    if lacking and asked:
        detail = f"there is no package {request.name} for {', '.join(lacking)}"
        return _missing("platform", detail, _LEAVE)._replace(offers=offers)
    return _common(request, universes, offers, form, note)


def _missing(reason: str, detail: str, hint: str) -> Choice:
    return Choice("missing", reason=reason, detail=detail, hint=hint, fails=True)


def _not_found(request: Request, universes: Mapping[str, Universe], failure: Unsatisfiable) -> Choice:
    """What becomes of a word by which apt finds nothing on any platform."""
    plain = request.name.removesuffix("+")
    if plain != request.name and any(universe.versions(plain) for universe in universes.values()):
        detail = f"a + behind {plain} is apt's mark for installing it, and a pin before it is not written"
        return Choice("skipped", reason="suffix", detail=detail, hint=f"write {plain}")
    if request.action == "pin" and (found := _expression(request.name, universes)):
        shown = f"{', '.join(found[:3])}{' and others' if found[3:] else ''}"
        detail = (
            f"no package has this name, so that apt takes it for a regular expression, which finds {shown}"
        )
        return Choice("skipped", reason="regex", detail=detail, hint="write the names")
    reason = "unknown-package" if isinstance(failure, UnknownPackage) else "no-candidate"
    return _gone(request, universes) or _missing(reason, failure.message, failure.hint)


def _unfit(request: Request, offers: Mapping[str, Offer]) -> Choice | None:
    """Why what apt finds is no version to be pinned: it is another package, or is only in the base image."""
    real = {offer.package.name for offer in offers.values()}
    newer = {platform: offer for platform, offer in offers.items() if offer.index is None}
    if real != {request.name}:
        detail = f"{request.name} is a virtual package, provided by {' or '.join(sorted(real))} alone"
        hint = f"write {min(real)} instead" + (", or use --rename-virtual" if len(real) == 1 else "")
        return Choice("skipped", offers=offers, reason="virtual", detail=detail, hint=hint)
    if not newer:
        return None
    detail = f"the base image holds {_per_platform(newer)}, newer than all that its archive offers"
    hint = "a pin would be a downgrade, which apt refuses"
    return Choice("skipped", reason="image-newer", detail=detail, hint=hint)


def _common(
    request: Request, universes: Mapping[str, Universe], offers: Mapping[str, Offer], form: PinForm, note: str
) -> Choice:
    """One text for the versions of all platforms, if apt takes each of them by it."""
    versions = {offer.version for offer in offers.values()}

    def is_taken(pattern: str) -> bool:
        return all(universes[on].match(request.name, pattern) is offer for on, offer in offers.items())

    upstream = {version.rpartition("-")[0] for version in versions}
    if form == "upstream*" and len(upstream) == 1 and "" not in upstream:
        pattern = f"{upstream.pop()}-*"
        if is_taken(pattern):
            return Choice("pinned", pattern, offers, detail=note)
    if len(versions) == 1:
        return Choice("pinned", versions.pop(), offers, detail=note)
    pattern, detail = f"{min(map(source_version, versions))}*", _per_platform(offers)
    if is_taken(pattern):
        return Choice("pinned", pattern, offers, detail=f"{detail}; {note}" if note else detail)
    return Choice(
        "skipped",
        offers=offers,
        reason="platforms-differ",
        detail=f"the platforms differ: {detail}",
        hint="lock one platform by --platform, or a file for each",
    )


def _expression(name: str, universes: Mapping[str, Universe]) -> list[str]:
    """The packages that apt-get finds by a name that nothing bears, as a regular expression (apt-get(8), "install")."""
    if not any(char in name for char in ".+") or any(universe.known(name) for universe in universes.values()):
        return []
    universe = next(iter(universes.values()))
    from pinner.resolve.words import LONGEST_NAME

    try:
        pattern = re.compile(name)
    except re.error:
        return []
    if is_slow(name, LONGEST_NAME):
        return ["what pinner does not look for, since it repeats too much"]
    return sorted(each for each in universe.names() if pattern.search(each))


def _gone(request: Request, universes: Mapping[str, Universe]) -> Choice | None:
    """A pin that matches nothing although the package is there."""
    now = {
        platform: candidate
        for platform, universe in universes.items()
        if request.action == "keep" and (candidate := universe.candidate(request.name)) is not None
    }
    if not now:
        return None
    versions = {offer.version for offer in now.values()}
    return Choice(
        "gone",
        request.pin,
        reason="gone",
        detail=f"{request.pin} is no longer in the archive "
        f"(candidate {versions.pop() if len(versions) == 1 else _per_platform(now)})",
        hint="run `pinner refresh`",
        fails=True,
    )
