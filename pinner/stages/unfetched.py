"""Install commands that find no package, since nothing has fetched the package lists: apt-get(8), "update"."""

from __future__ import annotations

from collections.abc import Iterator

from pinner.distributions import images
from pinner.recipe.dockerfile import UNREAD, Stage
from pinner.regex import later
from pinner.stages.choice import Choice
from pinner.stages.image_names import split as split_reference
from pinner.stages.install_commands import File, InstallCommand

_REMOVED = later(r"\brm\s[^;&|\n]*\s/?var/lib/apt/lists/?\*?(?=[\s;&|\"']|$)")
_FROM = later(r"(?im)^\s*FROM\s")
_FETCHES = later(r"update|\s-U\b")
_BETWEEN = later(r"\\\n|[;&|\n(){}]+")
_ASSIGNED = later(r"\s*(?:sudo\s|[A-Za-z_]\w*=(?:\"[^\"]*\"|'[^']*'|\S*)(?:\s|$))*\s*(\S*)(.*)")
#: What neither runs apt-get nor puts files into its lists.
_HARMLESS = later(
    r"(?:set|export|echo|printf|mkdir|rm|touch|ln|chmod|chown|cd|true|:|groupadd|useradd|adduser|addgroup|usermod"
    r"|pip3?|npm|locale-gen|apt-get|apt|apt-mark|dpkg-reconfigure|install)"
)
NO_LISTS = Choice(
    "unsolved",
    reason="no-lists",
    detail="there are no package lists, since no apt-get update has run before it: apt finds no package",
    hint="put `apt-get update &&` before it",
)


def unfetched(file: File) -> Iterator[InstallCommand]:
    """The first install command of each stage of a Dockerfile for which there are no package lists for sure, and that
    asks for what is not there yet."""
    calls: dict[int, list[InstallCommand]] = {}
    for call in file.calls():
        if call.install.command.startswith("apt") and _is_read(call):
            calls.setdefault(call.install.stage, []).append(call)
    if not calls or not _FROM.search(file.dockerfile.text):  # of other files' jobs there is more to know
        return
    bare: dict[int | None, bool] = {}
    for stage in file.dockerfile.stages:
        row = images.row(split_reference(stage.base)[0]) if stage.parent is None else None
        begun = row is not None and row.plain
        found = _Stage(file.dockerfile.text, stage, bare.get(stage.parent, begun))
        reported = False
        for call in calls.get(stage.index, ()):
            found.go_on(call.install.span.start)
            fetches = _FETCHES.search(call.install.span.of(file.dockerfile.text))
            if found.bare and not reported and not fetches and _asks(call):
                reported = True
                yield call
        found.go_on(len(file.dockerfile.text))
        bare[stage.index] = found.bare


class _Stage:
    """A stage that is followed in order; `bare` tells that there are no package lists."""

    def __init__(self, text: str, stage: Stage, bare: bool) -> None:
        self.bare = bare
        self._text, self._at = text, 0
        self._ahead = [
            each for each in reversed(stage.instructions) if each.keyword in ("RUN", "COPY", "ADD", UNREAD)
        ]

    def go_on(self, end: int) -> None:
        """Follow what stands before an offset."""
        while self._ahead and self._ahead[-1].span.start < end:
            each = self._ahead[-1]
            if each.keyword != "RUN":
                done = "?" if any("from" in flag for flag in each.flags) else ""
            elif each.argv or each.heredocs or any("mount" in flag for flag in each.flags):
                done = "?"
            else:
                done = self._text[max(each.body.start, self._at) : min(each.span.end, end)]
            removed = [*_REMOVED.finditer(done)]
            rest = done[removed[-1].end() :] if removed else done
            self.bare = (self.bare or bool(removed)) and all(map(_is_harmless, _BETWEEN.split(rest)))
            if each.span.end > end:
                break
            self._ahead.pop()
        self._at = end


def _is_read(call: InstallCommand) -> bool:
    contents = call.base.contents.values()
    return bool(contents) and all(each.read and each.root.told for each in contents)


def _asks(call: InstallCommand) -> bool:
    """Whether a command asks for a package that its base image does not hold."""
    held = {name for each in call.base.contents.values() for name in each.root.versions()}
    return any(each.action != "skip" and each.name not in held for each in call.requests)


def _is_harmless(command: str) -> bool:
    found = _ASSIGNED.match(command.partition("#")[0])
    assert found is not None
    program, rest = found.groups()
    return not program or bool(_HARMLESS.fullmatch(program) and not _FETCHES.search(rest))
