"""Patterns of apt's command line (`name=version`, `name/release`, `-t release`) and of `Pin: release …`, as tests."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

from pinner.apt.preferences import expression
from pinner.regex import later

if TYPE_CHECKING:
    from pinner.resolve.offers import Index


def version_test(text: str) -> Callable[[str], bool]:
    """The test that `name=text` makes on a version.

    It holds if the version equals the text without regard to case, if the text ends in `*` and the version
    begins with the rest, or if the text, a last `*` taken away, matches as a glob.
    """
    whole = text.lower()
    prefix = text.endswith("*")
    if prefix:
        text = text[:-1]
    lower = text.lower()
    pattern = glob(text) if any(char in text for char in "*?[\\/") else None  # nearly always none

    def test(candidate: str) -> bool:
        own = candidate.lower()
        if own == whole or (prefix and own.startswith(lower)):
            return True
        return pattern.fullmatch(candidate) is not None if pattern else own == lower

    return test


def release_test(spec: str) -> Callable[[Index], bool]:
    """The test that `-t spec` or `name/spec` makes on an index.

    `spec` is a name or version of a release, or `n=…,a=…` pairs as in apt_preferences(5).
    """
    if spec == "*":
        return lambda _: True
    tests: list[Callable[[Index], bool]] = []
    if "=" not in spec:
        if spec[:1].isdigit():
            tests.append(_release_version_test(spec))
        elif spec:
            pattern = glob(spec)
            tests.append(
                lambda index: bool(
                    pattern.fullmatch(index.release.suite) or pattern.fullmatch(index.release.codename)
                )
            )
    else:
        for part in spec.split(","):
            letter, _, value = part.strip().partition("=")
            if not value:
                continue
            if letter.lower() == "v":
                tests.append(_release_version_test(value))
            else:
                tests.append(_field_test(letter.lower(), glob(value)))
    return lambda index: bool(tests) and all(test(index) for test in tests)


def _field_test(letter: str, glob: re.Pattern[str]) -> Callable[[Index], bool]:
    def test(index: Index) -> bool:
        field = {
            "o": index.release.origin,
            "a": index.release.suite,
            "n": index.release.codename,
            "l": index.release.label,
            "c": index.component,
            "b": index.source.arch,
        }.get(letter)
        return field is not None and glob.fullmatch(field) is not None

    return test


def _release_version_test(value: str) -> Callable[[Index], bool]:
    test = version_test(value)
    return lambda index: bool(index.release.version) and test(index.release.version)


@lru_cache(maxsize=256)
def glob(pattern: str) -> re.Pattern[str]:
    """A shell pattern as fnmatch(3) reads it, or a regular expression between slashes; without regard to case.

    What stands between two stars is looked for once, where it fits first: no other place lets the rest fit that does
    not fit then, and to try them all takes a time that doubles with each star.
    """
    found = expression(pattern)
    if found is not None:
        return re.compile(f".*(?:{found}).*", re.IGNORECASE | re.DOTALL)
    out, at = [], 0
    starred = False
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "*":
            out.append((")" if starred else "") + "(?>.*?")
            starred = True
        elif char == "?":
            out.append(".")
        elif char == "\\" and at < len(pattern):
            out.append(re.escape(pattern[at]))
            at += 1
        elif char == "[" and (close := _class_end(pattern, at)) > 0:
            inner = pattern[at:close]
            negated = inner[0] in "!^"
            inner = _RANGE.sub(_forward, inner.lower()[negated:])
            members = re.escape(inner).replace(chr(92) + "-", "-")
            out.append(f"[{'^' if negated else ''}{members}]" if inner else "." if negated else "(?!)")
            at = close + 1
        else:
            out.append(re.escape(char))
    if starred:  # the last star takes as much as leaves what is behind it
        last = max(number for number, part in enumerate(out) if part.endswith("(?>.*?"))
        out[last] = out[last].removesuffix("(?>.*?") + ".*"
    return re.compile("".join(out), re.IGNORECASE | re.DOTALL)


_RANGE = later(r"(.)-(.)", re.DOTALL)


def _forward(found: re.Match[str]) -> str:
    """A range of characters; one that goes backward holds none, as with fnmatch(3)."""
    return found[0] if found[1] <= found[2] else ""


def _class_end(pattern: str, at: int) -> int:
    """Where a bracket expression that begins before `at` closes; 0 if it does not."""
    start = at + 1 if pattern[at : at + 1] in ("!", "^") and pattern[at : at + 1] else at
    return pattern.find("]", start + 1) if start < len(pattern) else 0
