"""`pinner lock`: pin what is unpinned, keep what is pinned, and write down where every version came from.

The story: read each file, learn the suite of each stage, load the indices of all suites and platforms at once, choose
a version for each word, edit, read the edited text again, and state the lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from pinner.edit.span import Span, apply
from pinner.errors import InputError, PinnerError, Refused, Unsatisfiable
from pinner.lock.schema import Lock
from pinner.recipe import blocks
from pinner.recipe.installs import Request, Skipped, pin
from pinner.stages.archives import Archives
from pinner.stages.choice import Choice
from pinner.stages.install_commands import File, InstallCommand, read_file
from pinner.stages.policy import PinForm
from pinner.stages.scripts import scripts_first, with_scripts
from pinner.stages.suites import Options, PinScope
from pinner.stages.unfetched import NO_LISTS, unfetched
from pinner.stages.unreachable import prepare
from pinner.values import NamedTuple
from pinner.workflow import sources_block
from pinner.workflow.remembered import remembered
from pinner.workflow.solved import Solved
from pinner.workflow.targets import Problem, Targets


class Finding(NamedTuple):
    """What became of one word, or of a call that was not read (`choice.reason` tells).

    `allowed` tells that a comment or the configuration lets it stay without a pin, `settled` that a newer version would
    change nothing.
    """

    path: str
    line: int
    column: int
    span: Span
    raw: str
    name: str
    choice: Choice
    allowed: bool = False
    settled: bool = False


class Planned(NamedTuple):
    """One file: its text before and after, and what became of each word. Of one that is not `locked` the lock stays as
    it is."""

    path: str
    old: str
    new: str
    findings: tuple[Finding, ...]
    locked: bool = True


class Plan(NamedTuple):
    """All that a run would write and say. `lock` holds these files' targets alone.

    `errors` are those of files that cannot be used at all, which take no part; neither do the `unserved` ones, by
    path, whose archives gave that error. `unreachable` are the errors of repositories that were done without, `assumes`
    tells that pins rest on the name of an image.
    """

    files: tuple[Planned, ...]
    errors: tuple[InputError, ...]
    lock: Lock
    platforms: tuple[str, ...]
    suites: tuple[str, ...]
    notes: tuple[str, ...]
    unserved: Mapping[str, PinnerError]
    unreachable: Sequence[PinnerError] = ()
    assumes: bool = False

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings of all files."""
        return tuple(finding for planned in self.files for finding in planned.findings)

    @property
    def leaves_words(self) -> bool:
        """Whether a word stays without a pin that need not, or has one that rests on an image's name."""
        skipped = any(each.choice.status == "skipped" and not each.allowed for each in self.findings)
        return skipped or self.assumes

    @property
    def fails(self) -> bool:
        """Whether something was found that must not count as good."""
        return any(finding.choice.fails for finding in self.findings)


def plan(
    texts: Mapping[str, str],
    options: Options,
    archives: Archives,
    old: Lock,
    solved: Solved | None = None,
    *,
    proven: bool = False,
) -> Plan:
    """What `pinner lock` would do to these files, by path. `old` is the lock as it is, the rest as `Targets` says.

    What a target installs is taken over from `old` where nothing that decides it has changed and all of it can still
    be had: `refresh` moves a closure, `lock` does not. Raises `PinnerError`; writes nothing.
    """
    own_options = {path: remembered(options, old, path) for path in texts}
    prepared = prepare(texts, own_options, archives)
    if prepared.fatal:
        raise prepared.fatal
    errors = [each for each in prepared.unread.values() if isinstance(each, InputError)]
    unserved = {path: each for path, each in prepared.unread.items() if not isinstance(each, InputError)}
    unserved |= prepared.unserved
    targets = Targets(archives, old, solved, proven=proven)
    planned: dict[str, Planned] = {}
    for each in scripts_first(prepared.files):
        file, own = with_scripts(
            each, prepared.options[each.path], {path: done.new for path, done in planned.items()}
        )
        try:
            planned[file.path] = _planned(file, own, archives, targets)
        except InputError as error:
            error.path = error.path or file.path
            errors.append(error)
        except Unsatisfiable as error:
            unserved[file.path] = error
    lock = targets.lock()
    notes = dict.fromkeys(archives.notes)
    for file in prepared.files:
        caveats = sources_block.caveats(file, archives, written=options.write_sources)
        notes |= dict.fromkeys((*assumptions(file), *caveats))
    return Plan(
        tuple(planned[file.path] for file in prepared.files if file.path in planned),
        tuple(errors),
        lock,
        targets.platforms,
        tuple(dict.fromkeys(release.suite for release in lock.releases)),
        tuple(notes),
        unserved,
        prepared.unreachable,
        any(file.assumed for file in prepared.files),
    )


def _planned(file: File, options: Options, archives: Archives, targets: Targets) -> Planned:
    """What becomes of a file, whose targets are added. Raises `InputError` where it can get no sources block or pins,
    and `Unsatisfiable` where what is to be pinned beside its arguments is not known."""
    text = file.dockerfile.text
    choices = choices_of(file, archives, options.form)
    choices |= targets.downgrades(file, choices)
    fails = any(choice.fails for choice in choices.values())
    with_block = options.write_sources or (options.snapshot and blocks.find(file.dockerfile))
    if with_block and fails:
        choices = {request: _left(choice) for request, choice in choices.items()}
        return Planned(file.path, text, text, _findings(file, choices, ()), locked=False)
    pinned = {request: choice.version for request, choice in choices.items() if choice.status == "pinned"}
    edits = pin(text, pinned) + (sources_block.edits(file, archives) if with_block else ())
    new = apply(text, edits)
    if edits:
        prove(file, new, choices, options)
    # Where an argument cannot be had, that is what there is to say of the line.
    if not options.scope or fails:
        return Planned(file.path, text, new, _findings(file, choices, targets.add(file, choices)))
    settled, settled_choices = _with_more(file, new, options, options.scope, archives)
    findings = _findings(file, choices, targets.add(settled, settled_choices))
    findings += _added(file, settled, settled_choices)
    return Planned(file.path, text, settled.dockerfile.text, findings)


def assumptions(file: File) -> Iterator[str]:
    """A note about the images of a file that are not read and not known either."""
    if file.assumed:
        yield (
            f"{file.path}: {', '.join(file.assumed)}: not read and not known, so the pins rely on the suite in its "
            "name; --images always reads the image, a comment `# pinner: suite=…` confirms the suite"
        )


def choices_of(file: File, archives: Archives, form: PinForm = "exact") -> dict[Request, Choice]:
    """What becomes of each word of a file whose archives are loaded; those in scripts that it runs stay as they are."""
    return in_scripts(file, archives) | _choices(file.calls(), archives, form)


def in_scripts(file: File, archives: Archives) -> dict[Request, Choice]:
    """What apt takes for the words in scripts that the stages of a file run, as they are written."""
    found = _choices(file.scripted(), archives, "exact")
    return {
        request: each._replace(status="kept", version="") if each.status == "pinned" else each
        for request, each in found.items()
    }


def _choices(calls: Iterable[InstallCommand], archives: Archives, form: PinForm) -> dict[Request, Choice]:
    return {request: archives.choose(call, request, form) for call in calls for request in call.requests}


def _left(choice: Choice) -> Choice:
    """What becomes of an argument in a file that is left as it is, since another one is not in the snapshot."""
    if choice.status != "pinned":
        return choice
    detail = "left as it is, since the snapshot lacks another version that the file asks for"
    return Choice("skipped", reason="snapshot", detail=detail)


def _with_more(
    file: File, text: str, options: Options, scope: PinScope, archives: Archives
) -> tuple[File, Mapping[Request, Choice]]:
    """The pinned file with the words added that are to go on its lines too; they must bring in the same packages."""
    from pinner.workflow import companions

    pinned = read_file(file.path, text, options, file.uses)
    choices = choices_of(pinned, archives)
    added = companions.edits(pinned, choices, archives, scope, options.form)
    if not added:
        return pinned, choices
    again = read_file(file.path, apply(text, added), options, file.uses)
    new_choices = choices_of(again, archives)
    before = companions.brings_in(pinned, choices, archives)
    if companions.brings_in(again, new_choices, archives) != before:
        raise Refused(
            f"{file.path}: with more arguments pinned, apt would install other packages; nothing was written"
        )
    return again, new_choices


def _added(file: File, settled: File, choices: Mapping[Request, Choice]) -> tuple[Finding, ...]:
    found = []
    for old, new in zip(file.calls(), settled.calls(), strict=True):
        names = {request.name for request in old.requests}
        for request in new.requests:
            if request.name not in names:
                choice = choices[request]._replace(status="pinned", detail="added to the line")
                found.append(_finding(settled, request.word.span, request.name, choice))
    return tuple(found)


def prove(file: File, new: str, choices: Mapping[Request, Choice], options: Options) -> None:
    """The edited text must ask for the same words with the versions chosen, and nothing else. Raises `InputError` for a
    file whose meaning depends on the text of its own arguments; with any other file it is a bug of pinner's."""
    again = read_file(file.path, new, options)
    old = [request for call in file.calls() for request in call.requests if request.name]
    now = [request for call in again.calls() for request in call.requests if request.name]
    expected = [
        (
            request.name,
            request.arch,
            choices[request].version if choices[request].status == "pinned" else request.pin,
        )
        for request in old
    ]
    if [(request.name, request.arch, request.pin) for request in now] != expected:
        raise InputError(
            "with the pins the file would ask for something else, so it is left as it is",
            path=file.path,
            hint="write the names and versions out in one install command; please report the file",
        )


def _findings(
    file: File, choices: Mapping[Request, Choice], problems: Sequence[Problem]
) -> tuple[Finding, ...]:
    found = []
    seen: set[Span] = set()
    bare = [*unfetched(file)]
    for item in file.found:
        if isinstance(item, Skipped):
            fails = item.reason == "unknown-command" and not item.allowed
            choice = Choice("skipped", reason=item.reason, detail=item.detail, fails=fails)
            found.append(_finding(file, item.span, "", choice, allowed=item.allowed, settled=True))
            continue
        for request in item.requests:
            span = request.word.span
            if span not in seen:  # calls may share a word that a variable holds
                seen.add(span)
                choice = choices[request]
                allowed = request.allowed or choice.reason == "ignored"
                settled = request.action == "skip" or choice.status == "kept"
                found.append(_finding(file, span, request.name, choice, allowed=allowed, settled=settled))
        for problem in problems:
            if problem.call.install is item.install:
                found.append(_finding(file, item.install.span, item.install.command, problem.choice()))
        if item in bare:
            found.append(_finding(file, item.install.span, item.install.command, NO_LISTS))
    for problem in problems:
        if problem.call.script:
            shown = f"{problem.call.install.command} in {problem.call.script}"
            found.append(_finding(file, problem.call.install.span, shown, problem.choice()))
    return tuple(found)


def _finding(
    file: File, span: Span, name: str, choice: Choice, *, allowed: bool = False, settled: bool = False
) -> Finding:
    line, column = file.lines.position(span.start)
    raw = span.of(file.dockerfile.text)
    return Finding(file.path, line, column, span, raw, name, choice, allowed, settled)
