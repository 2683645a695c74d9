"""Rows of the lock: its line of a command and of a package, and what it says is missing, or gone, of a stage."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from pinner.distributions.catalogue import PLATFORMS
from pinner.lock.schema import ClosureMember, Gone, Incomplete, LockedPackage
from pinner.recipe.dockerfile import Stage
from pinner.recipe.installs import Request, Skipped
from pinner.resolve.universe import Offer
from pinner.stages.choice import Choice, is_unread, stands_for_several
from pinner.stages.install_commands import OWN_ARCHITECTURE, File, InstallCommand
from pinner.stages.starting_set import key
from pinner.stages.steps import option
from pinner.stages.suites import StageBase

if TYPE_CHECKING:
    from pinner.workflow.closure import Installed

_SHOWN = 100


# What is followed though no install command, installs somewhere else, or is a text that is mostly written to a file.
_FOLLOWED = frozenset({"upgrade", "satisfy", "build-dep", "dpkg", "chroot", "heredoc"})


# The options that decide what a command leaves installed, beside those for Recommends, Suggests and the release.
_FLAGS = (
    ("APT::Get::AutomaticRemove", "--auto-remove"),
    ("APT::Get::Download-Only", "--download-only"),
    ("APT::Get::Only-Upgrade", "--only-upgrade"),
    ("APT::Get::ReInstall", "--reinstall"),
)


def left(calls: Sequence[Installed]) -> tuple[Callable[[str], str], tuple[Gone, ...]]:
    """What became of what the commands of a stage brought in, and what they removed of what was there before."""
    first, last = calls[0].universe, calls[-1].after
    if first is None or last is None:
        return lambda name: "", ()
    there = {key(each.name, each.architecture, first.arch) for each in last.packages}
    before = {offer.name for offer in first.all_installed()}
    gone = [Gone(name) for name in before - there]
    gone += (Gone(name, True) for name in before & last.maybe)
    return lambda name: "maybe" if name in last.maybe else "" if name in there else "removed", tuple(gone)


def unread(calls: Iterable[InstallCommand], choices: Mapping[Request, Choice]) -> Iterator[Incomplete]:
    """The arguments of which it is not known what they install, and commands that may see other packages."""
    for call in calls:
        if call.others:
            reason = call.condition or "what apt reads differs from turn to turn"
            yield Incomplete(
                "command", line(call, choices), f"{reason}: what is installed with it may differ"
            )
        for request in call.requests:
            choice = choices[request]
            local = [each for word, each in call.files if word == request.word.value]
            if local and all(local):
                continue
            if is_unread(request, choice) and not stands_for_several(request):
                text = request.word.raw if request.word.value is None else request.word.value
                yield Incomplete("argument", text, choice.detail or choice.reason)


def passed_over(file: File, stage: Stage, base: StageBase, platform: str) -> Iterator[Incomplete]:
    """The calls of a stage that are not read, and may be done on a platform."""
    for item in file.found:
        if (
            isinstance(item, Skipped)
            and item.stage == stage.index
            and item.reason not in _FOLLOWED
            and not (file.views and file.views.passes(item.span.start, stage, base, platform))
        ):
            text = " ".join(item.span.of(file.dockerfile.text).split())
            yield Incomplete("argument", text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…", item.detail)


def is_lockable(call: InstallCommand) -> bool:
    """Whether the lock speaks of a call, though what it asks for may be there already."""
    return any(request.action != "skip" for request in call.requests)


def line(call: InstallCommand, choices: Mapping[Request, Choice]) -> str:
    """The command as the file has it now, reduced to what decides its outcome."""
    if call.step:
        return call.step.text
    words = ["apt-get", call.install.command.partition(" ")[2] or "install"]
    words += (flag for key, flag in _FLAGS if option(call.install.settings, key))
    if not option(call.install.settings, "APT::Get::Upgrade", True):
        words.append("--no-upgrade")
    if not call.recommends:
        words.append("--no-install-recommends")
    if call.install.suggests:
        words.append("--install-suggests")
    if call.install.target_release:
        words += ("-t", call.install.target_release)
    for request in call.requests:
        choice = choices[request]
        if choice.status == "pinned":
            arch = f":{request.arch}" if request.arch else ""
            words.append(f"{request.name}{arch}={choice.version}")
        else:
            words.append(request.word.raw if request.word.value is None else request.word.value)
    return " ".join(words)


def members(
    calls: Iterable[Installed],
    choices: Mapping[Request, Choice],
    platform: str,
    others: Sequence[Mapping[str, LockedPackage]],
) -> tuple[dict[str, ClosureMember], dict[str, LockedPackage]]:
    """What the commands of a stage bring in, by name, and the rows of these packages, by id, beside those of others."""
    asked: dict[str, tuple[str, str]] = {}
    found: dict[str, ClosureMember] = {}
    used: dict[str, LockedPackage] = {}
    calls = list(calls)
    brought = {chosen.offer.name for done in calls for chosen in done.chosen}
    for done in calls:
        for request in done.call.requests:
            choice = choices[request]
            offer = (choice.offers or {}).get(platform)
            if offer is not None and choice.status in {"pinned", "kept"}:
                word = f"{request.name}:{request.arch}" if request.arch else request.name
                own = request.arch in OWN_ARCHITECTURE
                name = offer.name if own else key(offer.name, request.arch, PLATFORMS[platform])
                asked[name] = word, offer.version
                if done.problem is not None:
                    row = _package_row(offer).beside(*others)
                    used[row.id] = row
                    found[name] = ClosureMember(row.id, argument=word)
        for chosen in done.chosen:
            if chosen.offer.index is None:
                continue  # a file of the build context
            row = _package_row(chosen.offer).beside(*others)
            used[row.id] = row
            word, version = asked.get(chosen.offer.name, ("", ""))
            if chosen.offer.version != version:
                word = ""  # another package has replaced what was asked for
            parent = chosen.causes[0].parent
            # What an upgrade moves may be needed by a package that the base image holds, and that stays.
            by = parent.name if parent and not word and parent.name in brought else ""
            found[chosen.offer.name] = ClosureMember(row.id, word, by)
    return found, used


def is_listed(package: LockedPackage, offer: Offer) -> bool:
    """Whether what the lock says of a package is what an index says of a version. Archives that have the same file,
    each below its own path, are alike."""
    row, places = _package_row(offer), {(each.source.uri, each.source.suite) for each in offer.pockets}
    filename = package.filename if package.uri == row.uri else row.filename
    own = package._replace(uri=row.uri, suite=row.suite, filename=filename, twin="")
    return own == row and (package.uri, package.suite) in places


def _package_row(offer: Offer) -> LockedPackage:
    """The line of a package that an index has."""
    package, index = offer.package, offer.index
    assert index is not None  # what is only installed is never chosen
    return LockedPackage(
        package.name,
        package.version,
        package.architecture,
        index.source.suite,
        index.source.uri,
        index.source.place(package.filename),
        package.size,
        package.digest,
        package.source if package.source != package.name else "",
        package.source_version if package.source_version != package.version else "",
    )
