"""make, by a Makefile that is seen (POSIX make): what it runs may change what apt reads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from posixpath import join

from pinner.regex import later
from pinner.shell.content import UNKNOWN, Value
from pinner.shell.outcomes import Invocation, ProgramResult, ProgramStatus
from pinner.shell.process import Process
from pinner.shell.programs.options import read_options

_ALARM = later(r"/etc/apt|apt-add|add-apt|\.deb\b|\b(?:curl|wget)\b[^\n|]*\|")
_RULE = later(
    r"^([\w./%-]+(?:[ \t]+[\w./%-]+)*)[ \t]*::?(?!=)[ \t]*([^\n#;]*)(?:;([^\n]*))?"
    r"((?:\n(?:\t[^\n]*|[ \t]*(?:#[^\n]*)?(?=\n)))*)",
    re.MULTILINE,
)
_SETS = later(r"^[ \t]*(?:export[ \t]+)?(\w+)[ \t]*[:?+]?:?=[ \t]*(.*)$", re.MULTILINE)
_USES = later(r"\$(?:\$|\((\w+)\)|\{(\w+)\}|\([^)]*\)|.)")
_MOST = 40


def _make(call: Invocation) -> ProgramResult:
    """make, by a Makefile that is seen: the recipes of its targets and of what they need."""
    options = read_options(call.words, "CfjloIW", ("directory", "file", "makefile", "jobs"))
    shell, state = call.shell, call.shell.state
    folder = state.path(options.value("C", "directory") or ".")
    names = [options.value("f", "file", "makefile")] if options.has("f", "file", "makefile") else []
    found = [
        call.input if name == "-" else state.read(join(folder, name))
        for name in names or ["GNUmakefile", "makefile", "Makefile"]
    ]
    text = next((each.text for each in found if each is not None), None)
    if text is None or not _ALARM.search(text):
        return ProgramResult()
    values = dict(_SETS.findall(text)) | dict(each.split("=", 1) for each in options.operands if "=" in each)
    lines = list(_recipe(text.replace("\\\n", " "), [each for each in options.operands if "=" not in each]))
    own = shell.child("sh")

    def run(inner: Process) -> ProgramStatus:
        inner.state.cwd = folder
        inner.fixed = True
        for line in lines[:_MOST]:
            inner.string(Value(_expanded(line, values)))
        return "done"

    return ProgramResult(shell.process(run, own, inherits=True))


def _recipe(text: str, targets: list[str]) -> Iterable[str]:
    """The lines that make runs for some targets, or for the first."""
    rules: dict[str, tuple[list[str], list[str]]] = {}
    for match in _RULE.finditer(text):
        for name in match[1].split():
            needs, lines = rules.setdefault(name, ([], []))
            needs += match[2].split()
            lines += [
                each.strip().lstrip("@-+ ")
                for each in (match[3] or "", *match[4].split("\n"))
                if each.strip()
            ]
    done: set[str] = set()
    todo = targets or [each for each in rules if not each.startswith(".")][:1]
    order: list[str] = []

    def take(name: str) -> None:
        if name in rules and name not in done and len(done) < _MOST:
            done.add(name)
            for each in rules[name][0]:
                take(each)
            order.append(name)

    for name in todo:
        take(name)
    for name in order:
        yield from rules[name][1]


def _expanded(line: str, values: Mapping[str, str]) -> str:
    """A line of a recipe with make's variables in it, those that are not known marked."""

    def value(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        found = values.get(match[1] or match[2] or "")
        return UNKNOWN if found is None or "$" in found else found

    return _USES.sub(value, line)


ROWS = {"make": _make, "gmake": _make}
