"""The install calls in scripts of the build context, as the stages of a Dockerfile run them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pinner.edit.span import Span
from pinner.recipe import installs, kinds
from pinner.recipe.dockerfile import Stage
from pinner.recipe.installs import Install, Skipped
from pinner.shell.content import UNKNOWN, BuildContext, EditedContext
from pinner.shell.outcomes import AptCommand
from pinner.stages.install_commands import File, InstallCommand, call_of, read_file
from pinner.stages.suites import Options, StageBase


def is_given(call: InstallCommand, command: AptCommand, stage: Stage) -> bool:
    """Whether a script is a wrapper that has its package arguments from this call, in the same instruction."""
    start = call.install.span.start
    own = next((each for each in stage.instructions if each.span.start <= start < each.span.end), None)
    words = [request.word.value for request in call.requests]
    same = own is not None and own.span.start <= command.at < own.span.end
    return same and bool(words) and set(words) <= {*command.words}


class Scripts:
    """The install calls in scripts of the build context, as the stages of a file run them."""

    def __init__(self, file: File, options: Options) -> None:
        self._file = file
        self._options = options
        self._read: dict[str, tuple[Install | Skipped, ...]] = {}
        self._calls: dict[tuple[object, ...], InstallCommand] = {}

    def calls(self, command: AptCommand, stage: Stage, base: StageBase) -> Iterator[InstallCommand]:
        """The call that a command is: one value for all platforms on which its words are the same."""
        views, seen = self._file.views, command.seen
        assert views is not None
        key = (stage.index, seen.file, seen.start, seen.end, command.words)
        if key not in self._calls:
            span = Span(command.at, command.at)
            name = views.name(seen.file)
            install = self._install(command)._replace(stage=stage.index, span=span)
            own = (each._replace(detail=each.detail or name) for each in install.requests)
            install = install._replace(requests=tuple(own))  # the file's own may be equal to them
            view = views.view(stage, seen, base)
            call = call_of(install, base, view, self._options, elsewhere=False)
            self._calls[key] = call._replace(script=name, files=command.files)
        yield self._calls[key]

    def _install(self, command: AptCommand) -> Install:
        """The call as the script has it; where that is not known by itself, with the words that it is run with."""
        seen = command.seen
        if seen.file not in self._read:
            assert self._file.views is not None
            self._read[seen.file] = _installs(self._file.views.text(seen.file))
        found = next((each for each in self._read[seen.file] if each.span.start == seen.start), None)
        if isinstance(found, Install) and (
            all(each.action != "skip" or each.name for each in found.requests)
            or any(UNKNOWN in word for word in command.words)
        ):
            return found
        import shlex

        words = (
            f'"$_{at}"' if UNKNOWN in word else shlex.quote(word) for at, word in enumerate(command.words)
        )
        (read,) = _installs(" ".join((command.program, *words)))
        assert isinstance(read, Install)
        return read


def _installs(text: str) -> tuple[Install | Skipped, ...]:
    return tuple(installs.find(kinds.parse("script", text)))


def with_scripts(file: File, options: Options, texts: Mapping[str, str]) -> tuple[File, Options]:
    """A file as it is read once the scripts that it runs have these new texts, and the options for that."""
    if not any(call.script in texts for call in file.scripted()):
        return file, options

    before = options.world.context

    def context(path: str) -> BuildContext | None:
        found = before(path)
        return found and EditedContext(found, lambda each: texts.get(found.name(each)))

    options = options._replace(world=options.world._replace(context=context))
    return read_file(file.path, file.dockerfile.text, options, file.uses), options


def scripts_first(files: Iterable[File]) -> list[File]:
    """The files, those that run scripts behind the others."""
    return sorted(files, key=lambda file: any(file.scripted()))
