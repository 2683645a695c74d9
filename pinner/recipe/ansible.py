"""Ansible's tasks and playbooks: the `apt` module, `shell` and `command` (Ansible docs, "ansible.builtin.apt")."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pinner.edit.span import Joined
from pinner.recipe import scripts, yamltext
from pinner.recipe.dockerfile import Dockerfile
from pinner.recipe.scripts import Job, Step
from pinner.recipe.yamltext import Node, scalar
from pinner.regex import later

if TYPE_CHECKING:
    from pinner.recipe.kinds import Around

_SECTIONS = ("pre_tasks", "tasks", "post_tasks", "handlers", "block", "rescue", "always")
_BUILTIN = ("", "ansible.builtin.", "ansible.legacy.")
_TEMPLATE = later(r"\{\{.*?\}\}|\{%.*?%\}")
_ITEM = later(r"\{\{\s*item\s*\}\}")
_WORD = later(r"[^\s,]+")
_PAIR = later(
    r"""(?:^|\s)(?P<key>\w+)=(?:"(?P<quoted>[^"]*)"|'(?P<single>[^']*)'|(?P<plain>(?:\{\{.*?\}\}|\S)+))"""
)
_YES = ("true", "yes", "on", "1")
_UPGRADE = ("upgrade", "an upgrade installs the versions of its day, whatever pins say of the rest")
_LATEST = ("latest", "the state `latest` installs the version of the day, and takes no other")
_UNKNOWN = ("variable-unknown", "a variable says which packages are installed")
_DEEPEST = 20


def read(text: str, around: Around) -> Dockerfile:
    """The tasks as one job on a host that is not known. Raises `InputError`."""
    root = yamltext.parse(text)
    if root is None:
        return Dockerfile(text, "\\", (), ())
    job = Job("tasks", root.span, raw="of these hosts", steps=list(_steps(text, root, 0)))
    return scripts.jobs(text, iter([job]))


def _steps(text: str, tasks: Node, depth: int) -> Iterator[Step]:
    for task in tasks.items or ():
        if depth > _DEEPEST or task.entries is None or task.source != text:
            continue
        for section in _SECTIONS:
            if (own := task.get(section)) is not None:
                yield from _steps(text, own, depth + 1)
        for prefix in _BUILTIN:
            if (apt := task.get(f"{prefix}apt")) is not None:
                yield from _apt(text, apt, task)
            for module in ("shell", "command", "raw"):
                if (run := task.get(f"{prefix}{module}")) is not None:
                    command = run.get("cmd") if run.entries is not None else run
                    if command is not None and command.items is None and command.entries is None:
                        yield Step(command, hidden=_TEMPLATE)


def _apt(text: str, apt: Node, task: Node) -> Iterator[Step]:
    """What one use of the apt module installs."""
    if apt.entries is None:
        yield from _free(text, apt, task)
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
    loop = next((own for key in ("loop", "with_items") if (own := task.get(key)) is not None), None)
    if node.items is None and _ITEM.fullmatch(node.text) and loop is not None and loop.items is not None:
        node = loop
    yield from _named(text, list(node.texts()), state, node)


def _free(text: str, apt: Node, task: Node) -> Iterator[Step]:
    """The same where it is one string, `name=curl state=present`."""
    found = {match["key"]: match for match in _PAIR.finditer(apt.text)}
    if "upgrade" in found and found["upgrade"]["plain"] not in ("no", "false"):
        yield Step(apt, unread=_UPGRADE)
    state = found["state"]["plain"] if "state" in found else "present"
    match = next((found[key] for key in ("name", "pkg", "package") if key in found), None)
    if match is None or state == "absent":
        return
    loop = next((own for key in ("loop", "with_items") if (own := task.get(key)) is not None), None)
    value = match["quoted"] or match["single"] or match["plain"] or ""
    if _ITEM.fullmatch(value) and loop is not None and loop.items is not None:
        yield from _named(text, list(loop.texts()), state, loop)
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
