"""Compose files: Dockerfiles in `dockerfile_inline`, and how others are built (Compose specification, "build",
"interpolation", "merge"; `.env` as "Set, use, and manage variables" says it)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from posixpath import dirname, join, relpath
from typing import TYPE_CHECKING

from pinner.edit.span import Joined, Span
from pinner.recipe import builds, scripts
from pinner.recipe.builds import Build
from pinner.recipe.dockerfile import UNREAD, Dockerfile, Instruction, Stage
from pinner.recipe.formats import embedded, yamltext
from pinner.recipe.formats.yamltext import Node, scalar
from pinner.recipe.scripts import Job, Step
from pinner.regex import later
from pinner.shell import prefixes
from pinner.shell.expand import REPLACED
from pinner.values import NamedTuple

if TYPE_CHECKING:
    from pinner.recipe.kinds import Around

#: What stands before a file's own text: the variables of its `.env`, None for one that is not known.
ComposeVariables = Mapping[str, str | None]

_INTERPOLATED = later(
    r"\$(?:(?P<dollar>\$)|(?P<bare>[A-Za-z_]\w*)|\{(?P<name>[A-Za-z_]\w*)(?:(?P<operator>:?[-?+])(?P<operand>[^{}]*))?\}"
    r"|\{[^}]*\})"
)
_UNKNOWN = f"${{{REPLACED}}}"  # what the environment decides
_SETTING = later(
    r"[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)[ \t]*=[ \t]*"
    r"(?:'(?P<single>[^'\n]*)'|\"(?P<double>[^\"\\$\n]*)\"|(?P<plain>[^'\"$\n\\#]*?))[ \t]*(?:(?:^|[ \t])#.*)?"
)
_NAMED = later(r"[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)[ \t]*=")
_DEEPEST = 8


class _Service(NamedTuple):
    """A service's build: its parts by name, nearest first those that are merged into it. `beyond` is the service of
    another file that it extends: the path of that from its own file, and the name."""

    name: Node
    parts: list[Node]
    beyond: tuple[str, str] = ("", "")

    def get(self, key: str) -> Node | None:
        """A part that does not merge."""
        return next((found for part in self.parts if (found := _get(part, key)) is not None), None)

    @property
    def has_context(self) -> bool:
        """Whether it says where its build context is."""
        return any(part.text for part in self.parts) or self.get("context") is not None

    def text(self, key: str, known: ComposeVariables) -> str | None:
        """A part as a text, "" if there is none, None if it is not known."""
        found = self.get(key)
        return "" if found is None else interpolated(found.text, known)

    def pairs(self, key: str) -> Iterator[tuple[str, Node, str | None]]:
        """A part that is a mapping or a list of `NAME=value`: names, where they are set and the values as written."""
        for part in reversed(self.parts):
            found = _get(part, key)
            for each in reversed(found.merges()) if found is not None else ():
                yield from ((name.text, value, value.text) for name, value in each.entries or ())
            for name, value in (found.entries if found is not None else None) or ():
                yield name.text, value, None if _is_null(value) else value.text
            for each in (found.items if found is not None else None) or ():
                key_of, equals, rest = each.text.partition("=")
                yield key_of, each, rest if equals else None


def read(text: str, around: Around) -> Dockerfile:
    """The Dockerfiles of the services. Raises `InputError`."""
    root = yamltext.parse(text)
    known = around.variables
    found: list[Stage] = []
    told: list[Span] = []
    seen: set[Span] = set()
    for service in _services(root):
        node = service.get("dockerfile_inline")
        if node is None or node.source != text or node.span in seen:
            continue
        seen.add(node.span)
        written = scalar(text, node)
        if written is None:
            if prefixes.asks(node.value):
                found.append(_unread(text, service.name, node, len(found)))
            continue
        inner = _interpolated(written, known)
        build = _build("this file", service, known)
        given = _arguments(text, service, known)
        found += embedded.stages(text, inner, service.name.text, len(found), given, build)
        told += embedded.comments(inner)
    commands = scripts.jobs(text, _commands(text, root, known), None)
    found += (each._replace(index=number) for number, each in enumerate(commands.stages, len(found)))
    if root is not None:
        read = [*seen, *(each.span for stage in commands.stages for each in stage.instructions)]
        if rest := tuple(scripts.others(root, read)):
            found.append(Stage(len(found), "elsewhere", "", "of this file", "", None, rest, ()))
    return embedded.parsed(text, found, [*told, *commands.comments])


def _commands(text: str, root: Node | None, known: ComposeVariables) -> Iterator[Job]:
    """What the services' containers run when they start, where that installs packages."""
    services = _get(root, "services") if root is not None else None
    for name, service in (services.entries if services is not None else None) or ():
        image = _get(service, "image")
        built = _get(service, "build") is not None or image is None
        base = "" if built or image is None else interpolated(image.text, known) or ""
        job = Job(name.text, Span(name.span.start, service.span.end), base, base or "of this service")
        for key in ("entrypoint", "command"):
            own = _get(service, key)
            job.steps += _steps(own, lambda inner: _interpolated(inner, known)) if own is not None else ()
        job.steps = [
            each for each in job.steps if each.text.source == text and prefixes.asks(each.text.value)
        ]
        if job.steps:
            yield job


def _steps(command: Node, hidden: Callable[[Joined], Joined]) -> Iterator[Step]:
    """A command line, or a list of words of which the last may be a shell's script."""
    if command.items is None:
        yield Step(command, hidden=hidden)
    elif len(command.items) > 1 and command.items[-2].text[:1] == "-" and "c" in command.items[-2].text:
        yield Step(command.items[-1], command.items[0].text.rpartition("/")[2], hidden=hidden)
    elif len(command.items) == 1:  # the script of a shell that is the entrypoint
        yield Step(command.items[0], hidden=hidden)


def named(text: str) -> list[str]:
    """The files that a file includes, or whose services it extends, by path from it. Raises `InputError`."""
    root = yamltext.parse(text)
    include = _get(root, "include") if root is not None else None
    found = []
    for each in (include.items if include is not None else None) or ():
        path = each.get("path") or each
        found += [one.text for one in path.texts()]
    return [*found, *(each.beyond[0] for each in _services(root))]


def builds_of(
    text: str,
    base: str,
    by: str,
    known: ComposeVariables,
    other: Callable[[str], str] = lambda path: "",
    depth: int = 0,
) -> Iterator[Build]:
    """How the services build what stands in other files. `base` is the text of the file that this one is put over, ""
    for none, `by` what people call the file; `other` is the text of the file at a path from it, "" if it is not
    there. Raises `InputError`."""
    root = yamltext.parse(text)
    below = {each.name.text: each for each in _services(yamltext.parse(base))} if base else {}
    for service in _services(root):
        if service.name.text in below:
            service = service._replace(parts=[*service.parts, *below[service.name.text].parts])
        if service.get("dockerfile_inline") is not None:
            continue
        build = _build(f"{by} ({service.name.text})", service, known)
        file, name = service.beyond
        if file:
            inner = other(file) if depth < _DEEPEST else ""
            relative = partial(_relative, other, dirname(file))
            every = builds_of(inner, "", "", known, relative, depth + 1) if inner else ()
            theirs = next((each for each in every if each.by == f" ({name})"), None)
            if theirs:
                build = _over(service, build, theirs, dirname(file))
            elif not service.has_context:
                continue
        if build.dockerfile:
            yield build


def _relative(other: Callable[[str], str], folder: str, path: str) -> str:
    return other(join(folder, path))


def _over(service: _Service, own: Build, theirs: Build, folder: str) -> Build:
    """A build that extends one of a file in another folder: what it does not say itself is theirs."""
    context = join(folder, theirs.context) if theirs.context else ""
    name = relpath(theirs.dockerfile, theirs.context or ".")
    if service.has_context:
        context = own.context
    if service.get("dockerfile") is not None:
        name = relpath(own.dockerfile, own.context or ".")
    return theirs._replace(
        by=own.by,
        dockerfile=join(context, name) if context and own.dockerfile else "",
        context=context,
        args={**theirs.args, **own.args},
        contexts={**theirs.contexts, **own.contexts},
        target=own.target or theirs.target,
    )


def variables(text: str) -> dict[str, str | None]:
    """What a `.env` file sets."""
    found: dict[str, str | None] = {}
    for line in text.splitlines():
        if match := _SETTING.fullmatch(line):
            found[match[1]] = match["single"] or match["double"] or match["plain"] or ""
        elif match := _NAMED.match(line):
            found[match[1]] = None
    return found


def interpolated(text: str, known: ComposeVariables) -> str | None:
    """A value as Compose reads it, None where the environment decides."""
    found = _interpolated(Joined.without(text, Span(0, len(text)), ()), known).text
    return None if _UNKNOWN in found else found


def _interpolated(text: Joined, known: ComposeVariables) -> Joined:
    """A text as Compose hands it over: `$$` is a dollar sign, what the environment decides is not known."""
    return text.read_as(
        [(*match.span(), _meaning(match, known)) for match in _INTERPOLATED.finditer(text.text)]
    )


def _meaning(match: re.Match[str], known: ComposeVariables) -> str:
    if match["dollar"]:
        return "$"
    name, operator = match["bare"] or match["name"], match["operator"] or ""
    if name is None or "$" in (match["operand"] or ""):
        return _UNKNOWN
    value = known.get(name, "" if name not in known else None)
    there = value is not None and (name in known if operator[:1] != ":" else bool(value))
    if operator.endswith("+"):
        return _UNKNOWN if value is None else match["operand"] if there else ""
    if name not in known and not operator.endswith("-"):
        return _UNKNOWN
    if value is None:
        return _UNKNOWN
    return value if there or not operator.endswith("-") else match["operand"]


def _services(root: Node | None) -> Iterator[_Service]:
    services = _get(root, "services") if root is not None else None
    own = services.named() if services is not None else {}
    for name, service in own.values():
        parts: list[Node] = []
        beyond = "", ""
        todo, seen = service, {name.text}
        for _ in range(_DEEPEST):
            build = _get(todo, "build")
            if build is not None:
                parts += [build]
            extends = _get(todo, "extends")
            if extends is None:
                break
            outer = extends.get("service") if extends.entries is not None else extends
            if (file := extends.get("file")) is not None and outer is not None:
                beyond = file.text, outer.text
            if outer is None or file is not None or outer.text not in own or outer.text in seen:
                break
            seen.add(outer.text)
            todo = own[outer.text][1]
        if parts or beyond[0]:
            yield _Service(name, [each for part in parts for each in (part, *part.merges())], beyond)


def _get(node: Node, key: str) -> Node | None:
    """The value of a key of a mapping, or of what is merged into it."""
    merged = node.merges() if node.entries is not None else ()
    return next((found for each in (node, *merged) if (found := each.get(key)) is not None), None)


def _build(by: str, service: _Service, known: ComposeVariables) -> Build:
    short = next((part.text for part in service.parts if part.text), "")
    context = interpolated(short, known) if short else service.text("context", known)
    name = service.text("dockerfile", known)
    here = context is not None and "://" not in context and not context.startswith("git@")
    folder = (context or ".") if here else ""
    args = {
        key: interpolated(text, known) if text is not None else known.get(key)
        for key, _, text in service.pairs("args")
    }
    contexts = {
        key: builds.image(interpolated(text or "", known) or "")
        for key, _, text in service.pairs("additional_contexts")
    }
    dockerfile = f"{folder}/{name or 'Dockerfile'}" if here and name is not None else ""
    return Build(by, dockerfile, folder, args, contexts, service.text("target", known) or "")


def _arguments(text: str, service: _Service, known: ComposeVariables) -> dict[str, Joined | None]:
    """What `args` gives to a Dockerfile in the file; None where the environment decides."""
    found: dict[str, Joined | None] = {}
    for name, node, value in service.pairs("args"):
        whole = scalar(text, node) if node.source == text and value else None
        if whole is None:
            found[name] = None
            continue
        own = whole.part(len(whole.text) - len(value or ""), len(whole.text))
        inner = _interpolated(own, known)
        found[name] = None if _UNKNOWN in inner.text else inner
    return found


def _is_null(node: Node) -> bool:
    return not node.style and node.items is None and node.entries is None and node.value in ("", "~", "null")


def _unread(text: str, name: Node, node: Node, index: int) -> Stage:
    why = ("yaml", "how this string is written in YAML is not followed")
    run = Instruction(UNREAD, node.span, node.span, Joined.without(text, node.span, ()), argv=why)
    return Stage(index, name.text, "", "of this service", "", None, (run,), ())
