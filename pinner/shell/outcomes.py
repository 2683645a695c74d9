"""What a walk through shell texts gathers, and what a program is given and gives back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from pinner.apt.command_line import Setting
from pinner.apt.packages import PackageFile
from pinner.shell.content import LONGEST, UNKNOWN, BuildContext, Content, Value
from pinner.shell.state import State
from pinner.shell.syntax import Script
from pinner.shell.trace import Trace, combined
from pinner.values import NamedTuple

if TYPE_CHECKING:
    from pinner.shell.process import Process

#: Whether a statement succeeded: for certain, for certain not, or undecided; `done` is what a build assumes.
ProgramStatus = Literal["yes", "no", "done", "maybe"]


class SeenInstall(NamedTuple):
    """An `apt-get install` where it was met: in the Dockerfile (`file` is "") or a file of its build context.

    It stands from `start` to `end` in the file. `lists` are the files of the context that `words` of it come from; one
    of them `ends` in a carriage return, `settings` are its options'. A whole script or instruction stands for what is
    not met in it (without `settings`); `unclear` tells that it changes something.
    """

    file: str
    start: int
    end: int
    state: State
    lists: tuple[str, ...] = ()
    ends: bool = False
    unclear: bool = False
    settings: tuple[Setting, ...] | None = None
    words: tuple[str, ...] = ()


class AptCommand(NamedTuple):
    """A command that may change what is installed, or how it is marked: `program` and its `words`, where and with what
    state it was `seen`; `at` is the offset in the Dockerfile. `maybe` tells that a test which is not decided stands
    before it. `files` are its words that name files of the build context, with what these say if they are packages.
    Words that are the output of `apt-mark showmanual` are `marks_at(number)` of that command.
    """

    program: str
    words: tuple[str, ...]
    seen: SeenInstall
    maybe: bool
    number: int
    at: int
    files: tuple[tuple[str, PackageFile | None], ...] = ()


def marks_at(number: int) -> str:
    """Stands for the names that were marked as manually installed when a command was run."""
    return f"{UNKNOWN}manual:{number}{UNKNOWN}"


class Walk:
    """What one walk through a file knows of the world, and gathers.

    `arch` is Debian's name of the platform's architecture; `asked` tells that it mattered. `at` is the offset in the
    Dockerfile of the present command, `changes` are those of apt's sources and preferences, `ran` the programs of the
    context that ran an install command, with the command if they add what they are given to it, as functions of sourced
    files do. `commands` are those that may change what is installed, `undecided` counts the tests that the present one
    depends on, `archives` are the files of those that commands have packed, by a name of their own. With a `trace` the
    walk is there to tell where words come from, and `reach` is where the names of the present instruction's variables
    may mean these. `adding` are calls that add what they are given to a command of apt's, `others` the names of those
    that do not; `answered` tells of a command, by its place, whether all that it is given is named where its file is
    called.
    """

    def __init__(self, arch: str, context: BuildContext | None, trace: Trace | None) -> None:
        self.arch, self.context, self.trace = arch, context, trace
        self.seen: list[SeenInstall] = []
        self.changes: list[tuple[int, str]] = []
        self.ran: dict[str, str] = {}
        self.commands: list[AptCommand] = []
        self.asked = False
        self.steps = self.counted = self.undecided = self.at = self.doubts = 0
        self.known: dict[tuple[str, int, str], Script | None] = {}
        self.archives: dict[str, Mapping[str, str | None]] = {}
        self.reach = (0, 0)
        self.adding: set[tuple[str, int, int]] = set()
        self.passed: list[tuple[int, int]] = []
        self.doubtful: set[str] = set()
        self.others: set[str] = set()
        self.answered: dict[tuple[str, int, int], bool] = {}

    @property
    def wrappers(self) -> dict[str, str]:
        """Those of `ran` whose names no other files bear."""
        return {name: own for name, own in self.ran.items() if not own or name not in self.others}


class Invocation(NamedTuple):
    """A program that is run: its `name` and arguments, what it reads, and the shell that runs it."""

    shell: Process
    name: str
    args: tuple[Value, ...]
    input: Content | None

    @property
    def words(self) -> list[str]:
        """The arguments as texts."""
        return [each.text for each in self.args]


class SourcedCall(NamedTuple):
    """A call of a script, or of a function that another file defines: where it stands, and what it is given.

    `once` tells that what it calls hands that on in one place, and does nothing else with it; `outer` is the call
    that the text with this one is run by.
    """

    place: tuple[str, int, int]
    name: str
    given: tuple[Value, ...]
    once: bool
    outer: SourcedCall | None


class ProgramResult(NamedTuple):
    """How a program ended, and what it printed (None: nothing that is known)."""

    status: ProgramStatus = "done"
    output: Content | None = Content("")


class Leave(Exception):
    """`exit`, `return`, `break`: what stands behind is not done."""

    def __init__(self, what: str, status: ProgramStatus) -> None:
        super().__init__()
        self.what = what
        self.status = status


def lists_of(content: Content | None) -> tuple[str, ...]:
    """The files of the build context that a content comes from."""
    if content is None:
        return ()
    return content.lists or ((content.file,) if content.file else ())


def value_of(content: Content | None) -> Value:
    """The text of an output."""
    if content is None:
        return Value(UNKNOWN)
    urls = tuple(each.url for each in content.origins if each.url) if content.text is None else ()
    lists = lists_of(content) or urls
    return Value(UNKNOWN if content.text is None or content.others else content.text, lists, content.ways)


def joined(parts: Sequence[Content]) -> Content:
    """What several outputs make one behind the other."""
    parts = [each for each in parts if each.text != "" or each.lists or each.file]
    if len(parts) == 1:
        return parts[0]
    if any(each.text is None or each.others for each in parts):
        origins = tuple(dict.fromkeys(origin for each in parts for origin in each.origins))
        return Content(origins=origins if all(each.origins for each in parts) else ())
    lists = tuple(dict.fromkeys(name for each in parts for name in lists_of(each)))
    if sum(len(each.text or "") for each in parts) > LONGEST:
        return Content(lists=lists)
    ways = combined(each.ways for each in parts) if all(each.ways for each in parts) else ()
    return Content("".join(each.text or "" for each in parts), lists=lists, ways=ways)
