"""Words that go on the line along with what was asked for: strict siblings, or the whole closure.

A pin fixes one name. Where a pinned package needs another one `(= version)`, that sibling's next upload breaks the
line, since apt takes candidates for what the line does not name (apt-get(8), `package=version`). With the sibling
pinned on the same line, or with all that the call brings in, it does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from pinner.edit.span import Edit, Span
from pinner.errors import Refused
from pinner.recipe.installs import Request
from pinner.resolve.resolution import Chosen
from pinner.resolve.universe import Offer
from pinner.stages.archives import Archives
from pinner.stages.choice import Choice, choose, short
from pinner.stages.install_commands import Call, File
from pinner.stages.policy import Form
from pinner.stages.suites import Along
from pinner.workflow.closure import Closures, Installed


def edits(
    file: File, choices: Mapping[Request, Choice], archives: Archives, along: Along, form: Form
) -> tuple[Edit, ...]:
    """The edits that add these words to a file whose other words are pinned already.

    Raises `Refused` where the platforms of a call need different words, since they share one line, and where what a
    call brings in is not known.
    """
    made = []
    for call, by_platform in _installed(file, choices, archives).items():
        for request, names in _added(call, by_platform, along).items():
            words = [_word(name, request, call, archives, form) for name in names]
            made.append(_edit(file, request, words))
    return tuple(made)


def brings_in(
    file: File, choices: Mapping[Request, Choice], archives: Archives
) -> tuple[tuple[str, frozenset[Offer]], ...]:
    """What the calls of a file bring in, by platform, in order: the same before and after companions were added."""
    return tuple(
        (platform, frozenset(each.offer for each in done.chosen))
        for by_platform in _installed(file, choices, archives).values()
        for platform, done in by_platform.items()
    )


def _installed(
    file: File, choices: Mapping[Request, Choice], archives: Archives
) -> dict[Call, dict[str, Installed]]:
    closures = Closures(archives)
    platforms = dict.fromkeys(platform for call in file.calls() for platform in call.base.platforms)
    found: dict[Call, dict[str, Installed]] = {}
    for platform in platforms:
        for calls in closures.of(file, choices, platform).values():
            for done in calls:
                if done.problem is not None:
                    line, _ = file.lines.position(done.call.install.span.start)
                    raise Refused(
                        f"{file.path}:{line}: what is needed beside its arguments is not known: {done.problem.message}"
                    )
                found.setdefault(done.call, {})[platform] = done
    return found


def _added(call: Call, by_platform: Mapping[str, Installed], along: Along) -> dict[Request, tuple[str, ...]]:
    """The names to add behind each word, the same for all platforms."""
    pick = _siblings if along == "siblings" else _closure
    each = {platform: dict(pick(call, done.chosen)) for platform, done in by_platform.items()}
    first = next(iter(each.values()))
    for platform, other in each.items():
        differing = {
            name
            for request in {*first, *other}
            for name in {*first.get(request, ())} ^ {*other.get(request, ())}
        }
        if differing:
            raise Refused(
                f"{', '.join(sorted(differing))} would not be on the line for {short(platform)} as for the others",
                hint="lock one platform by --platform",
            )
    return first


def _siblings(call: Call, chosen: Sequence[Chosen]) -> Iterator[tuple[Request, tuple[str, ...]]]:
    """For each word what its package, or a sibling of it, needs in exactly one version."""
    tied: dict[str, list[str]] = {}
    asked = {each.offer.name for each in chosen if each.requested}
    for each in chosen:
        for cause in each.causes:
            if cause.need is None or cause.parent is None or not cause.need.critical:
                continue
            if any(relation.op == "=" and relation.name == each.offer.name for relation in cause.need.clause):
                tied.setdefault(cause.parent.name, []).append(each.offer.name)
    taken = set(asked)
    for request in _pinned(call):
        names: list[str] = []
        waiting = [request.name]
        while waiting:
            for name in tied.get(waiting.pop(0), ()):
                if name not in taken:
                    taken.add(name)
                    names.append(name)
                    waiting.append(name)
        if names:
            yield request, tuple(names)


def _closure(call: Call, chosen: Sequence[Chosen]) -> Iterator[tuple[Request, tuple[str, ...]]]:
    """Behind the last word all that was not asked for."""
    requests = _pinned(call)
    names = tuple(sorted(each.offer.name for each in chosen if not each.requested))
    if requests and names:
        yield requests[-1], names


def _pinned(call: Call) -> list[Request]:
    return [request for request in call.requests if request.action == "keep"]


def _word(name: str, beside: Request, call: Call, archives: Archives, form: Form) -> str:
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
