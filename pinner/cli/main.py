"""The command line: commands are loaded when called, errors become messages and exit statuses here and nowhere else."""

from __future__ import annotations

import errno
import importlib
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

import click

from pinner import __version__
from pinner.errors import InputError, PinnerError

_OUTPUT_FAULTS = {errno.ENOSPC, errno.EIO, errno.EFBIG, errno.EDQUOT}
#: What pinner needs and is compiled; not every platform has wheels of it.
_COMPILED = {"backports", "pysequoia", "tree_sitter", "tree_sitter_bash", "yaml"}
_WHERE_WHEELS_LACK = (
    "where pip finds no wheels for the platform, use the container image (see the guide Installation)"
)
_SECTIONS = {
    "Every day": {
        "lock": "Pin what apt would install, and write pinner.lock.",
        "verify": "Check that the pins still exist and can be installed.",
        "refresh": "Move the pins to what apt would take today.",
    },
    "To understand": {
        "scan": "Show what files ask for, without any network.",
        "why": "Explain why files bring in a package.",
        "resolve": "Show what apt would install for a request, and why.",
        "diff": "Show what moved between two locks.",
    },
    "For builds": {
        "export": "Write the lock as apt preferences, SBOM or JSON.",
        "download": "Fetch the locked packages into a local repository.",
        "audit": "Compare what a built image holds with the lock.",
        "snapshot": "Find the moments at which pins still coexist.",
    },
    "To look after": {
        "unpin": "Take pins out again.",
        "report": "Merge the results of many repositories into one page.",
        "cache": "Show or clean the cache.",
    },
}
_COMMANDS = {name: text for commands in _SECTIONS.values() for name, text in commands.items()}


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"pinner.cli.{cmd_name}")
        from pinner.cli.help import prepare

        return prepare(module.command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(map(len, _COMMANDS))
        for title, commands in _SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(f"{name:{width}}", text) for name, text in commands.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in _COMMANDS and not name.startswith("-"):
            from difflib import get_close_matches

            close = get_close_matches(name, _COMMANDS, n=1)
            ctx.fail(f"no such command {name!r}" + (f"; did you mean {close[0]}?" if close else ""))
        return super().resolve_command(ctx, args)


@click.command(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pinner", message="%(prog)s %(version)s")
def cli() -> None:
    """Pins the apt packages of Dockerfiles to the versions that apt would install, and keeps the pins alive.

    Exit statuses: 0 done or nothing to do; 1 a difference or a fault was found; 2 the command line; 3 a file cannot be
    used; 4 apt would find no solution; 5 the archive cannot be reached; 6 what it sent cannot be trusted;
    130 interrupted. Where several apply, the first of 130, 2, 3, 6, 5, 4, 1.
    """


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit status."""
    said = sys.argv[1:] if arguments is None else arguments
    try:
        result = cli.main(arguments, prog_name="pinner", standalone_mode=False)
    except PinnerError as error:
        return _failed(error, said)
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in _COMPILED:
            raise
        return _failed(
            InputError(f"{error}: this installation is not complete", hint=_WHERE_WHEELS_LACK), said
        )
    except click.exceptions.Exit as end:
        return end.exit_code
    except (click.Abort, KeyboardInterrupt):
        _error("interrupted; nothing half done")
        return 130
    except click.ClickException as error:
        if isinstance(error, click.UsageError) and error.ctx is not None:
            click.echo(error.ctx.get_usage(), err=True)
        text, hint = error.format_message(), ""
        if isinstance(error, click.UsageError) and error.ctx:
            hint = f"\nhint: {error.ctx.command_path} --help"
            if isinstance(error, click.NoSuchOption) and (others := _with_option(error.option_name)):
                text = error.message
                hint = f"\nhint: {error.option_name} is an option of {', '.join(others)}"
        _error(text + hint)
        return error.exit_code
    except OSError as error:
        if error.filename is not None:
            name = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else "a file"
            return _failed(InputError(str(error.strerror), path=name), said)
        if error.errno not in _OUTPUT_FAULTS:
            raise
        _error(f"the output cannot be written: {error.strerror}")
        return InputError.exit_status
    return result if isinstance(result, int) else 0


def _with_option(option: str) -> list[str]:
    """The commands that have this option."""
    context = click.Context(cli)
    found = ((name, cli.get_command(context, name)) for name in _COMMANDS)
    commands = {
        f"pinner {name} {sub}".strip(): each
        for name, top in found
        for sub, each in (top.commands.items() if isinstance(top, click.Group) else (("", top),))
    }
    return [
        name for name, each in commands.items() if each and any(option in one.opts for one in each.params)
    ]


def _failed(error: PinnerError, arguments: Sequence[str]) -> int:
    from pinner.cli import document

    document.fail(arguments, error)
    _error(error)
    return error.exit_status


def _error(text: object) -> None:
    from pinner.cli.say import say

    say("error", text)


def _with_streams() -> None:
    """Who closed a standard stream wants nothing from it: its number must not become that of a file that is written."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123
        else:
            stream.reconfigure(errors="backslashreplace")


def main() -> None:
    """The entry point."""
    _with_streams()
    status = run()
    # Nothing is left to tidy up, threads are daemons, and files are complete: the interpreter's own end would take
    # 8 ms, and complain of output that could not be written.
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    os._exit(status)
