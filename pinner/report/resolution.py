"""Closures and their causes, and apt's policy for a package, as lines for people and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from pinner.apt.digest import algorithm
from pinner.errors import printable
from pinner.report.diagnostic import fields
from pinner.report.terminal import Style, count
from pinner.resolve.resolution import Cause, Chosen
from pinner.resolve.universe import Offer, Universe
from pinner.workflow.resolve import Explained, Reason, RequestResolution


def _pocket(offer: Offer) -> str:
    return offer.index.source.suite if offer.index is not None else "installed"


def _cause(cause: Cause) -> str:
    if cause.parent is None:
        return "asked for"
    return f"{cause.parent.name} {'of the same source' if cause.need is None else cause.need}"


def answer_lines(answer: RequestResolution, style: Style) -> Iterable[str]:
    """A closure in apt's order: name, version, pocket, what needs it."""
    size = sum(chosen.offer.package.size for chosen in answer.chosen)
    yield (
        f"{answer.platform} ({', '.join(answer.suites)}; starting from {printable(answer.root)}): "
        f"{count(len(answer.chosen), 'package')}, {size / 1e6:.1f} MB"
    )
    widths = [
        max((len(text) for text in column), default=0)
        for column in zip(
            *((each.offer.name, each.offer.version, _pocket(each.offer)) for each in answer.chosen),
            strict=True,
        )
    ]
    for chosen in answer.chosen:
        cells = (chosen.offer.name, chosen.offer.version, _pocket(chosen.offer))
        shown = "  ".join(f"{printable(cell):{width}}" for cell, width in zip(cells, widths, strict=True))
        cause = printable(_cause(chosen.causes[0]))
        upgraded = f" (now {chosen.replaces.version})" if chosen.replaces is not None else ""
        yield f"  {style.paint(shown, '32') if chosen.requested else shown}  {cause}{upgraded}"


def answers_data(answers: Sequence[RequestResolution]) -> dict[str, Any]:
    """The closures by platform, every package with its file and all causes."""
    return {
        "platforms": {
            answer.platform: {
                "suites": list(answer.suites),
                "installed": answer.root,
                "packages": [package(chosen) for chosen in answer.chosen],
            }
            for answer in answers
        }
    }


def package(chosen: Chosen) -> dict[str, Any]:
    """One chosen package."""
    found = chosen.offer.package
    return {
        **fields(found, "name version"),
        "arch": found.architecture,
        "pocket": _pocket(chosen.offer),
        **fields(found, "filename size"),
        algorithm(found.digest): found.digest,
        "asked": chosen.requested,
        "replaces": chosen.replaces.version if chosen.replaces is not None else "",
        "causes": [
            {"by": cause.parent.name, "version": cause.parent.version, "relation": str(cause.need or "")}
            for cause in chosen.causes
            if cause.parent is not None
        ],
    }


def why_lines(explained: Explained, style: Style, shown: Callable[[str], str]) -> Iterable[str]:
    """The way from a file's word to the package, all causes, what was passed over, and the policy table."""
    for reasons in _alike(explained.reasons):
        reason = reasons[0]
        platforms = ", ".join(each.platform for each in reasons)
        place = f"{printable(shown(reason.file.path))}:{reason.line}"
        yield f"{place}  stage {printable(reason.stage)}  ({platforms})"
        for depth, step in enumerate(reason.chain):
            text = f"{step.offer.name} {step.offer.version}"
            need = f"  {step.need}" if step.need is not None else ""
            last = depth == len(reason.chain) - 1
            yield f"  {'  ' * depth}{style.paint(printable(text), '32' if last else '')}{printable(need)}"
        for cause in reason.chosen.causes[1:]:
            yield f"  also: {printable(_cause(cause))}"
        for passed in reason.passed:
            yield f"  passed over: {printable(passed.offer.name)} {printable(passed.offer.version)}, {passed.why}"
        yield ""
    if not explained.reasons and explained.unfollowed:
        yield f"it is not known whether a stage here installs {printable(explained.name)}:"
        for each in explained.unfollowed:
            place = f"{printable(shown(each.path))}:{each.line}"
            yield f"  {place}  stage {printable(each.stage)}  not followed: {printable(each.why)}"
        yield from (f"  the lock has it: {printable(each)}" for each in explained.locked)
    elif not explained.reasons:
        known = "" if explained.policies else ", and no source that was read has a package of that name"
        hint = f" ({explained.hint})" if explained.hint else ""
        yield f"no stage here installs {printable(explained.name)}{known}{hint}"
    for platform, (universe, installed) in explained.policies.items():
        yield f"{platform}:"
        yield from policy_lines(explained.name, universe, installed)


def _alike(reasons: Sequence[Reason]) -> list[list[Reason]]:
    groups: dict[tuple[object, ...], list[Reason]] = {}
    for reason in reasons:
        chain = tuple((step.offer.version, str(step.need)) for step in reason.chain)
        groups.setdefault((reason.file.path, reason.stage, reason.line, chain), []).append(reason)
    return list(groups.values())


def policy_lines(name: str, universe: Universe, installed: Offer | None) -> Iterable[str]:
    """What `apt-cache policy` prints for a package (apt-cache(8))."""
    candidate = universe.candidate(name)
    yield f"{printable(name)}:"
    yield f"  Installed: {installed.version if installed else '(none)'}"
    yield f"  Candidate: {candidate.version if candidate else '(none)'}"
    yield "  Version table:"
    for offer in universe.versions(name):
        mark = "***" if offer is installed else "   "
        yield f" {mark} {printable(offer.version)} {max(offer.priority, 100 if offer is installed else 0)}"
        for index in offer.pockets:
            source = index.source
            yield (
                f"     {universe.priority(index):>6} {source.uri} {source.suite}/{index.component} "
                f"{source.arch} Packages"
            )


def why_data(explained: Explained, shown: Callable[[str], str]) -> dict[str, Any]:
    """The same as data."""
    return {
        "reasons": [
            {
                "path": shown(reason.file.path),
                **fields(reason, "line stage platform"),
                "chain": [
                    {**fields(step.offer, "name version"), "relation": str(step.need or "")}
                    for step in reason.chain
                ],
                "package": package(reason.chosen),
                "passed_over": [
                    {**fields(each.offer, "name version"), "why": each.why} for each in reason.passed
                ],
            }
            for reason in explained.reasons
        ],
        "unfollowed": [
            {"path": shown(each.path), "line": each.line, "stage": each.stage, "reason": each.why}
            for each in explained.unfollowed
        ],
        "policy": {
            platform: list(policy_lines(explained.name, universe, installed))
            for platform, (universe, installed) in explained.policies.items()
        },
    }
