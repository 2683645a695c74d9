"""Words that go on the line with what was asked for: strict siblings, or the whole closure.

A pin fixes one name. Where a pinned package needs another one `(= version)`, that sibling's next upload breaks the
line, since apt takes candidates for what the line does not name (apt-get(8), `package=version`). With the sibling
pinned on the same line, or with all that the call brings in, it does not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from pinner.edit.span import Edit, Span
from pinner.errors import Refused
from pinner.recipe.installs import Request
from pinner.resolve.universe import Offer
from pinner.stages.archives import Archives
from pinner.stages.choice import Choice, choose, short
from pinner.stages.install_commands import File, InstallCommand
from pinner.stages.policy import PinForm
from pinner.stages.suites import PinScope, chain
from pinner.workflow.closure import Closures, Installed


def edits(
    file: File, choices: Mapping[Request, Choice], archives: Archives, scope: PinScope, form: PinForm
) -> tuple[Edit, ...]:
    """The edits that add these words to a file whose other words are pinned already.

    Raises `Refused` where the platforms of a call need different words, since they share one line, and where what a
    call brings in is not known.
    """
    made: dict[Request, Edit] = {}
    followed = _followed(file, choices, archives)
    added = {
        platform: _siblings(file, stages) if scope == "siblings" else _closures(stages)
        for platform, stages in followed.items()
    }
    for call in file.calls():
        own = [added[platform] for platform in call.base.platforms if platform in added]
        for request in call.requests:
            names = _agreed([each.get(request, ()) for each in own], call.base.platforms)
            if names:
                words = [_word(name, request, call, archives, form) for name in names]
                made[request] = _edit(file, request, words)
    return tuple(made.values())


def brings_in(
    file: File, choices: Mapping[Request, Choice], archives: Archives
) -> tuple[tuple[str, frozenset[Offer]], ...]:
    """What the commands of a file install, by platform, in order: the same before and after companions were added."""
    return tuple(
        (platform, frozenset(each.offer for each in done.chosen))
        for platform, stages in _followed(file, choices, archives).items()
        for calls in stages.values()
        for done in calls
    )


_Stages = Mapping[int, Sequence[Installed]]


def _followed(file: File, choices: Mapping[Request, Choice], archives: Archives) -> dict[str, _Stages]:
    """What the commands of each stage do, by platform."""
    closures = Closures(archives)
    platforms = dict.fromkeys(platform for call in file.calls() for platform in call.base.platforms)
    found: dict[str, _Stages] = {}
    for platform in platforms:
        found[platform] = stages = closures.of(file, choices, platform)
        for done in (done for calls in stages.values() for done in calls):
            if done.problem is not None:
                line, _ = file.lines.position(done.call.install.span.start)
                raise Refused(
                    f"{file.path}:{line}: what is needed beside its arguments is not known: {done.problem.message}"
                )
    return found


def _agreed(names: Sequence[Sequence[str]], platforms: Sequence[str]) -> Sequence[str]:
    """The names to add behind a word, the same for all platforms."""
    for platform, other in zip(platforms[1:], names[1:], strict=False):
        differing = {*names[0]} ^ {*other}
        if differing:
            raise Refused(
                f"{', '.join(sorted(differing))} would not be on the line for {short(platform)} as for the others",
                hint="lock one platform by --platform",
            )
    return names[0] if names else ()


def _siblings(file: File, stages: _Stages) -> dict[Request, list[str]]:
    """For each word what its package, or a sibling of it, needs in exactly one version.

    It goes on the line of the call that brings it in, which may be an earlier one of the stage, or of one below.
    """
    found: dict[Request, list[str]] = {}
    for index in stages:
        below = [each.index for each in chain(file.dockerfile, file.dockerfile.stages[index])]
        done = [each for stage in reversed(below) for each in stages.get(stage, ())]
        brought: dict[str, InstallCommand] = {}
        tied: dict[str, list[str]] = {}
        for each in done:
            for chosen in each.chosen:
                brought.setdefault(chosen.offer.name, each.call)
                for need in each.universe.needs(chosen.offer) if each.universe else ():
                    if need.critical and len(need.clause) == 1 and need.clause[0].op == "=":
                        tied.setdefault(chosen.offer.name, []).append(need.clause[0].name)
        taken = {(id(each.call), request.name) for each in done for request in each.call.requests}
        for each in done:
            for request in _pinned(each.call):
                waiting = [request.name]
                while waiting:
                    for name in tied.get(waiting.pop(0), ()):
                        call = brought.get(name)
                        if call is None or (id(call), name) in taken:
                            continue
                        taken.add((id(call), name))
                        waiting.append(name)
                        places = [request] if call is each.call else _pinned(call)[-1:]
                        for place in places:
                            names = found.setdefault(place, [])
                            names += [name] if name not in names else []
    return found


def _closures(stages: _Stages) -> dict[Request, list[str]]:
    """Behind the last word of each call all that was not asked for."""
    found: dict[Request, list[str]] = {}
    for done in (done for calls in stages.values() for done in calls):
        requests = _pinned(done.call)
        names = sorted(each.offer.name for each in done.chosen if not each.requested)
        if requests and names:
            found[requests[-1]] = names
    return found


def _pinned(call: InstallCommand) -> list[Request]:
    return [request for request in call.requests if request.action == "keep" and not call.script]


def _word(name: str, beside: Request, call: InstallCommand, archives: Archives, form: PinForm) -> str:
    """`name=version` for all platforms of the call, quoted where it holds a `*`."""
    wish = Request(beside.word, "plain", "pin", name=name)
    choice = choose(wish, archives.universes(call), asked=True, form=form)
    if choice.status != "pinned":
        raise Refused(f"{name}: {choice.detail or choice.reason}", hint=choice.hint)
    return f'{name}="{choice.version}"' if "*" in choice.version else f"{name}={choice.version}"


def _edit(file: File, request: Request, words: Sequence[str]) -> Edit:
    """Put the words behind the request's: on lines of their own where it stands on one."""
    text = file.dockerfile.text
    span = request.word.span
    line_start = max(text.rfind("\n", 0, span.start), text.rfind("\r", 0, span.start)) + 1
    indent = text[line_start : span.start]
    between = " "
    if re.fullmatch(r"[ \t]+", indent):
        newline = "\r\n" if text[line_start - 2 : line_start] == "\r\n" else "\n"
        between = f" {file.dockerfile.escape}{newline}{indent}"
    return Edit(Span(span.end, span.end), "".join(between + word for word in words))
