"""From an image reference to the suite inside, as far as its name tells.

The name is read token by token (`python:3.12-slim-bookworm`). A codename decides wherever it stands in the tag, or at
the end of the repository (`distroless/base-debian12`); a bare number or an alias only for an image of the distribution
itself, since `node:12` is not Debian 12 and `nginx:stable` is not Debian stable.
"""

from __future__ import annotations

import re
from functools import lru_cache

from pinner.apt.decisions import UNTOLD, Decisions
from pinner.distributions import images
from pinner.distributions.catalogue import DISTRIBUTIONS, RETIRED, alias_of, near, suite_named
from pinner.distributions.derivatives import other
from pinner.distributions.moments import Moment
from pinner.distributions.suite import Distribution, Suite
from pinner.stages.repositories import Repository
from pinner.values import NamedTuple

HOW_TO_TELL = (
    "name it by a comment `# pinner: suite=…` in the stage, by --suite, or under [images] in pinner.toml"
)


class Named(NamedTuple):
    """The suite that a name tells, with the pockets a variant of the image adds (`bookworm-backports`).

    `listed` stands in the place of the suite's own pockets where an image's sources, or what a stage makes of them,
    differ from these. `preferences` and `configuration` are files that apt reads (path and text), in its order;
    `decided` is what the configuration decides about sources, where that is known.
    `at` is the moment whose snapshot is read; None: the archive as it is now. `source_packages` are the repositories of
    source packages (deb-src), where a command asks for these.
    """

    distribution: Distribution
    suite: Suite
    variant: str = ""
    listed: tuple[Repository, ...] | None = None
    preferences: tuple[tuple[str, str], ...] = ()
    configuration: tuple[tuple[str, str], ...] = ()
    decided: Decisions = UNTOLD
    at: Moment | None = None
    source_packages: tuple[Repository, ...] = ()


class Alias(NamedTuple):
    """A name that moves (`stable`): the Release at `uri/dists/name` tells the codename of the day."""

    distribution: Distribution
    name: str
    at: Moment | None = None


class Unnamed(NamedTuple):
    """Nothing in the name tells a suite pinner can read; `why` is a clause for people, `hint` what to do.

    `mistyped` tells that it is a slip: there is no such image. `reason` is the code of words that stay as they are.
    """

    why: str
    hint: str = HOW_TO_TELL
    mistyped: bool = False
    reason: str = "suite-unknown"


def split(reference: str) -> tuple[str, str]:
    """The repository and the tag of an image reference; a digest is dropped, a missing tag is `latest`.

    Reference grammar: https://pkg.go.dev/github.com/distribution/reference
    """
    name, _, digest = reference.partition("@")
    repository, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        return name, "" if digest else "latest"
    return repository, tag


def named(name: str) -> Named | Alias | Unnamed:
    """What a person wrote as a suite: a codename, a number, an alias, or a codename with a variant."""
    name = name.lower()
    found = suite_named(name)
    if found:
        return Named(*found)
    distribution = alias_of(name)
    if distribution:
        return Alias(distribution, name)
    codename, dash, variant = name.partition("-")
    found = suite_named(codename)
    if found and dash and variant in found[1].variants:
        return Named(*found, variant)
    meant = near(name)
    unknown = RETIRED.get(name, f"{name} is not a suite that pinner knows")
    return Unnamed(unknown, f"did you mean {meant}?" if meant else "", mistyped=bool(meant))


@lru_cache(maxsize=1024)
def suite_of(reference: str) -> Named | Alias | Unnamed:
    """The suite of the image `reference`."""
    repository, tag = split(reference.lower())
    if name := other(repository):
        return Unnamed(f"the image {reference} is {name}, which has packages of its own", hint="")
    basename = repository.rpartition("/")[2]
    tokens = [token for token in re.split(r"[-_.+]", tag) if token]
    ends = [token for token in re.split(r"[-_.]", basename) if token]
    found: list[Named] = []
    for token in (tag, *tokens, basename, *ends):  # the whole tag may be a codename with a dash: rc-buggy
        hit = suite_named(token) if not token[:1].isdigit() else None
        if hit and (not hit[1].common or basename == hit[0].image):
            found.append(Named(*hit))
        elif token in RETIRED:
            return Unnamed(RETIRED[token], hint="")
    text = f"{basename}-{tag}".replace(":", "-")
    for distribution in DISTRIBUTIONS:
        if distribution.image not in text:
            continue
        own = distribution.image == basename or basename.endswith(f"-{distribution.image}")
        number = distribution.number
        numbers = re.findall(rf"(?:^|[-_.]){distribution.image}[-_]?({number})(?:$|[-_.])", text)
        if own and not found:
            numbers += re.findall(rf"^({number})(?:\.\d+)*(?:$|-)", tag)
        known = {suite.codename: suite for suite in distribution.suites}
        hits = [suite_named(re.sub("[_-]", ".", number)) for number in numbers]
        found += [Named(distribution, hit[1]) for hit in hits if hit and hit[1].codename in known]
        if own and not found and numbers:
            said = re.sub("[_-]", ".", numbers[0])
            first = distribution.suites[0].version
            if first and re.fullmatch(r"\d+(?:\.\d+)?", said) and float(said) < float(first):
                return Unnamed(f"{distribution.image} {said} is older than what pinner can verify", hint="")
            return Unnamed(f"{distribution.image} {numbers[0]} is not a suite that pinner knows")
        if own and not found:
            alias = distribution.latest if tag == "latest" else tokens[0] if tokens else ""
            if alias in distribution.aliases:
                return Alias(distribution, alias)
            if tag in distribution.moving:
                return Unnamed(
                    f"{reference} is another release from time to time: the image itself has to be read"
                )
            meant = near(tokens[0], distribution) if tokens and basename == distribution.image else ""
            if meant:
                why = f"{distribution.name} has no suite {tokens[0]}"
                return Unnamed(why, f"did you mean {meant}?", mistyped=True)
    suites = {hit.suite.codename: hit for hit in found}
    if len(suites) > 1:
        return Unnamed(f"the image {reference} names several suites: {', '.join(sorted(suites))}")
    for one in suites.values():
        variant = next((token for token in tokens if token in one.suite.variants), "")
        return Named(one.distribution, one.suite, variant)
    row = images.row(repository)
    if row is not None and (told := row.suite(tag)):
        return named(told)
    why = f"the image {reference} does not name a suite"
    for token in tokens:
        meant = near(token) if len(token) > 4 else ""
        if row is not None and meant not in ("", token):
            return Unnamed(why, f"did you mean {meant}?", mistyped=True)
    return Unnamed(why)
