"""For each stage of a Dockerfile: which suite and platforms its packages come from, and who said so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal

from pinner.archive.distributions import DEFAULT_PLATFORMS, PLATFORMS, platform
from pinner.archive.sources import Source
from pinner.errors import InputError
from pinner.text.dockerfile import Dockerfile, Stage
from pinner.text.span import Lines
from pinner.workflow.images import Alias, Named, Unnamed, named, suite_of
from pinner.workflow.roots import MINBASE, Root

Along = Literal["", "siblings", "closure"]


@dataclass(frozen=True, slots=True)
class Options:
    """What the caller decided. `asked` tells that the platforms were named rather than defaulted.

    `suite` overrides what images tell; `fallback` serves where they tell nothing; `images` maps globs of image
    references to suites; `ignore` are globs of package names that are never pinned. `roots` says what images hold, by
    globs of image references, one for each architecture. `along` says what else goes on a line with what was asked for.
    """

    platforms: tuple[str, ...] = DEFAULT_PLATFORMS
    asked: bool = False
    suite: str = ""
    fallback: str = ""
    images: Mapping[str, str] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()
    roots: Mapping[str, tuple[Root, ...]] = field(default_factory=dict)
    along: Along = ""


@dataclass(frozen=True, slots=True)
class Base:
    """What a stage stands on: `image` is the reference its chain of stages begins with, `roots` what it holds, as far
    as that was told."""

    image: str
    where: Named | Alias | Unnamed
    platforms: tuple[str, ...]
    asked: bool
    roots: tuple[Root, ...] = ()

    def root(self, platform: str) -> Root:
        """What the image holds on a platform: the minimal set, if nobody has told."""
        return next((root for root in self.roots if root.arch == PLATFORMS[platform]), MINBASE)


def _told(text: str, what: str) -> Named | Alias:
    found = named(text)
    if isinstance(found, Unnamed):
        hint = "name a suite of Debian or Ubuntu, like bookworm or jammy, or an alias, like stable"
        raise InputError(f"{what}: {found.why}", hint=hint)
    return found


def chain(dockerfile: Dockerfile, stage: Stage) -> list[Stage]:
    """The stage and those it is built on, the nearest first."""
    stages = [stage]
    while stages[-1].parent is not None:
        stages.append(dockerfile.stages[stages[-1].parent])
    return stages


def base_of(dockerfile: Dockerfile, stage: Stage, options: Options) -> Base:
    """What `stage` stands on. The suite is told, strongest first, by its comment, --suite, [images], the image's name.

    Raises `InputError` for a suite that was told but is not known.
    """
    stages = chain(dockerfile, stage)
    image = stages[-1].base
    fixed = platform(stages[-1].platform) if stages[-1].platform else None
    roots = next((roots for pattern, roots in options.roots.items() if fnmatchcase(image, pattern)), ())
    return Base(
        image,
        _where(dockerfile, stages, options),
        (fixed,) if fixed else options.platforms,
        options.asked or fixed is not None,
        roots,
    )


def _where(dockerfile: Dockerfile, stages: list[Stage], options: Options) -> Named | Alias | Unnamed:
    for each in stages:
        for directive in each.directives:
            if directive.key == "suite":
                found = named(directive.value)
                if isinstance(found, Unnamed):
                    lines = Lines(dockerfile.text)
                    line, column = lines.position(directive.span.start)
                    excerpt = lines.excerpt(directive.span)
                    raise InputError(found.why, line=line, column=column, excerpt=excerpt)
                return found
    if options.suite:
        return _told(options.suite, "--suite")
    image = stages[-1].base
    for pattern, suite in options.images.items():
        if image and fnmatchcase(image, pattern):
            return _told(suite, f"[images] {pattern}")
    where = suite_of(image) if image else Unnamed(f"the base image {stages[-1].raw_base} is not known here")
    if isinstance(where, Unnamed) and options.fallback:
        return _told(options.fallback, "suite")
    return where


def alias_source(alias: Alias) -> Source:
    """The source whose Release tells the codename behind `alias`; any architecture serves."""
    distribution = alias.distribution
    return Source(
        distribution.alias_uri,
        alias.name,
        distribution.components,
        PLATFORMS[DEFAULT_PLATFORMS[0]],
        distribution.signed_by,
    )


def sources_of(where: Named, arch: str) -> tuple[Source, ...]:
    """The sources that an image of this suite reads for one Debian architecture, in apt's order."""
    variant = where.suite.variants.get(where.variant)
    pockets = (*([variant] if variant else []), *where.suite.pockets)
    return tuple(
        Source(
            pocket.address(arch),
            pocket.suite,
            where.distribution.components,
            arch,
            where.suite.signed_by,
            check_valid_until=not where.suite.laid_up,
        )
        for pocket in pockets
    )
