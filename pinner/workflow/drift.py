"""Where files and the lock differ: one was edited and the other was not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from pinner.edit.span import Span
from pinner.lock.schema import INSTALLING, Lock, Target
from pinner.stages.archives import Archives
from pinner.stages.choice import Choice
from pinner.stages.image_names import Named
from pinner.stages.install_commands import File, InstallCommand
from pinner.values import NamedTuple
from pinner.workflow.rows import is_lockable, line

DriftKind = Literal["edited", "removed", "added", "unlocked", "file-gone", "stage-gone", "suite", "conflict"]


class Drift(NamedTuple):
    """One difference. `span` is None where no place in the file shows it.

    `edited`: a word asks for another version than was locked. `removed`: a locked word is not there any more. `added`:
    a word is there that was not locked. `unlocked`: the lock does not know the file, stage or platform. `file-gone`,
    `stage-gone`: the lock knows one that is not there. `suite`: the stage has another suite now. `conflict`: the
    lock's own lines about the stage do not fit together, `locked` says why.
    """

    kind: DriftKind
    path: str
    span: Span | None
    name: str
    locked: str
    found: str
    platforms: tuple[str, ...]


def of_absent(lock: Lock, absent: Iterable[str]) -> Iterator[Drift]:
    """The lock's entries of files that do not exist."""
    for path in sorted(lock.files() & frozenset(absent)):
        platforms = tuple(dict.fromkeys(target.platform for target in lock.of(path)))
        yield Drift("file-gone", path, None, path, path, "", platforms)


def of_file(file: File, lock: Lock, archives: Archives) -> tuple[Drift, ...]:
    """The differences between a file and the targets that the lock has for it, those of several platforms as one.

    A stage of which no suite is known is passed over: nothing can be said of it.
    """
    found: dict[tuple[object, ...], Drift] = {}
    for drift in _of_file(file, lock, archives):
        key = drift[:-1]
        platforms = found[key].platforms if key in found else ()
        found[key] = drift._replace(platforms=(*platforms, *drift.platforms))
    return tuple(found.values())


def _of_file(file: File, lock: Lock, archives: Archives) -> Iterator[Drift]:
    stages: dict[tuple[int, str], list[InstallCommand]] = {}
    unknown: set[str] = set()
    for platform in file.platforms:
        for call in file.commands(platform):
            if not call.changes:
                continue
            if archives.named(call.base.where) is None:
                unknown.add(file.stage_name(call.install.stage))
            else:
                stages.setdefault((call.install.stage, platform), []).append(call)
    locked = {target.key: target for target in lock.of(file.path)}
    if not locked:
        asking = [call for calls in stages.values() for call in calls if is_lockable(call)]
        if asking:
            platforms = tuple(dict.fromkeys(name for call in asking for name in call.base.platforms))
            yield Drift("unlocked", file.path, asking[0].install.span, file.path, "", file.path, platforms)
        return
    for (stage, platform), calls in stages.items():
        name = file.stage_name(stage)
        target = locked.pop((file.path, name, platform), None)
        if target is not None:
            where = archives.named(calls[0].base.where)
            assert where is not None
            yield from _of_target(file, calls, target, where)
        elif any(map(is_lockable, calls)):
            yield Drift("unlocked", file.path, calls[0].install.span, name, "", name, (platform,))
    for path, name, platform in locked:
        if name not in unknown:
            yield Drift("stage-gone", path, None, name, name, "", (platform,))


def _of_target(file: File, calls: list[InstallCommand], target: Target, where: Named) -> Iterator[Drift]:
    platforms = (target.platform,)
    if target.conflict:
        span = calls[0].install.span
        yield Drift("conflict", file.path, span, target.stage, target.conflict, "", platforms)
        return
    codename = where.suite.codename
    if target.closure.suite != codename:
        span = calls[0].install.span
        yield Drift("suite", file.path, span, target.stage, target.closure.suite, codename, platforms)
    now = [(call, line(call, dict.fromkeys(call.requests, Choice("kept")))) for call in calls]
    if tuple(text for _, text in now) == target.closure.commands:
        return
    installing = (text for text in target.closure.commands if text.startswith(INSTALLING))
    locked = {_name(word): word for text in installing for word in _words(text)}
    words = [(call, each.word) for call, _ in now for each in call.requests]
    spelled = [(each.raw if each.value is None else each.value, call, each.span) for call, each in words]
    found = {
        _name(word): (word, call.install.span if call.script else span)
        for word, call, span in spelled
        if not word.startswith("-")
    }
    differs = False
    for name, (word, span) in found.items():
        before = locked.pop(name, None)
        if before != word:
            differs = True
            kind: DriftKind = "added" if before is None else "edited"
            yield Drift(kind, file.path, span, name, before or "", word, platforms)
    for name, word in locked.items():
        differs = True
        yield Drift("removed", file.path, calls[0].install.span, name, word, "", platforms)
    if not differs:
        before, after = "; ".join(target.closure.commands), "; ".join(text for _, text in now)
        yield Drift("edited", file.path, calls[0].install.span, "the call", before, after, platforms)


def _words(call: str) -> Iterator[str]:
    """The package words of a call as the lock has it; apt's own words and options are left out."""
    words = iter(call.split(" ")[2:])
    for word in words:
        if word == "-t":
            next(words, None)
        elif not word.startswith("-"):
            yield word


def _name(word: str) -> str:
    return word.partition("=")[0]
