"""Ansible's tasks and playbooks: the `apt` module, `shell` and `command` (Ansible docs, "ansible.builtin.apt")."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pinner.edit.span import Joined
from pinner.recipe import scripts
from pinner.recipe.dockerfile import Dockerfile
from pinner.recipe.formats import yamltext
from pinner.recipe.formats.yamltext import Node, scalar
from pinner.recipe.scripts import Job, Step
from pinner.regex import later

if TYPE_CHECKING:
    from pinner.recipe.kinds import Around

_SECTIONS = ("pre_tasks", "tasks", "post_tasks", "handlers", "block", "rescue", "always")
_BUILTIN = ("", "ansible.builtin.", "ansible.legacy.")
_TEMPLATE = later(r"\{\{.*?\}\}|\{%.*?%\}")
_WHOLE = later(r"\{\{\s*(\w+)\s*\}\}")
_WORD = later(r"[^\s,]+")
_PAIR = later(
    r"""(?:^|\s)(?P<key>\w+)=(?:"(?P<quoted>[^"]*)"|'(?P<single>[^']*)'|(?P<plain>(?:\{\{.*?\}\}|\S)+))"""
)
_YES = ("true", "yes", "on", "1")
_UPGRADE = ("upgrade", "an upgrade installs whatever versions are current, without regard to the pins")
_LATEST = ("latest", "the state `latest` installs the version of the day, and takes no other")
_UNKNOWN = ("variable-unknown", "a variable says which packages are installed")
_WRITING = ("copy", "template", "get_url", "lineinfile", "blockinfile", "replace")
_PLAIN_PATH = later(r"[\w/.-]+")
_DEEPEST = 20


def read(text: str, around: Around) -> Dockerfile:
    """The tasks as one job on a host that is not known. Raises `InputError`."""
    root = yamltext.parse(text)
    if root is None:
        return Dockerfile(text, "\\", (), ())
    job = Job("tasks", root.span, raw="of these hosts")
    job.steps += _steps(text, root, ())
    return scripts.jobs(text, iter([job]), root)


def _steps(text: str, tasks: Node, outer: tuple[Node, ...]) -> Iterator[Step]:
    """What tasks install; `outer` are the plays and blocks that they stand in, which may set variables."""
    for task in tasks.items or ():
        if len(outer) > _DEEPEST or task.entries is None or task.source != text:
            continue
        scopes = (*outer, task)
        for section in _SECTIONS:
            if (own := task.get(section)) is not None:
                yield from _steps(text, own, scopes)
        yield from _sources(task)
        action = task.get("action") or task.get("local_action")
        if action is not None and action.text.partition(" ")[0] in [f"{prefix}apt" for prefix in _BUILTIN]:
            yield from _free(text, action, scopes)
        for prefix in _BUILTIN:
            if (apt := task.get(f"{prefix}apt")) is not None:
                yield from _apt(text, apt, scopes)
            for module in ("shell", "command", "raw"):
                if (run := task.get(f"{prefix}{module}")) is not None:
                    command = run.get("cmd") if run.entries is not None else run
                    if command is not None and command.items is None and command.entries is None:
                        yield Step(command, hidden=_TEMPLATE)


def _sources(task: Node) -> Iterator[Step]:
    """What a task adds to apt's sources and preferences."""
    for name, module in task.entries or ():
        kind = name.text.rpartition(".")[2]
        args = {key.text: value.text for key, value in module.entries or ()}
        args |= {
            match["key"]: match["quoted"] or match["single"] or match["plain"] or ""
            for match in _PAIR.finditer(module.text)
        }
        if args.get("state") == "absent":
            continue
        place = args.get("dest") or args.get("path") or ""
        if kind == "apt_repository":
            yield Step(module, adds=args.get("repo") or "/etc/apt/sources.list.d/x.list", hidden=_TEMPLATE)
        elif kind == "deb822_repository":
            yield Step(module, adds="/etc/apt/sources.list.d/x.list")
        elif kind in _WRITING and place.startswith(("/etc/apt/sources.list", "/etc/apt/preferences")):
            file = place if _PLAIN_PATH.fullmatch(place) else "/etc/apt/sources.list.d/x.list"
            yield Step(module, adds=file)


def _apt(text: str, apt: Node, scopes: tuple[Node, ...]) -> Iterator[Step]:
    """What one use of the apt module installs."""
    if apt.entries is None:
        yield from _free(text, apt, scopes)
        return
    args = {name.text: value for name, value in apt.entries}
    if args.get("upgrade", apt).text.lower() not in ("", "no", "false"):
        yield Step(args["upgrade"], unread=_UPGRADE)
    if "deb" in args:
        yield Step(args["deb"], unread=("dpkg", "a package file is installed, which no pin names"))
    state = args["state"].text if "state" in args else "present"
    node = next((args[key] for key in ("name", "pkg", "package") if key in args), None)
    if node is None or state in ("absent", "build-dep"):
        if state == "build-dep" and node is not None:
            why = (
                "build-dep",
                "what a source package needs to be built is installed, in versions that no pin names",
            )
            yield Step(node, unread=why)
        return
    node = _meant(text, node.text, scopes) or node
    yield from _named(text, list(node.texts()), state, node)


def _meant(text: str, value: str, scopes: tuple[Node, ...]) -> Node | None:
    """The list that a template stands for: a task's loop, or a variable of the file that nothing else in it uses."""
    match = _WHOLE.fullmatch(value)
    if match is None:
        return None
    name = match[1]
    if name == "item":
        loop = next((own for key in ("loop", "with_items") if (own := scopes[-1].get(key)) is not None), None)
        when = scopes[-1].get("when")
        if when is not None and any("item" in each.text for each in when.texts()):
            return None  # it would see the pins
        if loop is None or loop.items is not None:
            return loop
        return _meant(text, loop.text, scopes)
    for scope in reversed(scopes):
        variables = scope.get("vars")
        found = variables.get(name) if variables is not None else None
        if found is not None and len(re.findall(rf"\b{name}\b", text)) == 2:
            return found if found.entries is None else None
    return None


def _free(text: str, apt: Node, scopes: tuple[Node, ...]) -> Iterator[Step]:
    """The same where it is one string, `name=curl state=present`."""
    found = {match["key"]: match for match in _PAIR.finditer(apt.text)}
    if "upgrade" in found and found["upgrade"]["plain"] not in ("no", "false"):
        yield Step(apt, unread=_UPGRADE)
    state = found["state"]["plain"] if "state" in found else "present"
    match = next((found[key] for key in ("name", "pkg", "package") if key in found), None)
    if match is None or state == "absent":
        return
    value = match["quoted"] or match["single"] or match["plain"] or ""
    if (meant := _meant(text, value, scopes)) is not None:
        yield from _named(text, list(meant.texts()), state, meant)
        return
    written = scalar(text, apt)
    group = next(key for key in ("quoted", "single", "plain") if match[key] is not None)
    if written is not None:
        yield from _words(written.part(*match.span(group)), state, apt)


def _named(text: str, nodes: list[Node], state: str, place: Node) -> Iterator[Step]:
    names: list[Joined] = []
    for node in nodes:
        if node.source != text or _TEMPLATE.search(node.text):
            yield Step(node if node.source == text else place, unread=_UNKNOWN)
            continue
        written = scalar(text, node)
        if written is not None:
            names += (written.part(*match.span()) for match in _WORD.finditer(written.text))
    yield from _said(tuple(names), state, place)


def _words(written: Joined, state: str, place: Node) -> Iterator[Step]:
    if _TEMPLATE.search(written.text):
        yield Step(place, unread=_UNKNOWN)
        return
    yield from _said(
        tuple(written.part(*match.span()) for match in _WORD.finditer(written.text)), state, place
    )


def _said(names: tuple[Joined, ...], state: str, place: Node) -> Iterator[Step]:
    if not names:
        return
    yield Step(place, unread=_LATEST) if state == "latest" else Step(place, names=names)
