"""What holds at a place in a stage, as far as its text tells: variables, files, what `apt-get update` has fetched.

Files come in layers: those of the base image, what COPY, ADD and mounts bring in, what commands write. What is not
known of a text is marked in it by a character that no file holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import product
from math import prod
from posixpath import join, normpath

from pinner.apt import decisions
from pinner.apt.command_line import Setting
from pinner.apt.conf import truth
from pinner.apt.decisions import Places
from pinner.errors import InputError
from pinner.shell.content import GONE, LONGEST, UNKNOWN, Content, FileTree, Value
from pinner.shell.trace import is_traced, united
from pinner.values import NamedTuple

#: How many different contents of a file are followed where conditions decide between them.
_MOST_OTHERS = 8
#: How many symbolic links are followed for one path (as Linux does, path_resolution(7)).
_MOST_LINKS = 40
#: What a path begins with that leads over a link which a condition decides about.
UNDECIDED = f"/{UNKNOWN}->"
USUAL = Places()
_ARCHITECTURES = "/var/lib/dpkg/arch"
_PAST_TIME = {
    f"acquire::{key}" for key in ("check-valid-until", "check-date", "min-validtime", "max-validtime")
}


class Overlay(NamedTuple):
    """At and below `target` the files of a tree at `source`; without a tree there are none any more."""

    target: str
    tree: FileTree | None
    source: str
    at: int

    def inner(self, path: str) -> str | None:
        """What a path is called in the tree, None if it is not below the target."""
        if not path.startswith(self.target):
            return None
        if path == self.target:
            return self.source
        below = self.target.rstrip("/") + "/"
        return join(self.source, path[len(below) :]) if path.startswith(below) else None


def added(text: str) -> tuple[str, ...]:
    """The architectures that were added to dpkg, by its own list, which begins with the native one (dpkg(1))."""
    return tuple(text.split()[1:])


class State:
    """What holds at a place. `copy` before a branch, `merge` behind it."""

    def __init__(self, base: Mapping[str, Content]) -> None:
        """`base` are the files of the base image that matter."""
        self.base = base
        self.variables: dict[str, Value | tuple[Value, ...]] = {}
        self.exported: frozenset[str] = frozenset()
        self.files: dict[str, Content] = {}
        self.layers: tuple[Overlay, ...] = ()
        self.cwd = "/"
        #: The sources files that each `apt-get update` may have read last; None: it was before all that is seen here.
        self.fetched: tuple[Mapping[str, Content], ...] | None = None
        #: What the options of the last update said of Releases past their time.
        self.past_time: tuple[Setting, ...] = ()
        self.architectures = added(base[_ARCHITECTURES].known or "") if _ARCHITECTURES in base else ()
        self.dead = False
        self._linked = False
        #: The folders that were made and not removed again.
        self._folders: frozenset[str] = frozenset()

    def copy(self) -> State:
        """Another state that is the same until one of them changes."""
        other = State.__new__(State)
        other.__dict__.update(self.__dict__)
        other.variables = dict(self.variables)
        other.files = dict(self.files)
        return other

    def take(self, other: State) -> None:
        """Become the same as another state."""
        self.__dict__.update(other.copy().__dict__)

    def differs(self, other: State) -> bool:
        """Whether another state has other files of apt's, or has fetched other sources."""
        return self.layers != other.layers or any(
            one.get(path) != two.get(path)
            for one, two in ((self.files, other.files), (other.files, self.files))
            for path in one
            if path.startswith(("/etc/apt", "?"))
        )

    def path(self, name: str) -> str:
        """A path from the root, in which no folder is a symbolic link."""
        if name.startswith("~/") or name == "~":
            home = self.variables.get("HOME")
            name = (home.text if isinstance(home, Value) else "/root") + name[1:]
        path = "/" + normpath(join(self.cwd, name)).lstrip("/")
        if not self._linked or path == "/":
            return path
        folder, _, last = path.rpartition("/")
        return join(self.real(folder or "/"), last)

    def link(self, path: str, target: str, content: Content) -> None:
        """Put a symbolic link to a path in the place of what is at another; `content` says what made it."""
        self.remove(path)
        self.files[path] = content._replace(text=None, link=target)
        self._linked = True

    def real(self, path: str) -> str:
        """Where a path leads, symbolic links followed; below `UNDECIDED` where a condition decides about one."""
        if not self._linked:
            return path
        for _ in range(_MOST_LINKS):
            ends = [*(at for at, char in enumerate(path) if char == "/" and at), len(path)]
            at = next((at for at in ends if self.files.get(path[:at], GONE).link), 0)
            if not at:
                return path
            content = self.files[path[:at]]
            if content.others:
                return f"{UNDECIDED}{path}"
            path = normpath(content.link + path[at:])
        return path

    def read(self, path: str) -> Content | None:
        """What a file holds, None if there is none that is seen."""
        path = self.real(path)
        if path.startswith(UNDECIDED):
            return Content()
        found = self.files.get(path)
        if found is not None:
            return None if found.gone and not found.others else found
        for layer in reversed(self.layers):
            inner = layer.inner(path)
            if inner is not None:
                if layer.tree is None:
                    return None
                there = layer.tree.read(inner)
                if there is not None:
                    return there._replace(at=layer.at) if there.at < 0 or layer.at >= 0 else there
        return self.base.get(path)

    def seen_in(self, folders: Iterable[str], name: str) -> Iterator[str]:
        """The paths of a name in folders where a file may be seen."""
        layered = any(
            folder.startswith(each.target) or each.target.startswith(folder)
            for each in self.layers
            for folder in folders
        )
        for folder in folders:
            path = f"{folder}/{name}"
            if layered or path in self.files or path in self.base:
                yield path

    def write(self, path: str, content: Content) -> None:
        """Put a file in its place."""
        path, text = self.real(path), content.text
        self.files[path] = content if text is None or len(text) <= LONGEST else content._replace(text=None)

    def append(self, path: str, content: Content) -> None:
        """Add to the end of a file."""
        path = self.real(path)
        before = self.read(path)
        if before is None or (before.text == "" and not before.others):
            self.files[path] = content
        elif (
            before.text is not None and content.text is not None and not before.others and not content.others
        ):
            lists = tuple(dict.fromkeys((*before.lists, *content.lists)))
            self.write(path, content._replace(text=before.text + content.text, lists=lists))
        elif before.origins and content.origins and not before.others:
            origins = tuple(dict.fromkeys((*before.origins, *content.origins)))
            self.files[path] = content._replace(text=None, origins=origins)
        else:
            self.files[path] = Content(at=content.at, by=content.by)

    def remove(self, path: str) -> None:
        """Take a file or a folder away."""
        if self._folders:
            self._folders = frozenset(each for each in self._folders if not f"{each}/".startswith(f"{path}/"))
        self.cover(Overlay(path, None, "", -1))
        self.files[path] = GONE

    def make(self, path: str) -> None:
        """Make a folder, and those above it."""
        path = self.real(path)
        while path != "/":
            self._folders |= {path}
            if self.files.get(path) == GONE:
                del self.files[path]
            path = path.rpartition("/")[0] or "/"

    def cover(self, layer: Overlay) -> None:
        """Lay a tree over what is there."""
        if layer.tree is not None:
            layer = layer._replace(target=self.real(layer.target))
        for path in list(self.files):
            inner = layer.inner(path)
            if inner is not None and (layer.tree is None or layer.tree.read(inner) is not None):
                del self.files[path]
        self.layers = (*self.layers, layer)

    def names(self, path: str) -> Iterable[str]:
        """The names of the files and folders in a folder, in order."""
        path = self.real(path)
        below = path.rstrip("/") + "/"
        size = len(below)
        found = {other[size:].partition("/")[0] for other in self.base if other.startswith(below)}
        for layer in self.layers:
            inner = layer.inner(path)
            if layer.tree is None and (inner is not None or layer.target.startswith(below)):
                if inner is not None:
                    found.clear()
                else:
                    found.discard(layer.target[size:])
            elif layer.tree is not None and inner is not None:
                found.update(layer.tree.names(inner))
            elif layer.tree is not None and layer.target.startswith(below):
                found.add(layer.target[size:].partition("/")[0])
        gone = set()
        for other, content in self.files.items():
            if other.startswith(below):
                if content.gone and not content.others:
                    gone.add(other[size:])
                else:
                    found.add(other[size:].partition("/")[0])
        return sorted(found - gone)

    def is_dir(self, path: str) -> bool:
        """Whether a folder is seen at a path."""
        path = self.real(path)
        below = path.rstrip("/") + "/"
        if path == "/" or path in self._folders or any(other.startswith(below) for other in self.files):
            return True
        for layer in reversed(self.layers):
            inner = layer.inner(path)
            if inner is not None:
                if layer.tree is None:
                    return False
                if layer.tree.is_dir(inner):
                    return True
            elif layer.tree is not None and layer.target.startswith(below):
                return True
        return any(other.startswith(below) for other in self.base)

    def glob(self, pattern: str) -> list[str]:
        """The paths that a pattern matches, in order; without one of these, itself."""
        if not any(char in pattern for char in "*?["):
            return [pattern]
        found = ["/"]
        for part in pattern.strip("/").split("/"):
            if any(char in part for char in "*?["):
                found = [
                    join(folder, name)
                    for folder in found
                    for name in self.names(folder)
                    if fnmatchcase(name, part) and name.startswith(".") == part.startswith(".")
                ]
            else:
                found = [join(folder, part) for folder in found]
        return [path for path in found if self.read(path) is not None or self.is_dir(path)] or [pattern]

    def below(self, path: str) -> Iterator[str]:
        """The files at a path and below; links to folders are not followed."""
        if self.read(path) is not None:
            yield path
        elif not self.files.get(path, GONE).link:
            for name in self.names(path):
                yield from self.below(join(path, name))

    def sources(self, places: Places = USUAL) -> dict[str, Content]:
        """The sources files by path, in apt's order, and the changes of unknown kind."""
        parts = self.names(places.sourceparts) if places.sourceparts else ()
        paths = [places.sourcelist, *(join(places.sourceparts, name) for name in parts)]
        found = {path: content for path in paths if (content := self.read(path)) is not None}
        if self.real(places.sourceparts).startswith(UNDECIDED):
            at = max(content.at for content in self.files.values() if content.link)
            found[f"?{places.sourceparts}"] = Content(at=at, by=places.sourceparts)
        return found | {path: content for path, content in self.files.items() if path.startswith("?")}

    def preferences(self, places: Places = USUAL) -> dict[str, Content]:
        """The files of preferences, by path, in apt's order."""
        parts = self.names(places.preferencesparts) if places.preferencesparts else ()
        paths = [places.preferences, *(join(places.preferencesparts, name) for name in parts)]
        return {
            path: content
            for path in paths
            if (path == places.preferences or _is_named(path, "pref"))
            and (content := self.read(path)) is not None
        }

    def configuration(self) -> dict[str, Content]:
        """The files of apt.conf(5), by path, in apt's order: that of APT_CONFIG is the first."""
        folder = "/etc/apt/apt.conf.d"
        paths = [f"{folder}/{name}" for name in self.names(folder) if _is_named(name, "conf")]
        paths.append("/etc/apt/apt.conf")
        found = {path: content for path in paths if (content := self.read(path)) is not None}
        named = self.variables.get("APT_CONFIG")
        if "APT_CONFIG" in self.exported and isinstance(named, Value) and named.text:
            return {named.text: self.read(self.path(named.text)) or Content(by="APT_CONFIG")} | found
        return found

    def places(self, options: Iterable[Setting] = ()) -> Places:
        """Where a command with these options finds sources and preferences, as far as that is known."""
        files = [(path, each.known) for path, each in self.configuration().items() if each.known]

        def include(path: str) -> Iterable[tuple[str, str]]:
            content = self.read(self.path(path))
            return [(path, content.known)] if content is not None and content.known is not None else ()

        try:
            return decisions.of(files, options=options, include=include).places
        except InputError:  # it is said where packages are installed
            return USUAL

    def update(self, settings: Sequence[Setting] = ()) -> None:
        """`apt-get update`, with the settings of its options: what the sources files name now is what apt offers.

        With other sources files (apt.conf(5), "Dir::Etc") only theirs are fetched, and what was there before is left to
        apt only if it is configured to clean nothing up.
        """
        sources = self.sources(self.places(settings))
        told = {each.key.lower(): each.value for each in settings if each.value is not None}
        if truth(told.get("apt::get::list-cleanup", "")) is False:
            begun = {path: content for path, content in self.sources().items() if content.at < 0}
            self.fetched = tuple({**before, **sources} for before in self.fetched or (begun,))
            return
        self.fetched = (sources,)
        self.past_time = tuple(each for each in settings if each.key.lower() in _PAST_TIME)

    def alternatives(self) -> list[State]:
        """The states that this one may be, where conditions decide what apt reads; none if these are too many."""
        ways: list[list[tuple[str, Content]]] = [
            [(path, each) for each in (content._replace(others=()), *content.others)]
            for path, content in self.files.items()
            if content.others and re.match(r"/etc/apt/(?:sources\.list|preferences|apt\.conf)", path)
        ]
        if prod(map(len, ways), start=len(self.fetched or (None,))) > _MOST_OTHERS:
            return []
        found = []
        for contents in product(*ways):
            for fetched in self.fetched or (None,):
                state = self.copy()
                state.fetched = None if fetched is None else (fetched,)
                state.files.update(contents)
                found.append(state)
        return found

    def merge(self, others: Iterable[State]) -> None:
        """Become what holds where one of several paths was taken: this state's and those of the others."""
        alive = [each for each in (self, *others) if not each.dead]
        if not alive:
            self.dead = True
            return
        first, *rest = alive
        if first is not self:
            self.take(first)
        for other in rest:
            self._merge(other)

    def _at(self, path: str) -> Content:
        """What is at a path: what a link to a file leads to, another link itself."""
        found = self.files.get(path)
        if found is not None and not found.link:
            return found
        return self.read(path) or found or GONE

    def _merge(self, other: State) -> None:
        if self.files is not other.files and self.files != other.files:
            for path in {*self.files, *other.files}:
                if path in self.files and self.files[path] is other.files.get(path):
                    continue
                own, there = self._at(path), other._at(path)
                if own != there and not (
                    own.link and own.link == there.link and not own.others + there.others
                ):
                    self.files[path] = _either(own, there)
        if self.variables != other.variables:
            for name in {*self.variables, *other.variables}:
                one, two = self.variables.get(name), other.variables.get(name)
                if one != two:
                    self.variables[name] = united((one, two)) if is_traced(one, two) else Value(UNKNOWN)
        self.exported |= other.exported
        if self.fetched != other.fetched:
            both = self.fetched is not None and other.fetched is not None
            every = (*(self.fetched or ()), *(other.fetched or ()))
            self.fetched = (
                tuple(each for at, each in enumerate(every) if each not in every[:at]) if both else None
            )
        if self.past_time != other.past_time:
            self.past_time = ()
        self.architectures = tuple(dict.fromkeys((*self.architectures, *other.architectures)))
        if other.layers != self.layers and len(other.layers) > len(self.layers):
            self.layers = other.layers
        self._folders |= other._folders
        self._linked |= other._linked
        if self.cwd != other.cwd:
            self.cwd = f"/{UNKNOWN}"


def _is_named(path: str, extension: str) -> bool:
    """Whether apt reads a file in a directory of its configuration (apt.conf(5), apt_preferences(5))."""
    name = path.rpartition("/")[2].replace(UNKNOWN, "x")
    return re.fullmatch(rf"[\w-]+(?:[\w.-]*\.{extension})?", name) is not None


def _either(one: Content, other: Content) -> Content:
    """A file that is the one or the other."""
    every = dict.fromkeys(each._replace(others=()) for each in (one, *one.others, other, *other.others))
    first, *others = sorted(every, key=lambda each: (each.gone, not each.link))
    if len(every) > _MOST_OTHERS:
        return Content(at=max(each.at for each in every), by=first.by)
    return first._replace(others=tuple(others))
