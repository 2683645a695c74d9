"""Bake files: Dockerfiles in `dockerfile-inline`, and how others are built (Docker docs, "Bake file reference").

The environment may set a variable otherwise than its default says, as it may an ARG; the default is what counts here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, product
from typing import TYPE_CHECKING

from pinner.edit.span import Joined, Span
from pinner.recipe import builds
from pinner.recipe.builds import Build
from pinner.recipe.dockerfile import UNREAD, Dockerfile, Instruction, Stage
from pinner.recipe.formats import embedded, hcl
from pinner.recipe.formats.hcl import NULL, Expression, HclBody, HclValue
from pinner.shell import prefixes
from pinner.values import NamedTuple

if TYPE_CHECKING:
    from pinner.recipe.kinds import Around

_MOST = 64  # combinations of a matrix
_DEEPEST = 20


class _Target(NamedTuple):
    """A target with what it inherits. `parts` of a mapping come the nearest last; `known` are the values of names, once
    for each combination of its matrix."""

    name: str
    attributes: dict[str, Expression]
    parts: dict[str, list[Expression]]
    known: Sequence[Mapping[str, HclValue]]

    def pairs(self, key: str, known: Mapping[str, HclValue]) -> Iterator[tuple[str, Expression]]:
        """A mapping's entries."""
        for part in self.parts.get(key, ()):
            for name, own in part.entries:
                if isinstance(text := hcl.value(name, known), str):
                    yield text, own

    def text(self, key: str, known: Mapping[str, HclValue], default: str) -> str | None:
        """An attribute that is a text, None if it is not known."""
        found = hcl.value(self.attributes[key], known) if key in self.attributes else default
        return default if found is NULL else found if isinstance(found, str) else None


def read(text: str, around: Around) -> Dockerfile:
    """The Dockerfiles of the targets. Raises `InputError`."""
    found: list[Stage] = []
    told: list[Span] = []
    seen: set[Span] = set()
    for target in _targets([_body(text)]):
        own = target.attributes.get("dockerfile-inline")
        if own is None or own.kind == "null":
            continue
        if own.text is None:
            place = Span(0, 0)
            if prefixes.asks(text):
                found.append(_unread(text, target.name, place, len(found)))
            continue
        place = own.text.span(0, len(own.text.text))
        inner = hcl.joined(own, _agreed(target.known))
        if inner is None or place in seen:
            continue
        seen.add(place)
        given = {name: hcl.joined(each, _agreed(target.known)) for name, each in _arguments(target)}
        given = {
            name: each if each and hcl.UNKNOWN not in each.text else None for name, each in given.items()
        }
        (build, *_) = _builds(target, "this file")
        found += embedded.stages(text, inner, target.name, len(found), given, build)
        told += embedded.comments(inner)
    return embedded.parsed(text, found, told)


def builds_of(texts: Mapping[str, str]) -> Iterator[Build]:
    """How the targets build what stands in other files. `texts` are files that are put one over the other, by what
    people call each. Raises `InputError`."""
    by = next(iter(texts))
    for target in _targets([_body(text) for text in texts.values()]):
        if "dockerfile-inline" not in target.attributes:
            yield from (each for each in _builds(target, f"{by} ({target.name})") if each.dockerfile)


def _body(text: str) -> HclBody:
    return hcl.read_json(text) if text.lstrip("\ufeff \t\r\n").startswith("{") else hcl.read(text)


def _targets(bodies: Sequence[HclBody]) -> Iterator[_Target]:
    """The targets that can be built: one that others inherit is none, unless a group names it."""
    variables: dict[str, HclValue] = {}
    blocks: dict[str, list[HclBody]] = {}
    named: set[str] = set()
    inherited: set[str] = set()
    for body in bodies:
        for name, own in body.attributes.items():
            variables[name] = hcl.value(own, variables)
        for name, own_body in body.labelled("variable"):
            default = own_body.attributes.get("default")
            variables[name] = hcl.value(default, variables) if default is not None else None
    for body in bodies:
        for name, own_body in body.labelled("target"):
            blocks.setdefault(name, []).append(own_body)
            inherited |= set(_names(own_body, "inherits", variables))
        for _, own_body in body.labelled("group"):
            named |= set(_names(own_body, "targets", variables))
    inherited -= named
    for name in blocks:
        if name in inherited:
            continue
        attributes: dict[str, Expression] = {}
        parts: dict[str, list[Expression]] = {}
        _gather(name, blocks, variables, attributes, parts, 0)
        yield _Target(name, attributes, parts, _combinations(attributes.get("matrix"), variables))


def _names(body: HclBody, key: str, known: Mapping[str, HclValue]) -> list[str]:
    found = hcl.value(body.attributes[key], known) if key in body.attributes else None
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []


def _gather(
    name: str,
    blocks: Mapping[str, Sequence[HclBody]],
    known: Mapping[str, HclValue],
    attributes: dict[str, Expression],
    parts: dict[str, list[Expression]],
    depth: int,
) -> None:
    """Adds what a target says to what it inherits, which comes first."""
    for body in blocks.get(name, ()) if depth < _DEEPEST else ():
        for parent in _names(body, "inherits", known):
            _gather(parent, blocks, known, attributes, parts, depth + 1)
        attributes |= {key: own for key, own in body.attributes.items() if depth == 0 or key != "matrix"}
        for key in ("args", "contexts"):
            if key in body.attributes:
                parts.setdefault(key, []).append(body.attributes[key])
            for _, inner in body.labelled(key):  # a mapping may also be written as a block
                entries = tuple((_text(each), own) for each, own in inner.attributes.items())
                parts.setdefault(key, []).append(Expression("object", entries=entries))


def _text(text: str) -> Expression:
    return Expression("template", Joined.without(text, Span(0, len(text)), ()))


def _combinations(matrix: Expression | None, known: Mapping[str, HclValue]) -> list[dict[str, HclValue]]:
    axes = hcl.value(matrix, known) if matrix is not None else {}
    if not isinstance(axes, dict) or not all(isinstance(each, list) for each in axes.values()):
        return [dict(known)]
    lists = [each for each in axes.values() if isinstance(each, list)]
    found = list(islice(product(*lists), _MOST + 1))
    if len(found) > _MOST:
        return [{**known, **dict.fromkeys(axes)}]
    return [{**known, **dict(zip(axes, each, strict=True))} for each in found]


def _agreed(known: Sequence[Mapping[str, HclValue]]) -> dict[str, HclValue]:
    """The values that are the same in all combinations."""
    first = known[0] if known else {}
    return {
        name: value if all(each[name] == value for each in known) else None for name, value in first.items()
    }


def _arguments(target: _Target) -> Iterator[tuple[str, Expression]]:
    known = _agreed(target.known)
    return ((name, own) for name, own in target.pairs("args", known) if own.kind != "null")


def _builds(target: _Target, by: str) -> Iterator[Build]:
    for known in target.known:
        context = target.text("context", known, ".")
        name = target.text("dockerfile", known, "Dockerfile")
        here = context is not None and "://" not in context and not context.startswith(("target:", "git@"))
        folder = (context or ".") if here else ""
        args = {name: hcl.value(own, known) for name, own in target.pairs("args", known)}
        contexts = {name: hcl.value(own, known) for name, own in target.pairs("contexts", known)}
        yield Build(
            by,
            f"{folder}/{name}" if here and name else "",
            folder,
            {key: each if isinstance(each, str) else None for key, each in args.items() if each is not NULL},
            {key: builds.image(each) if isinstance(each, str) else None for key, each in contexts.items()},
            target.text("target", known, "") or "",
        )


def _unread(text: str, name: str, place: Span, index: int) -> Stage:
    why = ("bake", "how this Dockerfile is put together is not followed")
    run = Instruction(UNREAD, place, place, Joined.without(text, place, ()), argv=why)
    return Stage(index, name, "", "of this target", "", None, (run,), ())
