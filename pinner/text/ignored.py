"""Which words of an instruction a `# pinner: ignore` covers."""

from __future__ import annotations

from bisect import bisect_left

from pinner.text import directives
from pinner.text.dockerfile import Dockerfile, Instruction, Stage, block_start
from pinner.text.span import Span


class Ignored:
    """Which words of an instruction a `# pinner: ignore` covers."""

    def __init__(self, dockerfile: Dockerfile, stage: Stage, instruction: Instruction) -> None:
        self._source = dockerfile.text
        self._lines: list[Span] = []
        span = instruction.span
        for directive in stage.directives:
            at = directive.span.start
            if directive.key != "ignore" or at > span.end:
                continue
            if at >= span.start:
                self._lines.append(self._below(dockerfile, directive.span))
            elif at >= block_start(self._source, dockerfile.comments, span.start):
                self._lines.append(span)

    def _below(self, dockerfile: Dockerfile, comment: Span) -> Span:
        """The line below a comment line, behind further comment lines."""
        comments = dockerfile.comments
        at = bisect_left(comments, comment)
        while True:
            begin = self._source.find("\n", comments[at].end) + 1
            at += 1
            if at == len(comments) or self._source[begin : comments[at].start].strip():
                break
        return self._line(begin)

    def _line(self, begin: int) -> Span:
        end = self._source.find("\n", begin)
        return Span(begin, len(self._source) if end < 0 else end)

    def comment(self, comment: Span) -> None:
        """Heed a comment that stands behind words, where the shell allows one."""
        directive = directives.read(self._source, comment)
        if directive is not None and directive.key == "ignore":
            self._lines.append(self._line(self._source.rfind("\n", 0, comment.start) + 1))

    def covers(self, at: int) -> bool:
        """Whether what stands at the offset `at` is to be left alone."""
        return any(line.start <= at < line.end for line in self._lines)
