"""What apt's own files mean for a command of a stage: sources, preferences, configuration and keys, as the walk left
them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING

from pinner.apt import conf, decisions, sources_list
from pinner.apt.command_line import Setting
from pinner.apt.decisions import Decisions
from pinner.apt.sources_list import SourceEntry
from pinner.distributions.catalogue import PLATFORMS
from pinner.distributions.repositories import ANYTHING
from pinner.errors import InputError
from pinner.regex import later
from pinner.shell.content import UNKNOWN, Content, KeyOrigin
from pinner.shell.state import USUAL, State
from pinner.stages.image_names import Alias, Named, Unnamed
from pinner.stages.repositories import (
    Repository,
    UnreadRepository,
    conflict,
    joined,
    listed_of,
    mirrored,
    prefers,
    recognised,
)
from pinner.stages.suites import Doubt, StageBase
from pinner.values import NamedTuple

if TYPE_CHECKING:
    from pinner.stages.views import Views

NO_SOURCES = "apt has no sources left here"
UNREAD = "which pinner does not read and which may serve another version"
_TRUSTED = "/etc/apt/trusted.gpg"  # and trusted.gpg.d: keys for each source that names none
# What a text of apt.conf(5) may decide versions by.
_DECIDES = later(
    r"(?i)\b(?:default-release|snapshot|check-(?:valid-until|date)|m(?:in|ax)-validtime|rootdir|architectures?)\b"
    r"|\bdir\b(?!::cache)|\bbinary::|#(?:include|clear)\b"
)
#: What settings decide where no option names a file.
decisions_of = lru_cache(maxsize=256)(decisions.of)
_NAMED_SOURCES = r"(?!\.)[\w.-]+\.(?:list|sources)"


class View(NamedTuple):
    """What holds for a call: `where` apt looks, a `problem` behind which nothing is known, doubts about some names.

    `error` is what apt itself complains about. `architectures` are those that were added to dpkg, `lists` the files
    of the project that the call takes words from, in which a line `ends` in a carriage return. `settings` are those of
    its options, as far as the call itself was met, `included` the files by path that `-c` names among them. `others`
    may hold instead: where a `condition` decides, or in another turn of a loop.
    """

    where: Named | Alias | Unnamed
    problem: str = ""
    doubts: tuple[Doubt, ...] = ()
    error: str = ""
    architectures: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    ends: bool = False
    settings: tuple[Setting, ...] | None = None
    included: tuple[tuple[str, str], ...] = ()
    others: tuple[View, ...] = ()
    condition: str = ""

    def include(self, path: str) -> Iterable[tuple[str, str]]:
        """The file that `-c` names. Raises `InputError` for one that is not known."""
        return [each for each in self.included if each[0] == path] or conf.no_include(path)


def named_of(view: View) -> Named:
    """Where apt looks in a view of a stage whose suite is known."""
    assert isinstance(view.where, Named)
    return view.where


class AptFiles:
    """Reads apt's files as they are for one call on one platform."""

    def __init__(self, views: Views, state: State, platform: str, base: StageBase, *, ignores: bool) -> None:
        self._views = views
        self._state = state
        self._base = base
        self._arch = PLATFORMS[platform]
        self._archs = [self._arch, *state.architectures]
        self._places = USUAL
        self._ignores = ignores
        self._doubts: list[Doubt] = []
        content = base.contents.get(platform)
        # Whether the image's own sources files are known, and not just what they name.
        self._certain = base.doubt is None and (content is None or content.read)

    def read(self, view: View) -> View:
        """The view, with the sources, preferences and settings of the state."""
        where = named_of(view)
        try:
            where = self._configured(where, view)
            where = self._sources(where)
            where = self._preferring(where)
        except _ProblemError as problem:
            if problem.error:
                return view._replace(error=problem.message)
            if not self._ignores:
                return view._replace(problem=problem.message)
        doubts = () if self._ignores else tuple(dict.fromkeys(self._doubts))
        if where.listed == () and not doubts:
            return view._replace(where=where, problem=NO_SOURCES)
        return view._replace(where=where, doubts=doubts, architectures=tuple(self._archs[1:]))

    def source_packages(self) -> tuple[Repository, ...]:
        """The repositories of source packages that apt has fetched. Raises `InputError` where they are not known."""
        where, found, fetched = self._base.where, list[Repository](), self._fetched()
        assert isinstance(where, Named)
        for path, content in self._state.sources(self._places).items():
            if fetched is not None and content not in fetched:
                continue
            if content.known is None:
                raise InputError(f"{self._views.says(content, path)}, which pinner does not read")
            for entry in sources_list.read(path, content.known, "deb-src"):
                found += recognised(
                    entry,
                    where.suite,
                    where.distribution,
                    self._views.options.known,
                    [self._arch],
                    lambda entry: self._views.vouch(self._state, entry),
                    self._views.options.mirrors,
                )
        return tuple(found)

    def _sources(self, where: Named) -> Named:
        files = self._state.sources(self._places)
        before = listed_of(where, self._archs)
        paths = {each.path for each in before}
        own = paths <= files.keys() and all(content.at < 0 for content in files.values())
        if own and all(self._is_as_fetched(path, content) for path, content in files.items()):
            return where
        fetched = self._fetched()
        if own and all(_is_fetched(path, content, fetched) for path, content in files.items()):
            return where
        found: list[Repository] = []
        for path, content in sorted(
            files.items(), key=lambda item: (item[0] != self._places.sourcelist, item[0])
        ):
            name = path.rpartition("/")[2]
            if path != self._places.sourcelist and not path.startswith("?"):
                if UNKNOWN in name:
                    name = name.replace(UNKNOWN, "x") if "." in name else "x.list"
                if not re.fullmatch(_NAMED_SOURCES, name):
                    continue
            if content.at < 0:
                if _is_fetched(path, content, fetched):
                    found += (each for each in before if each.path == path)
            else:
                found += self._file(where, path, content, fetched)
        made = tuple(joined(found))
        if made == tuple(joined(before)):
            return where
        if self._certain and (contradiction := conflict(where._replace(listed=made))):
            raise _ProblemError(f"apt refuses its sources ({contradiction})", error=True)
        return where._replace(listed=made)

    def _is_as_fetched(self, path: str, content: Content) -> bool:
        """Whether an update has fetched a file just as it is, which needs no reading."""
        fetched = self._state.fetched
        return fetched is None or (not content.others and any(each.get(path) == content for each in fetched))

    def _fetched(self) -> set[object] | None:
        """The contents, and the components of suites, that an update has fetched; None if any may be."""
        if self._state.fetched is None:
            return None
        found: set[object] = set()
        for files in self._state.fetched:
            for path, content in files.items():
                for each in (content, *content.others):
                    found.add(each._replace(others=()))
                    for entry in _entries(path, each.text) if each.text is not None else ():
                        found.update((entry.uri, entry.suite, name) for name in entry.components or ("",))
        return found

    def _file(
        self,
        where: Named,
        path: str,
        content: Content,
        fetched: set[object] | None,
    ) -> list[Repository]:
        """The repositories that a file of the stage names."""
        ways = [
            self._content(where, path, each, fetched)
            for each in (content._replace(others=()), *content.others)
        ]
        if any(way != ways[0] for way in ways):
            said = self._views.says(content, path)
            raise _ProblemError(f"{said}, under a condition that is not known, {UNREAD}")
        return ways[0]

    def _content(
        self,
        where: Named,
        path: str,
        content: Content,
        fetched: set[object] | None,
    ) -> list[Repository]:
        if content.text is None:
            if fetched is None or content.live or content in fetched:
                self._unread(
                    content, f"{self._views.says(content, path)}, {UNREAD}", content.serves or ANYTHING
                )
            return []
        try:
            entries = sources_list.read(path if path.endswith(".sources") else "x.list", content.text)
        except InputError as error:
            said = error.message.replace(UNKNOWN, "…")
            raise _ProblemError(f"{self._views.line(content)}: {said}, {UNREAD}") from None
        found: list[Repository] = []
        for entry in entries:
            if fetched is not None:  # it counts from the next update on
                names = [
                    name for name in entry.components or ("",) if (entry.uri, entry.suite, name) in fetched
                ]
                if not names:
                    continue
                entry = entry._replace(components=tuple(filter(None, names)))
            try:
                own = mirrored(entry, where, path, self._arch) if UNKNOWN in entry.uri else entry
                if own is None or UNKNOWN in f"{own.uri}{own.suite}{own.components}{own.signed_by}":
                    self._unread(content, f"{self._views.says(content, path)}, {UNREAD}", ANYTHING)
                    continue
                found += (
                    each._replace(path=path)
                    for each in recognised(
                        own,
                        where.suite,
                        where.distribution,
                        self._views.options.known,
                        self._archs,
                        lambda entry: self._views.vouch(self._state, entry),
                        self._views.options.mirrors,
                    )
                )
            except InputError as error:
                serves = error.serves if isinstance(error, UnreadRepository) else ANYTHING
                hint = f" ({error.hint})" if error.hint else ""
                why = f"{self._views.line(content)}: {error.message}, {UNREAD}{hint}"
                self._unread(content, why, serves)
        return found

    def _unread(self, content: Content, why: str, serves: tuple[str, ...]) -> None:
        if serves == ANYTHING:
            raise _ProblemError(why)
        self._doubts.append(Doubt(why, serves))

    def _configured(self, where: Named, view: View) -> Named:
        """The suite with what apt.conf(5) sets in the stage; where apt looks by it and by the options of the call."""
        told = self._state.configuration()
        if any(content.at >= 0 for content in told.values()) or len(told) != len(where.configuration):
            texts = tuple((path, self._setting(path, content)) for path, content in told.items())
            where = where._replace(configuration=texts)
        if where.configuration or view.settings:
            with suppress(InputError):  # it is said where the call is weighed
                settings = view.settings or ()
                if view.included:
                    found = decisions.of(where.configuration, "apt-get", settings, view.include)
                else:
                    found = decisions_of(where.configuration, "apt-get", settings)
                self._places = found.places
                if found.architectures:
                    self._archs = list(dict.fromkeys((self._arch, *found.architectures)))
        return where

    def _preferring(self, where: Named) -> Named:
        """The suite with what the stage prefers."""
        files = self._state.preferences(self._places)
        if any(content.at >= 0 for content in files.values()) or len(files) != len(where.preferences):
            texts = []
            for path, content in files.items():
                if content.known is None:
                    raise _ProblemError(f"{self._views.says(content, path)}, {UNREAD}")
                texts.append((path, content.known))
            try:
                where = prefers(where, tuple(texts))
            except InputError as error:
                at = max((content for content in files.values()), key=lambda each: each.at, default=Content())
                raise _ProblemError(f"{self._views.line(at)}: {error.message}, {UNREAD}") from None
        return where

    def _setting(self, path: str, content: Content) -> str:
        """The text of a file of apt.conf(5), where what is not certain of it decides nothing."""
        found: dict[Decisions, str] = {}
        for each in (content, *content.others):
            text = each.text
            if text is None or (UNKNOWN in text and _DECIDES.search(text)):
                raise _ProblemError(f"{self._views.says(content, path)}, {UNREAD}")
            try:
                made = decisions.of(((path, text),))
            except InputError as error:
                raise _ProblemError(
                    f"{self._views.line(content)}: {path}: {error.message}, {UNREAD}"
                ) from None
            found.setdefault(made._replace(recommends=True, suggests=False, said=()), text)
        if len(found) > 1:
            raise _ProblemError(f"{self._views.says(content, path)}, under a condition, {UNREAD}")
        return next(iter(found.values()))


class _ProblemError(Exception):
    """Nothing is known behind this; with `error` it is apt that complains."""

    def __init__(self, message: str, *, error: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.error = error


def _entries(path: str, text: str | None) -> tuple[SourceEntry, ...]:
    try:
        return sources_list.read(path if path.endswith(".sources") else "x.list", text or "")
    except InputError:
        return ()


def _is_fetched(path: str, content: Content, fetched: set[object] | None) -> bool:
    """Whether an update has fetched anything of a sources file of the base image."""
    return (
        fetched is None
        or content in fetched
        or any(
            (entry.uri, entry.suite, name) in fetched
            for entry in _entries(path, content.text)
            for name in entry.components or ("",)
        )
    )


def signers(state: State, signed_by: str) -> tuple[KeyOrigin, ...]:
    """Where the keys come from that apt accepts for a source with this Signed-By (sources.list(5))."""
    paths: Iterable[str] = (signed_by,) if signed_by else _trusted(state)
    found: dict[KeyOrigin, None] = {}
    for path in paths:
        content = state.read(path) if path.startswith("/") else None
        if content is None or content.others or (signed_by and not content.origins):
            continue
        found.update(
            dict.fromkeys(each for each in content.origins if UNKNOWN not in f"{each.url}{each.context}")
        )
    return tuple(found)


def _trusted(state: State) -> Iterator[str]:
    yield _TRUSTED
    for name in state.names(f"{_TRUSTED}.d"):
        yield f"{_TRUSTED}.d/{name}"
