"""Which words of an instruction a `# pinner: ignore` or `# pinner: allow` covers."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort

from pinner.edit.span import Span
from pinner.recipe import directives
from pinner.recipe.dockerfile import Dockerfile, Instruction, Stage, block_start


class Marked:
    """The lines of an instruction that comments mark, by what they say."""

    def __init__(self, dockerfile: Dockerfile, stage: Stage, instruction: Instruction) -> None:
        self._source = dockerfile.text
        self._whole: set[str] = set()
        # Where the marked lines begin, in order.
        self._lines: dict[str, list[int]] = {"ignore": [], "allow": []}
        self._ends: dict[int, int] = {}
        self._block = Span(0, 0)  # of comment lines, from one that was asked for to the line below
        span = instruction.span
        above = block_start(self._source, dockerfile.comments, span.start)
        found = stage.directives
        first = bisect_left(found, above, key=lambda each: each.span.start)
        for directive in found[first : bisect_right(found, span.end, key=lambda each: each.span.start)]:
            if directive.key not in self._lines:
                continue
            if directive.span.start >= span.start:
                self._mark(directive.key, self._below(dockerfile, directive.span))
            else:
                self._whole.add(directive.key)

    def _below(self, dockerfile: Dockerfile, comment: Span) -> int:
        """Where the line below a comment line begins, behind further comment lines."""
        if self._block.start <= comment.start < self._block.end:
            return self._block.end
        comments = dockerfile.comments
        at = bisect_left(comments, comment)
        while True:
            begin = self._source.find("\n", comments[at].end) + 1
            at += 1
            if at == len(comments) or self._source[begin : comments[at].start].strip():
                break
        self._block = Span(comment.start, begin)
        return begin

    def comment(self, comment: Span) -> None:
        """Heed a comment that stands behind words, where the shell allows one."""
        directive = directives.read(self._source, comment)
        if directive is not None and directive.key in self._lines:
            self._mark(directive.key, self._source.rfind("\n", 0, comment.start) + 1)

    def _mark(self, key: str, begin: int) -> None:
        end = self._source.find("\n", begin)
        self._ends[begin] = len(self._source) if end < 0 else end
        insort(self._lines[key], begin)

    def says(self, key: str, at: int) -> bool:
        """Whether a comment says `ignore` or `allow` of what stands at the offset `at`, in the instruction."""
        lines = self._lines[key]
        line = bisect_right(lines, at) - 1
        return key in self._whole or (line >= 0 and at < self._ends[lines[line]])
