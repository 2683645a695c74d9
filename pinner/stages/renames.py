"""Virtual packages that one package provides, renamed to that package, so that it can have a pin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pinner.edit.span import Edit, Span, apply
from pinner.stages.archives import Archives
from pinner.stages.install_commands import File
from pinner.stages.suites import Options
from pinner.stages.unreachable import prepare
from pinner.values import NamedTuple


class Renamed(NamedTuple):
    """The files, by path, with the names written, and a note about each name."""

    texts: Mapping[str, str]
    notes: tuple[str, ...]


def renamed(texts: Mapping[str, str], told: Mapping[str, Options], archives: Archives) -> Renamed:
    """The files with each virtual name that may have a pin replaced by the one package that provides it.

    Raises as `Archives.prepare_each`.
    """
    notes: dict[str, None] = {}
    found = dict(texts)
    for file in prepare(texts, told, archives).files:
        names: dict[Span, set[str]] = {}
        for span, name in _names(file, archives):
            names.setdefault(span, set()).add(name)
        edits = [Edit(span, each.pop()) for span, each in names.items() if len(each) == 1 and "" not in each]
        found[file.path] = apply(texts[file.path], edits)
        for edit in edits:
            note = (
                f"{edit.span.of(texts[file.path])} is renamed to {edit.replacement}, which alone provides it"
            )
            notes[note] = None
    return Renamed(found, tuple(notes))


def _names(file: File, archives: Archives) -> Iterator[tuple[Span, str]]:
    """Where names stand that may have a pin, and the package that provides them; "" for those that stay."""
    text = file.dockerfile.text
    for call in file.calls():
        for request in call.requests:
            if request.action != "pin":
                continue
            end = request.at - (len(request.arch) + 1 if request.arch else 0)
            span = Span(end - len(request.name), end)
            if span.of(text) != request.name:
                continue
            choice = archives.choose(call, request, doubts=())
            real = {offer.name for offer in (choice.offers or {}).values()}
            yield span, real.pop() if choice.reason == "virtual" and len(real) == 1 else ""
