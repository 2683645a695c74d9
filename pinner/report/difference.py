"""What moved between two locks as lines for people, Markdown and data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from pinner.errors import printable
from pinner.report.markdown import code, escaped
from pinner.report.refresh import DIGEST, KINDS
from pinner.report.terminal import count
from pinner.workflow.difference import Difference, ImageDifference, PackageDifference

_KINDS = {**KINDS, "added": "added", "removed": "removed", "digest": "the same version with other content"}


def _why(step: PackageDifference) -> str:
    origin = "base image" if step.based else "" if step.asked else "dependency"
    return ", ".join(filter(None, (_KINDS[step.kind], origin)))


def _moved(image: ImageDifference) -> str:
    parts = [f"{image.old[:DIGEST] or 'not read'} → {image.new[:DIGEST] or 'not read'}"]
    if image.old_suite != image.new_suite:
        parts.append(f"{image.old_suite} → {image.new_suite}")
    return ", ".join(parts)


def _on(platforms: Sequence[str], all_of: Difference) -> str:
    """The platforms, where they are not all of the stage."""
    return "" if len(platforms) == len(all_of.platforms) else f" ({', '.join(platforms)})"


def _heads(each: Difference) -> Iterator[str]:
    for said, platforms in (
        ("only in the new lock", each.added),
        ("only in the old lock", each.removed),
        ("not all that is installed is known", each.unknown),
    ):
        if platforms:
            yield said + _on(platforms, each)


def summary(found: Sequence[Difference]) -> str:
    """How many packages, each counted once by name and versions."""
    steps = {(step.name, step.old, step.new): step.kind for each in found for step in each.steps}
    kinds = Counter(kind if kind in ("added", "removed") else "moved" for kind in steps.values())
    images = len({image[:5] for each in found for image in each.images})
    parts = [
        f"{count(kinds[kind], 'package')} {kind}" for kind in ("moved", "added", "removed") if kinds[kind]
    ]
    parts += [f"{count(images, 'base image')} moved"] if images else []
    return ", ".join(parts) or ("the same packages in other stages" if found else "no difference")


def lines(found: Sequence[Difference]) -> Iterator[str]:
    """For people."""
    for each in found:
        yield printable(f"{each.file}, stage {each.stage}: {', '.join(each.platforms)}")
        yield from (f"  {said}" for said in _heads(each))
        rows = [(image.name, _moved(image), "base image", image.platforms) for image in each.images]
        rows += [
            (step.name, " → ".join(filter(None, (step.old, step.new))), _why(step), step.platforms)
            for step in each.steps
        ]
        widths = [max((len(row[column]) for row in rows), default=0) for column in (0, 1)]
        for name, versions, why, platforms in rows:
            yield printable(f"  {name:{widths[0]}}  {versions:{widths[1]}}  {why}{_on(platforms, each)}")
    yield summary(found)


def markdown(found: Sequence[Difference]) -> Iterator[str]:
    """A table for each stage, for a pull request."""
    yield f"### pinner diff: {escaped(summary(found))}"
    for each in found:
        yield ""
        yield f"#### {escaped(f'{each.file}, stage {each.stage}')}: {escaped(', '.join(each.platforms))}"
        yield ""
        heads = [f"- {escaped(said)}" for said in _heads(each)]
        yield from (*heads, "") if heads else ()
        yield "| package | before | after | |"
        yield "| --- | --- | --- | --- |"
        for image in each.images:
            on = _on(image.platforms, each)
            cells = (
                code(image.name),
                code(image.old[:DIGEST] or "not read"),
                code(image.new[:DIGEST] or "not read"),
            )
            suites = f", {image.old_suite} → {image.new_suite}" if image.old_suite != image.new_suite else ""
            yield f"| {' | '.join(cells)} | {escaped(f'base image{suites}{on}')} |"
        for step in each.steps:
            versions = (code(version) if version else "" for version in (step.old, step.new))
            yield f"| {code(step.name)} | {' | '.join(versions)} | {escaped(_why(step) + _on(step.platforms, each))} |"


def data(found: Sequence[Difference]) -> dict[str, Any]:
    """The whole as data."""
    stages = [
        each._asdict()
        | {
            "images": [image._asdict() for image in each.images],
            "packages": [step._asdict() for step in each.steps],
        }
        for each in found
    ]
    for stage in stages:
        del stage["steps"]
    return {"stages": stages}
