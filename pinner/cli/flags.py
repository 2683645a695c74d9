"""The options that several commands share, and the values that they become."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from pinner.archive import reach
from pinner.cli.say import ProgressLine, is_coloured, say, wait
from pinner.distributions.catalogue import PLATFORMS
from pinner.errors import PinnerError, printable
from pinner.project.policy import duration
from pinner.recipe.kinds import KINDS, TITLES
from pinner.report.formats import FORMATS
from pinner.report.terminal import Style
from pinner.session.access import Access
from pinner.session.run import Asked, Run
from pinner.values import NamedTuple

_F = TypeVar("_F", bound=Callable[..., Any])
#: Options, as the decorators that add them.
Group = Sequence[Callable[[Any], Any]]


class Duration(click.ParamType[timedelta]):
    """`90s`, `10m`, `2h`, `3d`."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """The duration; click reports what is not one."""
        if isinstance(value, timedelta):
            return value
        found = duration(str(value))
        if found is None:
            self.fail(f"{value!r} is not a duration like 90s, 10m, 2h or 3d", param, ctx)
        return found


def tells_kinds(command: click.Command) -> click.Command:
    """The command, with the kinds of files in the place of `{kinds}` in its help."""
    command.help = (command.help or "").replace("{kinds}", TITLES)
    return command


def options(*groups: Group) -> Callable[[_F], _F]:
    """The options of `groups`, in the order in which help lists them."""

    def decorate(function: _F) -> _F:
        for group in reversed(groups):
            for option in reversed(group):
                function = option(function)
        return function

    return decorate


ALL = "all"
PATHS: Group = [
    click.argument("paths", nargs=-1, metavar="[FILE|DIR|-]...", type=click.Path(allow_dash=True)),
    click.option(
        "--kind",
        "kinds",
        multiple=True,
        type=click.Choice((*KINDS, ALL)),
        help="Take files of this kind alone; repeatable. pinner lock remembers it; `all` ends that.",
    ),
]
STRICT: Group = [
    click.option(
        "--strict", is_flag=True, help="Exit 1 if any argument is left unpinned; see `# pinner: allow`."
    )
]
ARCHIVE: Group = [
    click.option("--offline", is_flag=True, help="Use only cached indices; say how old they are."),
    click.option(
        "--max-age",
        type=Duration(),
        default="10m",
        show_default=True,
        metavar="AGE",
        help="Ask the archive again when the last answer is older.",
    ),
]
OLDER: Group = [
    click.option(
        "--allow-older",
        is_flag=True,
        help="Believe a Release that is older than the one pinner.lock was made from, and go back to older versions.",
    )
]
DRY: Group = [
    click.option("--dry-run", is_flag=True, help="Show what would change as a diff; write nothing."),
    click.option("--check", is_flag=True, help="Write nothing; exit 1 if anything would change."),
]
QUIET: Group = [click.option("-q", "--quiet", is_flag=True, help="Print only what fails.")]
FILE = click.Path(dir_okay=False, path_type=Path)
JSON: Group = [click.option("--json", "as_json", is_flag=True, help="Print JSON.")]
_OUTPUT: Group = [
    *JSON,
    *QUIET,
    click.option(
        "-v", "--verbose", is_flag=True, help="Print every argument, also those that do not change."
    ),
]


def into(name: str, value: Callable[..., Any], fields: Iterable[str]) -> Callable[[_F], _F]:
    """Gathers the options of these names into one value, the argument `name`."""

    def decorate(function: _F) -> _F:
        @wraps(function)
        def gathered(**given: Any) -> Any:
            own = {field: given.pop(field) for field in fields if field in given}
            return function(**{name: value(**own)}, **given)

        return cast(_F, gathered)

    return decorate


class Output(NamedTuple):
    """How a command prints what it found, and the files that it writes it to in other formats."""

    form: str
    style: Style
    files: tuple[tuple[str, Path], ...] = ()


class FormatParam(click.ParamType[tuple[str, Path | None]]):
    """A format, or `FORMAT=FILE`."""

    name = "format"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, Path | None]:
        """The format and its file; click reports what is none."""
        if isinstance(value, tuple):
            return value
        form, equals, path = str(value).partition("=")
        if form not in FORMATS or (equals and (form == "text" or not path)):
            self.fail(f"{value!r} is none of {', '.join(FORMATS)}, or one of these with =FILE", param, ctx)
        return form, Path(path) if equals else None


def _output(forms: Sequence[tuple[str, Path | None]], as_json: bool, quiet: bool, verbose: bool) -> Output:
    printed = [form for form, path in forms if path is None]
    form = "json" if as_json else printed[-1] if printed else "text"
    written = tuple((form, path) for form, path in forms if path is not None)
    return Output(form, to_style(quiet, verbose), written)


#: As OUTPUT, in every format; the argument `output`.
REPORT: Group = [
    into("output", _output, ("forms", "as_json", "quiet", "verbose")),
    click.option(
        "--format",
        "forms",
        type=FormatParam(),
        multiple=True,
        metavar="|".join((*FORMATS, "FORMAT=FILE")),
        help="How to print what was found; FORMAT=FILE writes it there, too, and may be repeated. [default: text]",
    ),
    *_OUTPUT,
]


def _keep_private(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    reach.allow(private=value)


NETWORK: Group = [
    click.option(
        "--allow-private",
        is_flag=True,
        envvar="PINNER_ALLOW_PRIVATE",
        expose_value=False,
        callback=_keep_private,
        help="In CI, ask addresses of the runner's own network, too.",
    )
]
RECORDED: Group = [
    click.option(
        "--archive",
        "recorded",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        metavar="DIR",
        help="Read the recorded archive in this directory instead of the network.",
    ),
    *NETWORK,
]


#: Where base images are read from.
IMAGES: Group = [
    click.option(
        "--images",
        type=click.Choice(["never", "auto", "always"]),
        default="auto",
        show_default=True,
        envvar="PINNER_IMAGES",
        help="Read base images from their registries; auto goes on without those that do not answer.",
    ),
    click.option(
        "--image-archive",
        "image_archives",
        multiple=True,
        metavar="[IMAGE=]PATH",
        help="Read base images from what docker save wrote, or an OCI layout; repeatable.",
    ),
    click.option(
        "--insecure-registry",
        "insecure",
        multiple=True,
        metavar="HOST",
        help="Speak http to this registry; repeatable.",
    ),
]

_WORLD = ("recorded", "offline", "max_age")


def _run(function: _F) -> _F:
    @wraps(function)
    def gathered(**given: Any) -> Any:
        asked = Asked(**{name: given.pop(name) for name in Asked._fields if name in given})
        quiet = given.get("quiet", False)
        world = access(quiet=quiet, **{name: given.pop(name) for name in _WORLD if name in given})
        return function(run=Run(asked, world), **given)

    return cast(_F, gathered)


#: What is said of stages, and how the world is asked about them; the argument `run`.
STAGES: Group = [
    _run,
    *RECORDED,
    click.option(
        "--platform",
        "platforms",
        multiple=True,
        metavar="OS/ARCH",
        shell_complete=lambda ctx, param, begun: [name for name in PLATFORMS if name.startswith(begun)],
        help="Pin for this platform (amd64/v3 is dpkg's amd64); repeatable. [default: linux/amd64 and linux/arm64]",
    ),
    click.option("--suite", default="", help="The suite of stages that have no suite comment."),
    click.option(
        "--installed",
        multiple=True,
        metavar="FILE",
        help="What base images hold: dpkg's status file, or the output of dpkg-query -W; repeatable, one for each "
        "architecture.",
    ),
    *IMAGES,
]


def access(
    recorded: Path | None = None, *, quiet: bool, offline: bool = False, max_age: timedelta = timedelta(0)
) -> Access:
    """Access to the world, which shows on a terminal what it waits for."""
    shows = sys.stderr.isatty() and not quiet
    return Access(
        max_age=max_age,
        offline=offline,
        recorded=recorded,
        progress=lambda noun: ProgressLine(noun) if shows else None,
        wait=wait,
    )


def to_style(quiet: bool, verbose: bool) -> Style:
    """How to print."""
    if quiet and verbose:
        raise click.UsageError("--quiet and --verbose exclude each other")
    width = 0
    if sys.stdout.isatty():
        from shutil import get_terminal_size

        width = get_terminal_size().columns
    return Style(is_coloured(sys.stdout), verbose, quiet, width)


#: How to print, the argument `style`; and whether to print JSON.
OUTPUT: Group = [into("style", to_style, ("quiet", "verbose")), *_OUTPUT]


def tell(notes: Iterable[str], errors: Iterable[PinnerError] = (), *, quiet: bool) -> None:
    """Say on stderr what is to be noted, and what failed; each once."""
    for note in () if quiet else dict.fromkeys(notes):
        say("note", printable(note))
    for error in {str(error): error for error in errors}.values():
        say("error", error)
