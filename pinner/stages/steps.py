"""What a stage does with apt and dpkg beside its install calls: remove, upgrade, mark; in the order in which it is
done. An install call that a decided test leaves out on a platform is not done there.

An install call is followed with the pins that its words get; other commands as the walk through the stage met them.
What stands in a script of the build context is there as well. Its install calls are those of the script's own targets,
too, by which they get their pins: here they count as they are written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from pinner.apt import command_line
from pinner.apt.command_line import Argument, Setting
from pinner.edit.span import Span
from pinner.errors import InputError
from pinner.recipe.dockerfile import Stage
from pinner.recipe.installs import Install
from pinner.regex import later
from pinner.shell.content import UNKNOWN
from pinner.shell.outcomes import AptCommand
from pinner.stages.image_names import Named, Unnamed
from pinner.stages.install_commands import File, InstallCommand, call_of
from pinner.stages.scripts import Scripts, is_given
from pinner.stages.suites import Options, StageBase, base_of
from pinner.values import NamedTuple

Verb = Literal[
    "install", "remove", "autoremove", "upgrade", "satisfy", "build-dep", "auto", "manual", "hold", "unhold", "note",
    "erase", "file", "other",
]  # fmt: skip

_VERBS: Mapping[str, Verb] = {
    **dict.fromkeys(("install", "reinstall"), "install"),
    **dict.fromkeys(("remove", "purge"), "remove"),
    **dict.fromkeys(("autoremove", "auto-remove", "autopurge"), "autoremove"),
    **dict.fromkeys(
        ("upgrade", "dist-upgrade", "full-upgrade", "safe-upgrade", "dselect-upgrade"), "upgrade"
    ),
    "satisfy": "satisfy",
    "build-dep": "build-dep",
    **dict.fromkeys(("auto", "markauto"), "auto"),
    **dict.fromkeys(("manual", "unmarkauto"), "manual"),
    "hold": "hold",
    "unhold": "unhold",
    "showmanual": "note",
    "--purge": "erase",
    "--install": "file",
}
# In the text of a stage without install calls that changes what is installed all the same.
_CHANGES = later(r"\b(?:remove|purge|auto-?remove|autopurge|upgrade|satisfy|build-dep)\b|\bdpkg\s+-")


_UNKNOWN = later(f"{UNKNOWN}(?:manual:\\d+{UNKNOWN})?")


class LockedCommand(NamedTuple):
    """A command: `text` is how the lock has it, `words` are its package arguments, with UNKNOWN for what is not known.

    `maybe` tells that a test which is not decided stands before it. `number` is that of `outcomes.marks_at`.
    """

    verb: Verb
    program: str
    subcommand: str
    words: tuple[str, ...]
    settings: tuple[Setting, ...]
    text: str
    maybe: bool = False
    number: int = 0


def option(settings: Iterable[Setting], key: str, default: bool = False) -> bool:
    """What the options of a command make of an item of apt.conf(5)."""
    said = [each.value for each in settings if each.key.lower() == key.lower()]
    return default if not said else command_line.truth(said[-1] or "") is not False


def value(settings: Iterable[Setting], key: str) -> str:
    """The value of an item by the options of a command, "" if they do not set it."""
    return next((each.value or "" for each in reversed([*settings]) if each.key.lower() == key.lower()), "")


def of(
    file: File, bases: Mapping[int, StageBase], options: Options
) -> Mapping[tuple[int, str], tuple[InstallCommand, ...]]:
    """The calls of each stage and platform in which other commands than install calls are, in order."""
    found: dict[tuple[int, str], tuple[InstallCommand, ...]] = {}
    scripts = Scripts(file, options)
    for stage in file.dockerfile.stages:
        calls = [call for call in file.calls() if call.install.stage == stage.index]
        base = calls[0].base if calls else bases.get(stage.index)
        if base is None and (
            any(_CHANGES.search(each.text.text) for each in stage.instructions)
            or (file.views and file.views.runs(stage))
        ):
            base = base_of(file.dockerfile, stage, options)
        if base is None or isinstance(base.where, Unnamed) or file.views is None:
            continue
        for platform in base.platforms:
            own = tuple(_ordered(file, stage, calls, base, platform, options, scripts))
            if len(own) < len(calls) or any(call.step or call.script or call.files for call in own):
                found[stage.index, platform] = own
    return found


def _ordered(
    file: File,
    stage: Stage,
    calls: list[InstallCommand],
    base: StageBase,
    platform: str,
    options: Options,
    scripts: Scripts,
) -> Iterator[InstallCommand]:
    assert file.views is not None
    waiting = [
        call
        for call in calls
        if platform in call.base.platforms
        and not file.views.passes(call.install.span.start, stage, base, platform)
    ]
    for command in file.views.commands(stage, base, platform):
        seen = command.seen
        here = (
            []
            if seen.file
            else [each for each in waiting if seen.start <= each.install.span.start < seen.end]
        )
        before = [each for each in waiting if not seen.file and each.install.span.start < seen.start]
        step = _step(command)
        if step is not None and step.verb == "install":
            before, here, step = [], here[:1], None
            if seen.file:
                here = [each for each in waiting[:1] if is_given(each, command, stage)]
                if not here:
                    yield from scripts.calls(command, stage, base)
        for each in (*before, *here):
            waiting.remove(each)
            yield each._replace(files=command.files) if command.files and each in here else each
        if step is not None:
            yield _call(file, command, step, stage, base, platform, options)
    yield from waiting


def _call(
    file: File,
    command: AptCommand,
    step: LockedCommand,
    stage: Stage,
    base: StageBase,
    platform: str,
    options: Options,
) -> InstallCommand:
    assert file.views is not None
    span = Span(command.at, command.at) if command.seen.file else Span(command.seen.start, command.seen.end)
    settings = step.settings
    install = Install(
        stage.index, span, f"{step.program} {step.subcommand}", (), (), None, None, "", settings
    )
    try:
        view = file.views.at(command, platform, stage, base)._replace(settings=settings)
        if step.verb == "build-dep" and isinstance(view.where, Named):
            found = file.views.source_packages(command, platform, base)
            view = view._replace(where=view.where._replace(source_packages=found))
    except InputError:
        view = None
    call = call_of(install, base, view, options, elsewhere=False)
    settings = call.install.settings
    # What the image's own files say decides each time, and is not shown.
    important = base.root(platform).suggests_important
    told = [each for each in settings if each in step.settings or not _is_usual(each, important)]
    step = step._replace(settings=settings, text=_text(step, told))
    return call._replace(step=step, files=command.files)


def _is_usual(setting: Setting, suggests_important: bool) -> bool:
    return setting.key == "APT::AutoRemove::SuggestsImportant" and (
        command_line.truth(setting.value or "") is suggests_important
    )


def _step(command: AptCommand) -> LockedCommand | None:
    """What a command does; None for one that changes nothing."""
    program, words = command.program, command.words
    settings: tuple[Setting, ...] = ()
    if program in ("apt-mark", "dpkg"):
        said = [word for word in words if program == "dpkg" or not word.startswith("-")]
        name, arguments = (said or [""])[0], tuple(said[1:])
    else:
        parsed = command_line.parse(program, [_argument(word) for word in words])
        name, settings = parsed.subcommand, parsed.settings
        arguments = tuple(words[at] for at in parsed.arguments)
    verb = _VERBS.get(name)
    if verb is None and (program == "apt-mark" or name == "download"):
        return None
    if program == "aptitude" and verb != "install":
        verb = "other"
    own = LockedCommand(
        verb or "other", program, name, arguments, settings, "", command.maybe, command.number
    )
    return own._replace(text=_text(own, settings))


def _text(step: LockedCommand, settings: Iterable[Setting]) -> str:
    """How the lock has a command, by what its options or also files say."""
    shown = [step.program, step.subcommand]
    if option(settings, "APT::Get::AutomaticRemove"):
        shown.append("--auto-remove")
    for key in ("Recommends", "Suggests"):
        if not option(settings, f"APT::AutoRemove::{key}Important", True):
            shown.append(f"-oAPT::AutoRemove::{key}Important=no")
    # A version decides about nothing where packages are removed; a variable that an install call shares may hold pins.
    plain = step.words
    if step.verb == "build-dep":
        shown += (
            f"--{part}-only" for part in ("arch", "indep") if option(settings, f"APT::Get::{part}-Only")
        )
        shown += (f"-P{each}" for each in (value(settings, "APT::Build-Profiles"),) if each)
    elif step.verb not in ("upgrade", "satisfy"):
        plain = tuple(word.partition("=")[0] for word in plain)
    shown += (_UNKNOWN.sub("…", word) for word in plain)
    shown += ["[if]"] if step.maybe else []
    return " ".join(shown)


def _argument(word: str) -> Argument:
    return Argument(word.partition(UNKNOWN)[0], UNKNOWN not in word)
