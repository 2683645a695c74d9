"""Places where a stage changes what apt reads, so that the archive alone no longer tells what apt would install.

Found by their traces in the text, and generously: a false alarm leaves a word unpinned and says why, a miss would
pin a word to a version that another repository overrides. A stage that knows better says so with a comment
`# pinner: repositories=ignore`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from pinner.text import blocks
from pinner.text.dockerfile import Dockerfile
from pinner.text.span import Lines, Span

# Each pattern begins where the trace does; the first group of alternatives a text matches names the trace.
_RUN = r"""(?xi)
      (?P<command>\b(?:add-apt-repository|apt-add-repository|extrepo\s+enable)\b)
    | (?P<script>\b(?:curl|wget)\b
        [^|;&<>]*(?:nodesource|packagecloud|script\.(?:deb|rpm)|setup_\d|/(?:repo|apt)\b|apt[._-])
        [^|;&]*(?:\\\s*)?\|\s*(?:\\\s*)?(?:sudo\s+)?(?:-?\w+=\S*\s+|-E\s+)*(?:env\s+)?(?:ba|da)?sh\b)
    | (?P<package>\bdpkg\b[^|;&]*\s(?:-i|--install)\s[^|;&]*(?:repo|release|prod|apt-config|apt-source|keyring)\S*\.deb)
    | (?P<file>/etc/apt/(?:sources\.list|preferences)[\w./-]*)
"""
# One of these is in every text that the pattern matches.
_TRACES = ("/etc/apt", "apt-repository", "extrepo", "curl", "wget", "dpkg")
_SETTING = r"(?i)\bdefault-release\b"
_CONFIGURATION = r"/etc/apt/apt\.conf[\w./-]*"
_COPY = r"(?m)/etc/apt(?:/(?:sources\.list|preferences|apt\.conf)?[\w./-]*)?/?\s*[\"\]]*\s*$"
# A sed that swaps a mirror's host or adds components leaves every version as it was; one that names a suite does not.
_NAMES = "jessie stretch buster bullseye bookworm trixie forky sid xenial bionic focal jammy noble resolute"
SUITES = frozenset(_NAMES.split())
_SUITE = rf"(?i)\b(?:{_NAMES.replace(' ', '|')})|stable|testing|experimental|backports|snapshot|proposed"
SUBSTITUTION = r"(?<!\w)s([/|#,@!:%])(.*?)\1(.*?)\1[gI]*"
# An address or a part of one, as sed's pattern or its replacement.
_ADDRESS = r"(?:https?:?|:)?(?:\\?/\\?/)?(?:(?:[\w-]+\\?\.)+[a-z]+|\$\{?\w+\}?)?(?::\d+)?(?:\\?/[\w.-]*)*"
_COMPONENTS = r"\b(?:contrib|non-free|universe|multiverse|restricted)\b[^&]{0,300}/etc/apt/sources\.list"
_READS = r"\b(?:cat|ls|grep|test|head|tail|stat)\s+[^;&|>]*$|\[\s+-\w\s+[^;&|>]*$"


class Addition(NamedTuple):
    """A change of apt's sources or preferences: where, and a clause for people."""

    stage: int
    span: Span
    what: str


def additions(dockerfile: Dockerfile) -> tuple[Addition, ...]:
    """Every trace of a repository or preference added by the file itself, in file order."""
    lowered = dockerfile.text.lower()
    if not any(trace in lowered for trace in _TRACES):
        return ()
    lines = Lines(dockerfile.text)
    found = []
    own = [block.span for block in blocks.find(dockerfile)]
    for stage in dockerfile.stages:
        if any(each.key == "repositories" and each.value == "ignore" for each in stage.directives):
            continue
        for instruction in stage.instructions:
            if any(span.start <= instruction.span.start < span.end for span in own):
                continue
            body = instruction.span.of(dockerfile.text)
            for match in _traces(instruction.keyword, body):
                start = instruction.span.start + match.start()
                line, _ = lines.position(start)
                span = Span(start, instruction.span.start + match.end())
                found.append(
                    Addition(stage.index, span, f"line {line} changes where apt takes packages from")
                )
    return tuple(found)


def _traces(keyword: str, body: str) -> Iterator[re.Match[str]]:
    if keyword in {"COPY", "ADD"}:
        yield from re.finditer(_COPY, body)
    elif keyword == "RUN":
        yield from (match for match in re.finditer(_RUN, body) if not _harmless(body, match.start()))
        if re.search(_SETTING, body):
            yield from re.finditer(_CONFIGURATION, body)


def touches(statement: str, text: str) -> bool:
    """Whether a pipeline changes apt's sources, preferences or default release; `text` holds its here-documents too."""
    return (
        adds_components(statement)
        or any(not _harmless(statement, match.start()) for match in re.finditer(_RUN, statement))
        or bool(re.search(_SETTING, text) and re.search(_CONFIGURATION, statement))
    )


def adds_components(text: str) -> bool:
    """Whether a sed in the text may add components to the distribution's sources."""
    return "sed" in text and re.search(_COMPONENTS, text) is not None


def _harmless(body: str, at: int) -> bool:
    """Whether the command that names a file of apt's at `at` only reads it, or swaps a mirror's host."""
    command = body[max(body.rfind(mark, 0, at) for mark in ("&&", "||", "; ", "| ")) + 1 : at]
    if re.search(_READS, command):
        return True
    if not re.search(r"\bsed\b", command) or re.search(_SUITE, command):
        return False
    scripts = [(match[2], match[3]) for match in re.finditer(SUBSTITUTION, command)]
    return bool(scripts) and all(keeps_versions(old, new) for old, new in scripts)


def keeps_versions(old: str, new: str) -> bool:
    """Whether to substitute one for the other in a sources file swaps a mirror's host, or adds sources of sources."""
    words = set(re.findall(r"[\w-]+", new)) - set(re.findall(r"[\w-]+", old))
    return (words <= {"deb-src"} and "deb-src" in new) or all(
        re.fullmatch(_ADDRESS, part) for part in (old, new)
    )
