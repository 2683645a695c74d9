"""`pinner resolve` and `pinner why`: what install commands bring in, with the causes, asked afresh."""

from __future__ import annotations

import shlex
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

from pinner.apt import relations as relation
from pinner.errors import OptionError, PinnerError, UnknownPackage, Unsatisfiable
from pinner.lock.schema import Lock
from pinner.recipe.installs import Request
from pinner.resolve.needs import Need
from pinner.resolve.resolution import Cause, Chosen
from pinner.resolve.universe import Offer, Universe
from pinner.stages.archives import Archives
from pinner.stages.choice import Choice
from pinner.stages.install_commands import File, read_all, read_file
from pinner.stages.suites import Options
from pinner.values import NamedTuple
from pinner.workflow.closure import Closures, Installed
from pinner.workflow.export import named
from pinner.workflow.lock import choices_of
from pinner.workflow.remembered import as_locked

# An image names no sources of source packages: whoever asks means those of its binary packages.
_WITH_SOURCES = (
    "{ [ ! -f /etc/apt/sources.list ] || sed -i 's/^deb \\(.*\\)/&\\ndeb-src \\1/' /etc/apt/sources.list; }"
    " && sed -i 's/^Types: deb$/Types: deb deb-src/' /etc/apt/sources.list.d/*"
)


class RequestResolution(NamedTuple):
    """What one request installs on one platform. `root` names the starting set."""

    platform: str
    suites: tuple[str, ...]
    root: str
    chosen: tuple[Chosen, ...]


def resolve(
    words: Sequence[str],
    flags: Sequence[str],
    image: str,
    options: Options,
    archives: Archives,
    command: str = "install",
) -> tuple[RequestResolution, ...]:
    """What `apt-get COMMAND FLAGS WORDS` would install, by platform, as if a Dockerfile on `image` said it.

    For `satisfy` the words are relations, for `build-dep` source packages of what the suite's sources name. Raises
    `OptionError` for words that name no package, `InputError` for what is no relation, `Unsatisfiable` where apt would
    fail.
    """
    line = shlex.join(["apt-get", command, *flags, *words])
    if command == "satisfy":
        for word in words:
            relation.parse(word.partition(": ")[2] if word.startswith("Conflicts: ") else word)
    sources = f"RUN {_WITH_SOURCES} && apt-get update\n" if command == "build-dep" else ""
    file = read_file("request", f"FROM {image}\n{sources}RUN {line}\n", options)
    archives.prepare(file.every())
    choices = choices_of(file, archives)
    _refuse(choices)
    closures = Closures(archives)
    found = []
    for platform in file.platforms:
        for done in closures.of(file, choices, platform)[0]:
            if done.problem is not None:
                raise done.problem
            if done.gaps:
                raise Unsatisfiable(done.gaps[0].reason)
            universe = done.universe or archives.universes(done.call)[platform]
            suites = tuple(dict.fromkeys(index.source.suite for index in universe.indexes))
            root = done.call.base.root(platform).label
            found.append(RequestResolution(platform, suites, root, done.chosen))
    if not found:
        raise OptionError(f"not a request that pinner reads: {line}")
    return tuple(found)


def _refuse(choices: Mapping[Request, Choice]) -> None:
    for request, choice in choices.items():
        if choice.status == "gone":
            raise Unsatisfiable(f"{request.name}: {choice.detail}")
        if choice.reason == "unknown-package":
            raise UnknownPackage(choice.detail, hint=choice.hint)
        if choice.reason == "target-release":
            raise OptionError(choice.detail, hint=choice.hint)
        if choice.fails:
            raise Unsatisfiable(choice.detail, hint=choice.hint)
        if choice.status == "skipped" and request.reason not in {"", "removal", "release"}:
            raise OptionError(f"{request.word.raw}: {choice.detail or choice.reason}", hint=choice.hint)


class PathStep(NamedTuple):
    """A package on the way from a Dockerfile's word to the one asked about, and the need that leads to the next."""

    offer: Offer
    need: Need | None


class Passed(NamedTuple):
    """A version that would have met the need as well, and why apt does not take it."""

    offer: Offer
    why: str


class Reason(NamedTuple):
    """Why a package is in a stage: `line` is that of the word at the beginning of `chain`."""

    file: File
    stage: str
    platform: str
    line: int
    chosen: Chosen
    chain: tuple[PathStep, ...]
    passed: tuple[Passed, ...]


class Unfollowed(NamedTuple):
    """A command that was not followed, so that it is not known what it installs, and why."""

    path: str
    line: int
    stage: str
    why: str


class Explained(NamedTuple):
    """All about one package: why it is there, and what apt's policy says of it, by platform. Where no platform has a
    package of that name, `hint` names those that are spelled alike. `errors` are those of files that cannot be read.
    `unfollowed` commands may install it, too; `locked` says where the lock has it."""

    name: str
    reasons: tuple[Reason, ...]
    policies: Mapping[str, tuple[Universe, Offer | None]]
    hint: str = ""
    errors: tuple[PinnerError, ...] = ()
    unfollowed: tuple[Unfollowed, ...] = ()
    locked: tuple[str, ...] = ()


def why(name: str, texts: Mapping[str, str], options: Options, archives: Archives, lock: Lock) -> Explained:
    """Why files install a package, as they were locked where the options do not say otherwise. `policies` gives a
    platform's universe and what the base image holds of the name."""
    found = read_all(texts, {path: as_locked(options, lock, path) for path in texts})
    files = [each for each in found.values() if isinstance(each, File)]
    archives.prepare(call for file in files for call in file.every())
    closures = Closures(archives)
    reasons: list[Reason] = []
    policies: dict[str, tuple[Universe, Offer | None]] = {}
    met: set[str] = set()  # where a call that brings it in was met
    unfollowed: dict[Unfollowed, None] = {}
    for file in files:
        choices = choices_of(file, archives)
        platforms = dict.fromkeys(name for call in file.calls() for name in call.base.platforms)
        for platform in platforms:
            for stage, calls in closures.of(file, choices, platform).items():
                for done in calls:
                    universe = done.universe or archives.universes(done.call)[platform]
                    brings = any(chosen.offer.name == name for chosen in done.chosen)
                    if platform not in policies or (brings and platform not in met):
                        policies[platform] = universe, universe.installed(name)
                    if brings:
                        met.add(platform)
                    reasons += _reasons(name, file, file.stage_name(stage), platform, done, universe)
                    problem = (
                        done.problem.message if done.problem else done.gaps[0].reason if done.gaps else ""
                    )
                    if problem:
                        line, _ = file.lines.position(done.call.install.span.start)
                        unfollowed[Unfollowed(file.path, line, file.stage_name(stage), problem)] = None
    known = {platform: each for platform, each in policies.items() if each[0].known(name)}
    near = () if known else next((universe.near(name) for universe, _ in policies.values()), ())
    hint = f"did you mean {' or '.join(near)}?" if near else ""
    errors = tuple(each for each in found.values() if not isinstance(each, File))
    return Explained(
        name, tuple(reasons), known, hint, errors, tuple(unfollowed), tuple(_locked(name, lock, texts))
    )


def _locked(name: str, lock: Lock, paths: Container[str]) -> Iterator[str]:
    for target in lock.targets:
        for each in target.closure.members if target.file in paths else ():
            if each.name == name:
                yield f"{named(target)}: {name}={each.version}, {f'for {each.by}' if each.by else 'which is asked for'}"


def _reasons(
    name: str, file: File, stage: str, platform: str, done: Installed, universe: Universe
) -> Iterable[Reason]:
    by_name = {chosen.offer.name: chosen for chosen in done.chosen}
    chosen = by_name.get(name)
    if chosen is None:
        return
    chain = [PathStep(chosen.offer, None)]
    cause = chosen.causes[0]
    seen = {name}
    while cause.parent is not None and cause.parent.name not in seen:
        seen.add(cause.parent.name)
        chain.append(PathStep(cause.parent, cause.need))
        parent = by_name.get(cause.parent.name)
        if parent is None:
            break
        cause = parent.causes[0]
    top = chain[-1].offer.name
    spans = [request.word.span.start for request in done.call.requests if request.name == top]
    line, _ = file.lines.position(spans[0] if spans else done.call.install.span.start)
    passed = tuple(_passed_over(chosen.causes[0], chosen.offer, universe))
    yield Reason(file, stage, platform, line, chosen, tuple(reversed(chain)), passed)


def _passed_over(cause: Cause, taken: Offer, universe: Universe) -> Iterable[Passed]:
    """The other versions that meet the need: what apt ranks behind, and what it could not take."""
    if cause.need is None:
        return
    options = cause.need.options
    at = next((number for number, offers in enumerate(options) if taken in offers), 0)
    for number, offers in enumerate(options):
        for offer in offers:
            if offer.name == taken.name:
                continue
            if universe.candidate(offer.name) is not offer:
                yield Passed(offer, "not its package's candidate")
            elif number > at:
                yield Passed(offer, "a later alternative")
            elif number < at:
                yield Passed(offer, "an earlier alternative that could not be installed")
            elif offer.package.priority != taken.package.priority:
                yield Passed(offer, f"a provider of priority {offer.package.priority}")
            else:
                yield Passed(offer, "a provider whose name apt met earlier")
