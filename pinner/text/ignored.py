"""Which words of an instruction a `# pinner: ignore` or `# pinner: allow` covers."""

from __future__ import annotations

from bisect import bisect_left

from pinner.text import directives
from pinner.text.dockerfile import Dockerfile, Instruction, Stage, block_start
from pinner.text.span import Span


class Marked:
    """The lines of an instruction that comments mark, by what they say."""

    def __init__(self, dockerfile: Dockerfile, stage: Stage, instruction: Instruction) -> None:
        self._source = dockerfile.text
        self._lines: dict[str, list[Span]] = {"ignore": [], "allow": []}
        span = instruction.span
        for directive in stage.directives:
            at = directive.span.start
            if directive.key not in self._lines or at > span.end:
                continue
            if at >= span.start:
                self._lines[directive.key].append(self._below(dockerfile, directive.span))
            elif at >= block_start(self._source, dockerfile.comments, span.start):
                self._lines[directive.key].append(span)

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
        if directive is not None and directive.key in self._lines:
            self._lines[directive.key].append(self._line(self._source.rfind("\n", 0, comment.start) + 1))

    def says(self, key: str, at: int) -> bool:
        """Whether a comment says `ignore` or `allow` of what stands at the offset `at`."""
        return any(line.start <= at < line.end for line in self._lines[key])
