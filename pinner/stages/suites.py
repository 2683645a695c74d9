"""For each stage of a Dockerfile: which suite and platforms its packages come from, and who said so.

`Options` is one value for all who read stages, and what can be looked up is its `world`: a file is read again by other
options (at a snapshot, without a repository that does not answer, by what the lock remembers), which is one `_replace`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from pinner.apt import decisions
from pinner.apt.sources import Keys
from pinner.apt.sources_list import SourceEntry
from pinner.distributions import images
from pinner.distributions.catalogue import DEFAULT_PLATFORMS, PLATFORMS, platform
from pinner.distributions.moments import Moment
from pinner.distributions.repositories import ANYTHING
from pinner.edit.span import Lines
from pinner.errors import InputError
from pinner.recipe import blocks
from pinner.recipe.dockerfile import Dockerfile, Stage
from pinner.recipe.kinds import Around
from pinner.shell.content import UNKNOWN
from pinner.shell.prefixes import Wrappers
from pinner.stages.bases import ImageContent, ImageLookup
from pinner.stages.image_names import Alias, Named, Unnamed, named, suite_of
from pinner.stages.image_names import split as split_reference
from pinner.stages.policy import PinForm
from pinner.stages.repositories import VouchedRepository, listed, vouched
from pinner.stages.starting_set import EMPTY, MINBASE, Root
from pinner.values import NamedTuple

if TYPE_CHECKING:
    from pinner.shell.content import BuildContext, KeyOrigin
    from pinner.stages.apt_files import View

PinScope = Literal["", "siblings", "closure"]


class Doubt(NamedTuple):
    """What apt may read in a stage beside what pinner reads: a clause, and globs of the names that may come from there.

    Without globs none is likely to; still nothing is certain about what is not found.
    """

    why: str
    serves: tuple[str, ...] = ANYTHING


class Seen:
    """What calls saw, by all that decides it, in the files of a project; where their images were not read and they add
    no repository, whose key the project may name, also in those of the `others`."""

    def __init__(self, others: Seen | None = None) -> None:
        self._own: dict[tuple[object, ...], tuple[View, StageBase]] = {}
        self._every: dict[tuple[object, ...], tuple[View, StageBase]] = others._every if others else {}
        self._kinds: list[tuple[tuple[object, ...], object]] = others._kinds if others else []

    def kind(self, options: Options) -> object:
        """The same for equal options, whatever their world."""
        own = tuple(options[:-1])
        for known, kind in self._kinds:
            if known == own:
                return kind
        del self._kinds[:-_FEW]
        self._kinds.append((own, object()))
        return self._kinds[-1][1]

    def get(self, key: tuple[object, ...]) -> View | None:
        """What a call saw, if that is remembered."""
        found = self._own.get(key) or self._every.get(key)
        return found[0] if found else None

    def keep(self, key: tuple[object, ...], view: View, base: StageBase) -> None:
        """Remember what a call saw; with the base, whose parts keep their ids so."""
        known = self._own if base.contents or view.where != base.where else self._every
        if len(known) >= _MOST_SEEN:
            known.clear()
        known[key] = view, base


_FEW, _MOST_SEEN = 16, 4_096


class World(NamedTuple):
    """What can be looked up for the stages of files: other files, images, archives."""

    #: The files that list packages, by path.
    lists: frozenset[str] = frozenset()
    #: What other files say of a file, by path.
    around: Mapping[str, Around] = MappingProxyType({})
    #: The Dockerfiles that may use scripts and lists where none is among the files.
    beside: Callable[[], Mapping[str, str]] = dict
    #: What the programs run that a script calls, by its path.
    wrappers: Mapping[str, Wrappers] = MappingProxyType({})
    #: The build context of the file at a path, None if it is not known.
    context: Callable[[str], BuildContext | None] = lambda path: None
    #: What an image holds on a platform; None if that cannot be known.
    look: ImageLookup | None = None
    #: Which suite an alias means today, None where no archive is asked.
    named: Callable[[Alias], Named | None] = lambda alias: None
    #: The keys, of these origins, that the file at a path names for an entry's repository, or a clause about what to do
    #: so that they count.
    vouch: Callable[[str, SourceEntry, tuple[KeyOrigin, ...]], Keys | str] = lambda path, entry, origins: ""
    #: What calls saw; None: it is not remembered.
    seen: Seen | None = None


class Options(NamedTuple):
    """How the stages of a file are to be read: what the user asked for or configured, and the `world` around."""

    platforms: tuple[str, ...] = DEFAULT_PLATFORMS
    #: Whether the platforms were named.
    asked: bool = False
    #: Overrides what images tell.
    suite: str = ""
    #: Suites by globs of image references, where these tell nothing.
    fallback: Mapping[str, str] = MappingProxyType({})
    #: Suites by globs of paths.
    files: Mapping[str, str] = MappingProxyType({})
    #: Suites by globs of image references.
    images: Mapping[str, str] = MappingProxyType({})
    #: What images hold, by globs of references, one for each architecture; counts more than the images themselves.
    roots: Mapping[str, tuple[Root, ...]] = MappingProxyType({})
    #: What programs run, see `prefixes.Wrappers`.
    wrappers: Mapping[str, str] = MappingProxyType({})
    #: Globs of package names that are never pinned.
    ignore: tuple[str, ...] = ()
    #: What is pinned beside the arguments; None: not said.
    scope: PinScope | None = None
    form: PinForm = "exact"
    #: The repositories that may be read.
    known: tuple[VouchedRepository, ...] = ()
    #: The prefixes that are asked in the place of others.
    mirrors: Mapping[str, str] = MappingProxyType({})
    #: The moment at which every archive is read; None: that of a stage's own sources block, or else now.
    snapshot: Moment | None = None
    #: Whether each stage that uses apt gets a sources block.
    write_sources: bool = False
    world: World = World()


class StageBase(NamedTuple):
    """What a stage stands on: `image` is the reference its chain of stages begins with, `roots` what it holds, as far
    as that was told. `contents` is what the image itself says, by platform; `unread` a clause about what it says to apt
    and what pinner does not follow, "" if there is nothing; `doubt` is about an image that was not read. `images` are
    the references by platform where they differ.
    """

    image: str
    where: Named | Alias | Unnamed
    platforms: tuple[str, ...]
    asked: bool
    roots: tuple[Root, ...] = ()
    contents: Mapping[str, ImageContent] = MappingProxyType({})
    unread: str = ""
    images: Mapping[str, str] = MappingProxyType({})
    doubt: Doubt | None = None

    def __hash__(self) -> int:
        return hash((self.image, self.platforms, self.where))

    @property
    def is_assumed(self) -> bool:
        """Whether nothing is known of the image but the suite that its tag names."""
        return self.doubt is not None and not self.doubt.serves

    def digest(self, platform: str) -> str:
        """The digest of the image for a platform, "" if it is not known."""
        return self.contents[platform].digest if platform in self.contents else ""

    def root(self, platform: str) -> Root:
        """What the image holds on a platform; the minimal set, if that is not known."""
        return next((root for root in self.roots if root.arch == PLATFORMS[platform]), MINBASE)


def suite_told(text: str, what: str) -> Named | Alias:
    """The suite that `what` names as `text`. Raises `InputError`."""
    found = named(text)
    if isinstance(found, Unnamed):
        hint = "name a suite of Debian or Ubuntu, like bookworm or jammy, or an alias, like stable"
        raise InputError(f"{what}: {found.why}", hint=found.hint or hint)
    return found


def chain(dockerfile: Dockerfile, stage: Stage) -> list[Stage]:
    """The stage and those it is built on, the nearest first."""
    stages = [stage]
    while stages[-1].parent is not None:
        stages.append(dockerfile.stages[stages[-1].parent])
    return stages


def image_of(dockerfile: Dockerfile, stage: Stage, options: Options) -> tuple[str, tuple[str, ...]]:
    """The image that `stage` and those below it stand on, "" if it is not known here, and for which platforms.

    Where the platform decides it, ask for `dockerfile.on` one.
    """
    below = chain(dockerfile, stage)[-1]
    fixed = platform(below.platform) if below.platform else None
    return below.base, (fixed,) if fixed else options.platforms


def base_of(dockerfile: Dockerfile, stage: Stage, options: Options) -> StageBase:
    """What `stage` stands on. The suite is told, strongest first, by its comment, --suite, [images], the image's name.

    Raises `InputError` for a suite that was named but is not known.
    """
    if dockerfile.varies:
        return _by_platform(dockerfile, stage, options)
    stages = chain(dockerfile, stage)
    image, platforms = image_of(dockerfile, stage, options)
    asked = options.asked or platforms is not options.platforms
    contents: dict[str, ImageContent] = {}
    for each in platforms if options.world.look and image else ():
        content = options.world.look(image, each) if options.world.look else None
        if content:
            contents[each] = content
    if not asked and options.world.look and image:
        made = tuple(
            each for each in platforms if each in contents or not options.world.look.lacks(image, each)
        )
        platforms = made or platforms
    roots = next((roots for pattern, roots in options.roots.items() if fnmatchcase(image, pattern)), ())
    if stages[-1].suite:
        roots = tuple(Root(EMPTY, PLATFORMS[each]) for each in platforms)
    where = _where(dockerfile, stages, options, contents)
    unread = next((content.unread for content in contents.values() if content.unread), "")
    held = {path: content for each in contents.values() for path, content in each.keys}

    def vouch(entry: SourceEntry) -> Keys | str:
        return options.world.vouch("", entry, _of_image(image, entry.signed_by, held))

    if isinstance(where, Named) and contents and not where.variant:
        texts = {name: content.sources for name, content in contents.items() if content.read}
        repositories, problem = listed(
            texts, where.suite, where.distribution, options.known, vouch, options.mirrors
        )
        where, unread = where._replace(listed=repositories), unread or problem
    if isinstance(where, Named) and where.listed is None and not where.suite.signed_by.keyring:
        archs = [PLATFORMS[each] for each in platforms]
        try:
            where = vouched(where, archs, options.known, vouch, options.mirrors)
        except InputError as error:
            where = where._replace(listed=())
            unkeyed = f", whose keys pinner does not have ({error.hint})" if error.hint else ""
            unread = unread or f"its packages come from {error.message}{unkeyed}"
    if isinstance(where, Named) and contents:
        told = {(each.preferences, decisions.of(each.configuration)): each for each in contents.values()}
        unread = unread or ("the image's platforms differ in what they prefer" if len(told) > 1 else "")
        content = next(iter(told.values()))
        where = where._replace(preferences=content.preferences, configuration=content.configuration)
    if not isinstance(where, Unnamed) and not stages[-1].suite:  # no block changes what a new root reads
        where = where._replace(at=options.snapshot or blocks.moment_of(dockerfile, stages))
    return StageBase(
        image,
        where,
        platforms,
        asked,
        (*roots, *(content.root for content in contents.values() if content.root.told)),
        contents,
        unread,
        doubt=_doubt(stages, image or stages[-1].like, options, contents)
        if isinstance(where, Named)
        else None,
    )


def _by_platform(dockerfile: Dockerfile, stage: Stage, options: Options) -> StageBase:
    """The base of a stage whose image the platform decides: one suite, or none that is known."""
    own = {}
    for each in options.platforms:
        there = dockerfile.on(each)._replace(varies=False)
        own[each] = base_of(there, there.stages[stage.index], options._replace(platforms=(each,)))
    first, *others = own.values()
    where = first.where
    if any(each.where != where for each in others):
        where = Unnamed("its base images are of several suites on these platforms")
    return first._replace(
        where=where,
        platforms=tuple(dict.fromkeys(name for each in own.values() for name in each.platforms)),
        roots=tuple(dict.fromkeys(root for each in own.values() for root in each.roots)),
        contents={name: content for each in own.values() for name, content in each.contents.items()},
        unread=next((each.unread for each in own.values() if each.unread), ""),
        images={name: each.image for name, each in own.items()},
        doubt=next((each.doubt for each in own.values() if each.doubt), None),
    )


def _of_image(image: str, path: str, held: Mapping[str, bytes]) -> tuple[KeyOrigin, ...]:
    if path not in held:
        return ()
    from pinner.shell.content import KeyOrigin

    return (KeyOrigin(image=f"{image}:{path}", content=held[path]),)


def _doubt(
    stages: list[Stage],
    image: str,
    options: Options,
    contents: Mapping[str, ImageContent],
) -> Doubt | None:
    """What an image may hold that was not read; None for one that is known, or whose suite the user named."""
    told = options.suite or any(each.key == "suite" for stage in stages for each in stage.directives)
    if told or not image or (contents and all(content.read for content in contents.values())):
        return None
    if any(fnmatchcase(image, pattern) for pattern in options.images):
        return None
    row = images.row(split_reference(image)[0])
    # Where the name tells no suite, the configuration did.
    if row.plain if row is not None else isinstance(suite_of(image), Unnamed):
        return None
    why = f"the image {image.replace(UNKNOWN, '…')} is not read, and may hold another repository's packages"
    return Doubt(why, row.serves if row else ())


def _where(
    dockerfile: Dockerfile, stages: list[Stage], options: Options, contents: Mapping[str, ImageContent]
) -> Named | Alias | Unnamed:
    for each in stages:
        for directive in each.directives:
            if directive.key == "suite":
                found = named(directive.value)
                if isinstance(found, Unnamed):
                    lines = Lines(dockerfile.text)
                    line, column = lines.position(directive.span.start)
                    excerpt = lines.excerpt(directive.span)
                    raise InputError(found.why, line=line, column=column, excerpt=excerpt, hint=found.hint)
                return found
    if stages[-1].suite:
        return named(stages[-1].suite)
    if options.suite:
        return suite_told(options.suite, "--suite")
    image = stages[-1].base
    for pattern, suite in options.images.items():
        if image and fnmatchcase(image, pattern):
            return suite_told(suite, f"[images] {pattern}")
    if stages[-1].runner:
        return Unnamed(
            f"the hosted runner {stages[-1].runner} holds newer packages than its Ubuntu, from repositories of its own",
            "to pin them anyway, name the suite by a comment `# pinner: suite=…`, by --suite, or under [files]",
            reason="hosted-runner",
        )
    where = suite_of(image) if image else _partly_known(stages[-1])
    where = _by_content(image, where, contents)
    if isinstance(where, Unnamed):
        for pattern, suite in options.fallback.items():
            if fnmatchcase(image, pattern):
                return suite_told(suite, "suite")
        if where.mistyped:
            raw = re.escape(stages[-1].raw_base)
            written = re.search(rf"(?im)^[ \t]*FROM\b.*?({raw})", dockerfile.text)
            line, column = Lines(dockerfile.text).position(written.start(1)) if written else (0, 0)
            raise InputError(f"{image}: {where.why}", line=line, column=column, hint=where.hint)
    return where


def _partly_known(stage: Stage) -> Named | Unnamed:
    """The suite of a reference of which some is not known: what is known of it may name one."""
    found = suite_of(stage.like) if stage.like else None
    return found if isinstance(found, Named) else _unknown(stage)


def _unknown(stage: Stage) -> Unnamed:
    why = f": {stage.why}" if stage.why else ""
    if stage.raw_base in ("of this script", "of this list", "of this machine"):  # it names no image
        how = "name it by a comment `# pinner: suite=…`, by --suite, or under [files] in pinner.toml"
        return Unnamed(f"the suite {stage.raw_base} is not known{why}", how)
    return Unnamed(f"the base image {stage.raw_base} is not known here{why}")


def _by_content(
    image: str, where: Named | Alias | Unnamed, contents: Mapping[str, ImageContent]
) -> Named | Alias | Unnamed:
    """What the image says of itself, which counts more than its name."""
    told = {(content.distribution, content.suite): None for content in contents.values() if content.suite}
    if len(told) > 1:
        return Unnamed(f"the image {image} is of several suites: {', '.join(suite for _, suite in told)}")
    for distribution, suite in told:
        found = named(suite)
        if isinstance(found, Unnamed) or distribution not in ("", found.distribution.name):
            return Unnamed(f"the image {image} is {distribution} {suite}, which pinner does not know")
        same = isinstance(where, Named) and isinstance(found, Named) and where.suite is found.suite
        return where if same else found
    if isinstance(where, Unnamed):
        others = {content.distribution for content in contents.values()} - {"", "debian", "ubuntu"}
        for other in others:
            return Unnamed(
                f"the image {image} is {other}, which has no packages of Debian or Ubuntu", hint=""
            )
    return where
