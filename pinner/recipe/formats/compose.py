"""Compose files: Dockerfiles in `dockerfile_inline`, and how others are built (Compose specification, "build",
"interpolation", "merge"; `.env` as "Set, use, and manage variables" says it)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from posixpath import dirname, join, normpath
from types import MappingProxyType
from typing import TYPE_CHECKING

from pinner.edit.span import Joined, Span
from pinner.errors import InputError
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
_THIS = "this file"
_MOST = 100_000  # services and files that are included, over all files of a project
_ENDS = ("!reset", "!override")  # what is below does not count


class _Part(NamedTuple):
    """A `build` of a service, or what is merged into it: its file, what its paths begin at, and the variables that it
    may use. One that is `last` is put over nothing."""

    node: Node
    file: str
    folder: str
    known: ComposeVariables
    last: bool


class _Service(NamedTuple):
    """A service's build: its parts, nearest first those that it is put over, that it extends or that are merged."""

    name: Node
    folder: str
    parts: list[_Part]

    def every(self, key: str) -> Iterator[tuple[_Part, Node]]:
        """What the parts say of `key`, nearest first, as far as it counts (Compose, "Reset value", "Replace value")."""
        for part in self.parts:
            node = _get(part.node, key)
            if node is not None and node.tag != "!reset":
                yield part, node
            if node is not None and node.tag in _ENDS:
                return

    def get(self, key: str) -> Node | None:
        """A part that does not merge."""
        return next((node for _, node in self.every(key)), None)

    def text(self, key: str) -> str | None:
        """A part as a text, "" if there is none, None if it is not known."""
        return next((interpolated(node.text, part.known) for part, node in self.every(key)), "")

    def pairs(self, key: str) -> dict[str, tuple[Node, str | None, ComposeVariables]]:
        """A part that is a mapping or a list of `NAME=value`, by name: where each is set, its value as written (None:
        as the environment says) and the variables that this may use."""
        pairs: dict[str, tuple[Node, str | None, ComposeVariables]] = {}
        for part, found in reversed([*self.every(key)]):
            entries = [pair for each in reversed(found.merges()) for pair in each.entries or ()]
            for name, value in (*entries, *(found.entries or ())):
                pairs[name.text] = value, None if _is_null(value) else value.text, part.known
                if value.tag == "!reset":
                    del pairs[name.text]
            for each in found.items or ():
                name_of, equals, rest = each.text.partition("=")
                pairs[name_of] = each, rest if equals else None, part.known
        return pairs


class Files:
    """The Compose files of a project, by path from its root. `read` gives the text of such a file, "" if it is not
    there, `variables` are those of the `.env` files by folder. Its methods raise `InputError`."""

    def __init__(
        self, read: Callable[[str], str], variables: Mapping[str, ComposeVariables] = MappingProxyType({})
    ) -> None:
        self._read = read
        self._variables = variables
        self._roots: dict[str, Node | None] = {}
        self._left = _MOST
        self._used: dict[str, dict[int, ComposeVariables]] = {}

    def builds(self, paths: Sequence[str], by: str) -> Iterator[Build]:
        """How the services build what stands in other files, all by path from the root; of a file of which one stands
        in `dockerfile_inline`, where several have a say in it. Each of `paths` is put over those before it, `by` is
        what people call them."""
        folder = dirname(paths[0])
        for service in self.services(paths, folder, self._variables.get(folder, {})).values():
            build = _build(f"{by} ({service.name.text})", service)
            inline = next((part.file for part, _ in service.every("dockerfile_inline")), "")
            if inline and len({each.file for each in service.parts}) > 1:
                yield build._replace(dockerfile=inline, context="")
            elif build.dockerfile and not inline:
                yield build

    def services(
        self,
        paths: Sequence[str],
        folder: str,
        known: ComposeVariables,
        seen: set[tuple[str, ...]] | None = None,
        depth: int = 0,
    ) -> dict[str, _Service]:
        """The services that are built, by name, with those of files that are included."""
        seen = set() if seen is None else seen
        if depth > _DEEPEST or (folder, *paths) in seen:
            return {}
        seen.add((folder, *paths))
        found: dict[str, _Service] = {}
        for path in dict.fromkeys(paths):
            include = _get_of(self._root(path), "include")
            for each in (include.items if include is not None else None) or ():
                self._count()
                inner = [*self._places(each.get("path") or each, folder, known)]
                of, env = each.get("project_directory"), each.get("env_file")
                own = next(self._places(of, folder, known) if of else map(dirname, inner), None)
                if own is None or not inner:
                    continue
                given = dict(self._variables.get(own, {})) if env is None else {}
                for name in self._places(env, folder, known):
                    given |= settings(self._read(name))
                found = {**self.services(inner, own, {**given, **known}, seen, depth + 1), **found}
            for at, _ in self._named(path).values():
                self._count()
                service = _Service(at, folder, [*self._parts(path, at.text, folder, known)])
                below = found.get(at.text)
                if below is not None and not any(each.last for each in service.parts):
                    service = service._replace(folder=below.folder, parts=[*service.parts, *below.parts])
                if service.parts:
                    found[at.text] = service
        return found

    def _parts(self, path: str, name: str, folder: str, known: ComposeVariables) -> Iterator[_Part]:
        """The parts of a service and of those that it extends."""
        seen: set[tuple[str, str]] = set()
        while (path, name) not in seen and len(seen) < _DEEPEST:
            seen.add((path, name))
            self._used.setdefault(path, {})[id(known)] = known
            service = self._named(path).get(name, (None, None))[1]
            if service is None:
                return
            build = _get(service, "build")
            if build is not None:
                last = build.tag in _ENDS
                node = Node(build.span, entries=[]) if build.tag == "!reset" else build
                yield from (_Part(each, path, folder, known, last) for each in (node, *node.merges()))
                if last:
                    return
            extends = _get(service, "extends")
            if extends is None:
                return
            outer = extends.get("service") if extends.entries is not None else extends
            name = outer.text if outer is not None else ""
            if extends.get("file") is not None:
                place = next(self._places(extends.get("file"), folder, known), None)
                if place is None:
                    return
                path, folder = place, dirname(place)

    def _places(self, node: Node | None, folder: str, known: ComposeVariables) -> Iterator[str]:
        """The paths that a text or a list of texts means, as far as they are known and lie in the project."""
        for each in node.texts() if node is not None else ():
            path = normpath(join(folder, interpolated(each.text, known) or ".."))
            if not path.startswith(("..", "/")):
                yield "" if path == "." else path

    def _count(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise InputError(
                f"the Compose files of the project bring in more than {_MOST} services and files"
            )

    def variables(self) -> Iterator[tuple[str, ComposeVariables]]:
        """The variables of each file that was read: None for what those that bring it in do not agree on."""
        for path, each in self._used.items():
            first, *others = each.values()
            names = {name for known in each.values() for name in known}
            same = {
                name for name in names if all(known.get(name, 0) == first.get(name, 0) for known in others)
            }
            yield path, {name: first.get(name) if name in same else None for name in names}

    def _named(self, path: str) -> dict[str, tuple[Node, Node]]:
        services = _get_of(self._root(path), "services")
        return services.named() if services is not None else {}

    def _root(self, path: str) -> Node | None:
        if path not in self._roots:
            self._roots[path] = yamltext.parse(self._read(path))
        return self._roots[path]


def read(text: str, around: Around) -> Dockerfile:
    """The Dockerfiles of the services. Raises `InputError`."""
    root = yamltext.parse(text)
    known = around.variables
    found: list[Stage] = []
    told: list[Span] = []
    seen: set[Span] = set()
    for service in Files(lambda path: text if path == _THIS else "").services([_THIS], "", known).values():
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
        given = _arguments(text, service, around.builds)
        found += embedded.stages(text, inner, service.name.text, len(found), given, _build(_THIS, service))
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


def settings(text: str) -> dict[str, str | None]:
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


def _get_of(node: Node | None, key: str) -> Node | None:
    return _get(node, key) if node is not None else None


def _get(node: Node, key: str) -> Node | None:
    """The value of a key of a mapping, or of what is merged into it."""
    merged = node.merges() if node.entries is not None else ()
    return next((found for each in (node, *merged) if (found := each.get(key)) is not None), None)


def _build(by: str, service: _Service) -> Build:
    context: str | None = "."
    folder = service.folder
    for part in service.parts:
        written = part.node if part.node.text else _get(part.node, "context")
        if written is not None and written.tag != "!reset":
            context, folder = interpolated(written.text, part.known), part.folder
            break
    name = service.text("dockerfile")
    here = context is not None and "://" not in context and not context.startswith("git@")
    folder = join(folder, context or ".") if here else ""
    args = {
        key: interpolated(text, known) if text is not None else known.get(key)
        for key, (_, text, known) in service.pairs("args").items()
    }
    contexts = {
        key: builds.image(interpolated(text or "", known) or "")
        for key, (_, text, known) in service.pairs("additional_contexts").items()
    }
    dockerfile = f"{folder}/{name or 'Dockerfile'}" if here and name is not None else ""
    return Build(by, dockerfile, folder, args, contexts, service.text("target") or "")


def _arguments(text: str, service: _Service, ways: Sequence[Build]) -> dict[str, Joined | None]:
    """What `args` gives to a Dockerfile in the file; None where the environment decides, or files that this one is
    brought in by (`ways`)."""
    found: dict[str, Joined | None] = {}
    for name, (node, value, known) in service.pairs("args").items():
        whole = scalar(text, node) if node.source == text and value else None
        if whole is None:
            found[name] = None
            continue
        own = whole.part(len(whole.text) - len(value or ""), len(whole.text))
        inner = _interpolated(own, known)
        found[name] = None if _UNKNOWN in inner.text else inner
    for way in ways:
        for name in {*way.args, *found}:
            given = found.get(name)
            if given is None or given.text != way.args.get(name):
                found[name] = None
    return found


def _is_null(node: Node) -> bool:
    return not node.style and node.items is None and node.entries is None and node.value in ("", "~", "null")


def _unread(text: str, name: Node, node: Node, index: int) -> Stage:
    why = ("yaml", "how this string is written in YAML is not followed")
    run = Instruction(UNREAD, node.span, node.span, Joined.without(text, node.span, ()), argv=why)
    return Stage(index, name.text, "", "of this service", "", None, (run,), ())
