"""find: which files of a stage its expression picks, and what it does to them (POSIX find, GNU find's tests)."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from posixpath import basename

from pinner.shell.content import UNKNOWN, Content, Value
from pinner.shell.outcomes import Invocation, ProgramResult
from pinner.shell.process import APT_FILES
from pinner.values import NamedTuple

#: What says nothing of a single file.
_IDLE = {"-depth", "-mount", "-xdev", "-follow"}
#: Tests whose answer is not known: with a value, and without one.
_OPEN = {
    "-anewer",
    "-atime",
    "-cmin",
    "-ctime",
    "-gid",
    "-group",
    "-iregex",
    "-links",
    "-mmin",
    "-mtime",
    "-newer",
}
_OPEN |= {"-ipath", "-perm", "-regex", "-regextype", "-samefile", "-size", "-uid", "-user"}
_OPEN_ALONE = {"-empty", "-executable", "-nogroup", "-nouser", "-prune", "-readable", "-writable"}
_HARMLESS = {"chmod", "chown", "chgrp", "touch", "cat", "ls", "grep", "stat", "echo", "file", "du"}


class _Unfollowed(Exception):
    """The expression has a part that is not known."""


class _Found(NamedTuple):
    """A file: its path, the path that find prints, and how deep it lies below the folder that was named."""

    path: str
    shown: str
    depth: int


#: Whether something is true of a file; None where that is not known.
_Test = Callable[[_Found], bool | None]


class _Expression:
    """The expression of one call, as a test that acts. Raises `_Unfollowed` when it is made."""

    def __init__(self, call: Invocation, words: list[str]) -> None:
        self._call, self._words = call, words
        self._depths = [0, 1_000]
        self._acts = self._maybe = False
        #: What it prints; whether it has run a command, whether it may for folders, which are not looked at.
        self.printed: list[str] = []
        self.ran, self.folders = False, True
        self._test = self._either() if words else lambda found: True
        if self._words:
            raise _Unfollowed

    def see(self, found: _Found) -> None:
        """Look at a file, and do what is to be done to it."""
        self._maybe = False
        least, most = self._depths
        if least <= found.depth <= most:
            result = self._test(found)
            if not self._acts and result is not False:
                self.printed.append(found.shown if result else UNKNOWN)

    def _either(self) -> _Test:
        tests = [self._every()]
        while self._words and self._words[0] in ("-o", "-or"):
            self._words.pop(0)
            tests.append(self._every())

        def test(found: _Found) -> bool | None:
            begun = self._maybe
            result: bool | None = False
            for each in tests:
                one = each(found)
                if one:
                    self._maybe = begun
                    return None if result is None else True
                if one is None:
                    self._maybe, result = True, None
            self._maybe = begun
            return result

        return test

    def _every(self) -> _Test:
        tests = [self._one()]
        while self._words and self._words[0] not in ("-o", "-or", ")"):
            if self._words[0] in ("-a", "-and"):
                self._words.pop(0)
            tests.append(self._one())

        def test(found: _Found) -> bool | None:
            begun = self._maybe
            result: bool | None = True
            for each in tests:
                one = each(found)
                if one is False:
                    result = False
                    break
                if one is None:
                    self._maybe, result = True, None
            self._maybe = begun
            return result

        return test

    def _one(self) -> _Test:
        word = self._next()
        if word in ("!", "-not"):
            test = self._one()
            return lambda found: None if (one := test(found)) is None else not one
        if word == "(":
            test = self._either()
            if self._next() != ")":
                raise _Unfollowed
            return test
        if word in _OPEN or word in _OPEN_ALONE:
            if word in _OPEN:
                self._next()
            return lambda found: None
        if word in ("-name", "-iname", "-path", "-wholename"):
            pattern = self._next()
            if word == "-iname":
                return lambda found: fnmatchcase(basename(found.path).lower(), pattern.lower())
            if word == "-name":
                return lambda found: fnmatchcase(basename(found.path), pattern)
            return lambda found: fnmatchcase(found.shown, pattern)
        if word == "-type":
            files = self._next() == "f"
            self.folders = self.folders and not files
            return lambda found: files
        if word in ("-mindepth", "-maxdepth"):
            depth = self._next()
            if not depth.isdecimal():
                raise _Unfollowed
            self._depths[word == "-maxdepth"] = int(depth)
        elif word not in _IDLE:
            return self._action(word)
        return lambda found: True

    def _action(self, word: str) -> _Test:
        self._acts = True
        shell = self._call.shell
        if word in ("-print", "-print0"):

            def shows(found: _Found) -> bool:
                self.printed.append(UNKNOWN if self._maybe else found.shown)
                return True

            return shows
        if word == "-delete":

            def removes(found: _Found) -> bool:
                if not self._maybe:
                    shell.state.remove(found.path)
                    shell.changed(found.path)
                elif found.path.startswith("/etc/apt/"):
                    shell.unknown("find", live=False)
                return True

            return removes
        if word not in ("-exec", "-execdir"):
            raise _Unfollowed
        command: list[str] = []
        while (part := self._next()) not in (";", "+"):
            command.append(part)

        def runs(found: _Found) -> bool | None:
            self.ran = True
            words = [each.replace("{}", found.path) for each in command]
            if not self._maybe:
                shell.execute([Value(each) for each in words])
            elif (
                words[:1]
                and words[0] not in _HARMLESS
                and any(each.startswith("/etc/apt/") for each in words)
            ):
                shell.unknown("find", live=False)
            return True if part == "+" else None

        return runs

    def _next(self) -> str:
        if not self._words:
            raise _Unfollowed
        return self._words.pop(0)


def _find(call: Invocation) -> ProgramResult:
    words = [word for word in call.words if word not in ("-L", "-P", "-H")]
    at = next((number for number, word in enumerate(words) if word.startswith(("-", "(", "!"))), len(words))
    shell, state = call.shell, call.shell.state
    places = [
        ("" if "*" in folder else folder.rstrip("/"), path.rstrip("/"))
        for folder in words[:at] or ["."]
        for path in state.glob(state.path(folder))
    ]
    found = [
        _Found(path, (shown or start) + path[len(start) :], path[len(start) :].count("/"))
        for shown, start in places
        for path in state.below(start or "/")
    ]
    try:
        expression = _Expression(call, words[at:])
    except _Unfollowed:
        if any(path.startswith("/etc/apt/") for path in (*(each.path for each in found), *words[at:])):
            shell.unknown("find", live=False)
        return ProgramResult("done", Content(UNKNOWN))
    for each in found:
        expression.see(each)
    if UNKNOWN in expression.printed and any(start.startswith("/etc") for _, start in places):
        shell.unknown("find", live=False)  # what is made of its output may change apt's files
    runs_for_folders = expression.folders and not expression.ran and "-exec" in " ".join(words)
    if runs_for_folders and any(APT_FILES.search(word) for word in words[at:]):
        shell.unknown("find", live=False)
    return ProgramResult("done", Content("".join(f"{path}\n" for path in expression.printed)))


ROWS = {"find": _find}
