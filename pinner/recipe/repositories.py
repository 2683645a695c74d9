"""Places where a stage changes what apt reads, so that the archive alone no longer tells what apt would install.

Found by their traces in the text, and generously: a false alarm leaves a word unpinned and says why, a miss would
pin a word to a version that another repository overrides. A stage that knows better says so with a comment
`# pinner: repositories=ignore`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from pinner.distributions import programs
from pinner.distributions.repositories import ANYTHING
from pinner.edit.span import Lines, Span
from pinner.recipe import blocks
from pinner.recipe.dockerfile import Dockerfile

# Scripts that set up a repository, whatever runs them.
_SETUP = (
    r"(?:nodesource\.com/setup_|packagecloud\.io/install/|script\.deb\.sh|InstallAzureCLIDeb|//get\.docker\.com"
    r"|tailscale\.com/install\.sh|/llvm\.sh)"
)
# Packages that set up a repository, by a word in their name.
_PACKAGE = (
    r"(?:repo|release|prod|apt-config|apt-source|keyring|google-chrome|microsoft-edge|\bcode[_-]|steam|slack-desktop"
    r"|vivaldi|brave|1password)"
)
# Each pattern begins where the trace does; the first group of alternatives a text matches names the trace.
_RUN = rf"""(?xi)
      (?P<command>\b(?:add-apt-repository|apt-add-repository|extrepo\s+enable(?:\s+[\w.-]+)?)\b)
    | (?P<setup>\b(?:curl|wget)\b[^|;&<>]{{0,500}}{_SETUP}[\w./-]*)
    | (?P<script>\b(?:curl|wget)\b
        [^|;&<>]{{0,500}}(?:nodesource|packagecloud|script\.(?:deb|rpm)|setup_\d|/(?:repo|apt)\b|apt[._-])
        [^|;&]{{0,200}}(?:\\\s*)?\|\s*(?:\\\s*)?(?:sudo\s+)?(?:-?\w+=\S*\s+|-E\s+)*(?:env\s+)?(?:ba|da)?sh\b)
    | (?P<package>[\w.+~:/${{}}*-]{{0,100}}{_PACKAGE}[\w.+~:${{}}*-]{{0,100}}\.deb\b)
    | (?P<file>/etc/apt/(?:sources\.list|preferences)[\w./-]*)
"""
# What a download is of, where its name says that it is no program and no package.
_NO_PROGRAM = (
    r"(?i)(?:key|gpg|asc|pub|pgp|list|sources|txt|json|xml|zip|t?gz|xz|bz2|zst|tar|whl|jar|pem|crt|repo|rpm)$"
)
_DOWNLOAD = r"(?s)\b(?:curl|wget)\b[^|;&<>]{0,500}?(https?://[^\s'\"|;&<>()\\`]+)"
# One of these is in every text that the pattern matches.
_TRACES = ("/etc/apt", "apt-repository", "extrepo", "http", "curl", "wget", ".deb")
_INSTALLS = r"(?s)\bdpkg\s(?:.*\s)?(?:-i|--install)\s|\bapt(?:-get)?\s(?:.*\s)?install\s"
_LONGEST = 4_000  # characters of a command, more than any person writes
# What a text of apt.conf(5) may decide versions by; the last two decide what comes along, and no version.
_SETTING = (
    r"(?i)\b(?:default-release|snapshot|check-(?:valid-until|date)|m(?:in|ax)-validtime|rootdir|architectures?)\b"
    r"|\bdir\b(?!::cache)|\bbinary::|\binstall-(?:recommends|suggests)\b|#(?:include|clear)\b"
)
_MILD = frozenset({"install-recommends", "install-suggests"})
_CONFIGURATION = r"/etc/apt/apt\.conf[\w./-]*"
_OF_APT = r"/etc/apt(?!/(?:keyrings|trusted\.gpg))(?:/(?:sources\.list|preferences|apt\.conf)?[\w./-]*)?"
_COPY = rf"(?m){_SETUP}|{_OF_APT}/?\s*[\"\]]*\s*$"
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
    """A change of what apt reads: where, a clause for people, and what makes it.

    `serves` are globs of the names that may come from what it adds. One that is `mild` moves no version, but decides
    whether Recommends count.
    """

    stage: int
    span: Span
    what: str
    by: str
    serves: tuple[str, ...] = ANYTHING
    mild: bool = False


def additions(dockerfile: Dockerfile) -> tuple[Addition, ...]:
    """Every trace of a repository or preference added by the file itself, in file order."""
    lowered = dockerfile.text.lower()
    if not any(trace in lowered for trace in _TRACES):
        return ()
    lines = Lines(dockerfile.text)
    found = []
    own = [block.span for block in blocks.find(dockerfile)]
    names: set[str] = set()
    for stage in dockerfile.stages:
        if any(each.key == "repositories" and each.value == "ignore" for each in stage.directives):
            continue
        for instruction in stage.instructions:
            if any(span.start <= instruction.span.start < span.end for span in own):
                continue
            body = instruction.span.of(dockerfile.text)
            known = _programs(body) if instruction.keyword == "RUN" else []
            names |= {url.rpartition("/")[2] for _, url, _ in known}
            traces = [(match.span(), match[0], ANYTHING) for match in _traces(instruction.keyword, body)]
            # What is known by its address is not told a second time by its name.
            traces = [
                trace
                for trace in traces
                if trace[1].rpartition("/")[2] not in names
                and not any(_overlap(trace[0], span) for span, _, _ in known)
            ]
            for (start, end), text, serves in sorted((*known, *traces)):
                if not serves:
                    continue
                line, _ = lines.position(instruction.span.start + start)
                span = Span(instruction.span.start + start, instruction.span.start + end)
                what = f"line {line} changes where apt takes packages from"
                mild = "apt.conf" in text and {each.lower() for each in re.findall(_SETTING, body)} <= _MILD
                found.append(Addition(stage.index, span, what, _by(text), serves, mild))
    return tuple(found)


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _programs(text: str) -> list[tuple[tuple[int, int], str, tuple[str, ...]]]:
    """The downloads of programs and packages that are known: where, the address, and which names they concern."""
    found = []
    for match in re.finditer(_DOWNLOAD, text):
        if not re.search(_NO_PROGRAM, match[1]):
            effect = programs.effect(match[1])
            if effect is not programs.UNKNOWN:
                found.append((match.span(1), match[1], effect.serves))
    return found


def _by(trace: str) -> str:
    """The address, the package or the command that makes a change."""
    named = re.findall(r"https?://[^\s'\"|]+|[^\s'\"/]+\.deb\b", trace)
    return named[-1] if named else " ".join(trace.split())


def _traces(keyword: str, body: str) -> Iterator[re.Match[str]]:
    if keyword in {"COPY", "ADD"}:
        yield from re.finditer(_COPY, body)
    elif keyword == "RUN":
        yield from (match for match in re.finditer(_RUN, body) if not _harmless(body, match))
        if re.search(_SETTING, body):
            yield from re.finditer(_CONFIGURATION, body)


def touches(statement: str, text: str) -> bool:
    """Whether a pipeline changes apt's sources, preferences or default release; `text` holds its here-documents too."""
    return (
        adds_components(statement)
        or any(serves for _, _, serves in _programs(statement))
        or any(not _harmless(statement, match) for match in re.finditer(_RUN, statement))
        or bool(re.search(_SETTING, text) and re.search(_CONFIGURATION, statement))
    )


def adds_components(text: str) -> bool:
    """Whether a sed in the text may add components to the distribution's sources."""
    return "sed" in text and re.search(_COMPONENTS, text) is not None


def _harmless(body: str, trace: re.Match[str]) -> bool:
    """Whether the command around a trace only reads a file of apt's, swaps a mirror's host, or installs no package."""
    at = trace.start()
    begin = max(at - _LONGEST, 0)
    command = body[max(begin, *(body.rfind(mark, begin, at) + 1 for mark in ("&&", "||", "; ", "| "))) : at]
    if trace["package"]:
        return not re.search(_INSTALLS, command)
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
