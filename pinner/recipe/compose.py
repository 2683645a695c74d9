"""Compose files: Dockerfiles in `dockerfile_inline` (Compose specification, "build", "interpolation")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pinner.edit.span import Joined, Span
from pinner.recipe import embedded, yamltext
from pinner.recipe.dockerfile import UNREAD, Dockerfile, Instruction, Stage
from pinner.recipe.yamltext import Node, scalar
from pinner.regex import later
from pinner.shell import prefixes

if TYPE_CHECKING:
    from pinner.recipe.kinds import Around

_INTERPOLATED = later(r"\$(?:\$|\w+|\{[^}]*\})")
# A word that no Dockerfile knows stands for what the environment decides.
_UNKNOWN = "${replaced_by_compose}"


def read(text: str, around: Around) -> Dockerfile:
    """The Dockerfiles of the services. Raises `InputError`."""
    root = yamltext.parse(text)
    found: list[Stage] = []
    told: list[Span] = []
    services = root.get("services") if root is not None else None
    for name, service in (services.entries if services is not None else None) or ():
        build = service.get("build")
        node = build.get("dockerfile_inline") if build is not None and build.entries is not None else None
        if build is None or node is None or node.source != text:
            continue
        written = scalar(text, node)
        if written is None:
            if prefixes.asks(node.value):
                found.append(_unread(text, name, node, len(found)))
            continue
        inner = _interpolated(written)
        found += embedded.stages(text, inner, name.text, len(found), _arguments(text, build.get("args")))
        told += embedded.comments(inner)
    return embedded.parsed(text, found, told)


def _interpolated(text: Joined) -> Joined:
    """A text as Compose hands it over: `$$` is a dollar sign, what the environment decides is not known."""
    ranges = [
        (*match.span(), "$" if match[0] == "$$" else _UNKNOWN) for match in _INTERPOLATED.finditer(text.text)
    ]
    return text.read_as(ranges)


def _arguments(text: str, node: Node | None) -> dict[str, Joined | None]:
    """What `args` gives, a mapping or a list of `NAME=value`; None where the environment decides."""
    found: dict[str, Joined | None] = {}
    if node is None:
        return found
    for name, value in node.entries or ():
        known = value.source == text and value.value and "$" not in value.value
        found[name.text] = scalar(text, value) if known else None
    for each in node.items or ():
        key, equals, rest = each.text.partition("=")
        whole = scalar(text, each) if equals and "$" not in rest else None
        found[key] = whole.part(len(key) + 1, len(whole.text)) if whole is not None else None
    return found


def _unread(text: str, name: Node, node: Node, index: int) -> Stage:
    why = ("yaml", "how this string is written in YAML is not followed")
    run = Instruction(UNREAD, node.span, node.span, Joined.without(text, node.span, ()), argv=why)
    return Stage(index, name.text, "", "of this service", "", None, (run,), ())
