"""The block of lines in a stage that makes its apt read a snapshot: where one stands, where one may be put.

It is marked by two comment lines, belongs to pinner from the one to the other, and is made anew or removed as a whole.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from pinner.distributions import moments
from pinner.distributions.moments import Moment
from pinner.edit.span import Span
from pinner.recipe.dockerfile import Dockerfile, Stage, block_start
from pinner.recipe.lines import refuse
from pinner.regex import later
from pinner.values import NamedTuple

BEGIN = "# >>> pinner sources"
END = "# <<< pinner sources"
_APT = later(r"(?<![\w./-])(?:/usr/bin/)?(?:apt|apt-get|aptitude)(?![\w.-])")


class ManagedBlock(NamedTuple):
    """A block in a stage. `span` is of whole lines, from the first mark's to the end of the last one's."""

    stage: int
    span: Span
    moment: Moment


def find(dockerfile: Dockerfile) -> tuple[ManagedBlock, ...]:
    """The blocks of a file, in order. Raises `InputError` for one that is damaged."""
    return dockerfile.once(_find)


def _find(dockerfile: Dockerfile) -> tuple[ManagedBlock, ...]:
    text = dockerfile.text
    if BEGIN not in text and END not in text:
        return ()
    found: list[ManagedBlock] = []
    opened: Span | None = None
    placed = [(each.span.start, stage.index) for stage in dockerfile.stages for each in stage.instructions]
    for comment in dockerfile.comments:
        line = comment.of(text)
        if line.startswith(BEGIN):
            if opened is not None:
                raise refuse(text, opened, "this block has no end", _RESTORE)
            opened = comment
        elif line.startswith(END):
            if opened is None:
                raise refuse(text, comment, "this block has no beginning", _RESTORE)
            span = Span(_line_start(text, opened.start), _line_end(text, comment.end))
            moment = moments.found_in(span.of(text))
            first = bisect_left(placed, (span.start, -1))
            stage = placed[first][1] if first < len(placed) and placed[first][0] < span.end else None
            if stage is None or not moment.imports or len(dict(moment.imports)) < len(moment.imports):
                raise refuse(text, opened, "this block does not name one moment of each archive", _RESTORE)
            found.append(ManagedBlock(stage, span, moment))
            opened = None
    if opened is not None:
        raise refuse(text, opened, "this block has no end", _RESTORE)
    return tuple(found)


_RESTORE = "remove its lines, and run `pinner lock --snapshot … --write-sources` again"


def moment_of(dockerfile: Dockerfile, stages: Sequence[Stage]) -> Moment | None:
    """The moment that the nearest of `stages` with a block reads; None if none has one."""
    found = dockerfile.once(_moments)
    return next((found[stage.index] for stage in stages if stage.index in found), None)


def _moments(dockerfile: Dockerfile) -> dict[int, Moment]:
    return {block.stage: block.moment for block in find(dockerfile)}


def place(dockerfile: Dockerfile, stage: Stage) -> tuple[int, str] | None:
    """Where in a stage the block must stand, and the user who would run it ("" if none was named).

    That is the start of a line: before the first instruction that may use apt, and the comments right above it. None
    if no instruction does.
    """
    user = ""
    for instruction in stage.instructions:
        if instruction.onbuild:
            continue
        if instruction.keyword == "USER":
            user = instruction.text.text.strip()
        if instruction.keyword == "RUN" and _APT.search(instruction.span.of(dockerfile.text)):
            at = block_start(dockerfile.text, dockerfile.comments, instruction.span.start)
            return _line_start(dockerfile.text, at), user
    return None


def render(stamp: str, path: str, sources: Sequence[str], *, escape: str, newline: str) -> str:
    """The block that makes apt read `sources`, the lines of a sources file at `path`, and nothing else.

    All other sources are removed: one that stayed would be read live. An update that fails must not pass for one that
    did not (apt-get(8), --error-on=any), and the service wants patience. Check-Valid-Until is said by the sources.
    """
    command = [
        "RUN rm -f /etc/apt/sources.list /etc/apt/sources.list.d/*",
        " && printf '%s\\n'",
        *(f"      '{line}'" for line in sources),
        f"      > {path}",
        " && printf '%s\\n'",
        *(f"      '{line}'" for line in _SETTINGS),
        "      > /etc/apt/apt.conf.d/99pinner-snapshot",
    ]
    lines = [
        f"{BEGIN}: {stamp} (`pinner lock --write-sources` wrote this, `pinner unpin --sources` removes it)",
        *(f"{part} {escape}" for part in command[:-1]),
        command[-1],
        END,
    ]
    return "".join(line + newline for line in lines)


_SETTINGS = (
    'APT::Update::Error-Mode "any";  // --error-on=any',
    'Acquire::Retries "10";',
    'Acquire::Retries::HandleRetryAfter "true";',
)


def _line_start(text: str, at: int) -> int:
    return text.rfind("\n", 0, at) + 1


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1
