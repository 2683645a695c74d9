"""cloud-init's user data: `packages`, `runcmd`, `bootcmd` (cloud-init docs, "Module reference").

cloud-init hands a word of `packages` to apt-get as it is, so that `curl=8.14` is a pin there, as `[curl, 8.14]` is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pinner.edit.span import Joined
from pinner.recipe import scripts
from pinner.recipe.dockerfile import Dockerfile
from pinner.recipe.formats import yamltext
from pinner.recipe.formats.yamltext import Node, scalar
from pinner.recipe.scripts import Job, Step
from pinner.regex import later
from pinner.shell import prefixes

if TYPE_CHECKING:
    from pinner.recipe.kinds import Around

_OF_APT = later(r"/etc/apt/(?:sources\.list|preferences)[\w/.-]*")
_TEMPLATE = later(r"\{\{.*?\}\}|\{%.*?%\}")


def read(text: str, around: Around) -> Dockerfile:
    """The machine as one job. Raises `InputError`."""
    root = yamltext.parse(text)
    if root is None:
        return Dockerfile(text, "\\", (), ())
    job = Job("cloud-init", root.span, raw="of this machine")
    upgrade = root.get("package_upgrade") or root.get("apt_upgrade")
    boot, run, packages = root.get("bootcmd"), root.get("runcmd"), root.get("packages")
    job.steps += _sources(root)
    job.steps += _commands(text, boot)
    if upgrade is not None and upgrade.text.lower() in ("true", "yes", "on"):
        why = ("upgrade", "an upgrade installs whatever versions are current, without regard to the pins")
        job.steps.append(Step(upgrade, unread=why))
    if packages is not None and (own := list(_names(text, packages))):
        names, versions = zip(*own, strict=True)
        job.steps.append(Step(packages, names=names, versions=versions))
    job.steps += _commands(text, run)
    job.steps.sort(key=lambda step: step.text.span)
    return scripts.jobs(text, iter([job]), root)


def _sources(root: Node) -> Iterator[Step]:
    """What the machine's apt reads beside its image's sources."""
    apt, old = root.get("apt"), root.get("apt_sources")
    sources = apt.get("sources") if apt is not None else None
    added = [own for _, own in (sources.entries if sources is not None else None) or ()]
    for each in (*added, *((old.items if old is not None else None) or ())):
        if (source := each.get("source")) is not None:
            yield Step(source, adds=source.text.replace("$MIRROR", "{{ mirror }}"), hidden=_TEMPLATE)
    for name, own in (apt.entries if apt is not None else None) or ():
        if name.text in ("sources_list", "primary", "security"):
            yield Step(own, adds="/etc/apt/sources.list")
    files = root.get("write_files")
    for each in (files.items if files is not None else None) or ():
        path = each.get("path")
        if path is not None and _OF_APT.fullmatch(path.text):
            yield Step(path, adds=path.text)


def _names(text: str, packages: Node) -> Iterator[tuple[Joined, Joined | None]]:
    """The packages with their versions."""
    for each in packages.items or ():
        if each.entries is not None:  # by package manager
            if (own := each.get("apt")) is not None:
                yield from _names(text, own)
            continue
        name, *versions = (scalar(text, own) for own in each.items or [each])
        if name is not None and name.text and len(versions) <= 1:
            yield name, versions[0] if versions else None


def _commands(text: str, commands: Node | None) -> Iterator[Step]:
    """Each command: a text for sh, or a list of words, which are read where they stand on one line of plain words."""
    for each in (commands.items if commands is not None else None) or ():
        if each.entries is None and each.items is None:
            yield Step(each, hidden=_TEMPLATE)
        elif each.items is not None:
            words = [word.text for word in each.items]
            if len(words) == 3 and words[1].startswith("-") and "c" in words[1]:
                yield Step(each.items[2], words[0].rpartition("/")[2], hidden=_TEMPLATE)
            elif prefixes.asks(" ".join(words)):
                own = (scalar(text, word) for word in each.items)
                yield Step(each, words=tuple(word for word in own if word is not None))
