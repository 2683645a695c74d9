"""What moved between two locks as lines for people, Markdown and data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from pinner.errors import printable
from pinner.report.markdown import code, escaped
from pinner.report.refresh import DIGEST, KINDS
from pinner.report.terminal import Style, count
from pinner.workflow.difference import Difference, PackageDifference

_KINDS = {**KINDS, "added": "added", "removed": "removed", "digest": "the same version with other content"}


def _why(step: PackageDifference) -> str:
    origin = "base image" if step.based else "" if step.asked else "dependency"
    return ", ".join(filter(None, (_KINDS[step.kind], origin)))


def _rows(each: Difference) -> Iterator[tuple[str, str, str, str]]:
    """By base image and package: name, what it was, what it is, and why."""
    for image in each.images:
        old, new = (digest[:DIGEST] or "not read" for digest in (image.old, image.new))
        suites = f", {image.old_suite} → {image.new_suite}" if image.old_suite != image.new_suite else ""
        yield image.name, old, new, f"base image{suites}{_on(image.platforms, each)}"
    for step in each.steps:
        yield step.name, step.old, step.new, _why(step) + _on(step.platforms, each)


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
        rows = (
            (name, " → ".join(filter(None, (old, new))), "", printable(why))
            for name, old, new, why in _rows(each)
        )
        yield from (f"  {line}" for line in Style().rows(rows))
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
        for *cells, why in _rows(each):
            yield f"| {' | '.join(code(cell) if cell else '' for cell in cells)} | {escaped(why)} |"


def data(found: Sequence[Difference]) -> dict[str, Any]:
    """The whole as data."""
    stages = []
    for each in found:
        stages.append(each._asdict() | {"images": [image._asdict() for image in each.images]})
        stages[-1]["packages"] = [step._asdict() for step in stages[-1].pop("steps")]
    return {"stages": stages}
