"""What apt would get: shell texts are run in an empty folder where apt-get and apt only write down their arguments.

Nothing else can be run there but shells, a few readers of text, and names that do nothing.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from pinner.recipe.dockerfile import Dockerfile, Instruction
from pinner.shell import expand

_STUB = """#!/bin/sh
{ printf '%s' "${0##*/}"; printf '\\0%s' "$@"; printf '\\n'; } >> "$0.log"
"""
_RUNS_THE_REST = """#!/bin/sh
while :; do case "$1" in -*|*=*) shift;; *) break;; esac; done
exec "$@"
"""
_REAL = (
    "sh",
    "bash",
    "cat",
    "env",
    "xargs",
    "grep",
    "sed",
    "tr",
    "echo",
    "printf",
    "true",
    "false",
    "timeout",
    "nice",
)
_IDLE = (
    "rm",
    "apt-mark",
    "apt-key",
    "dpkg",
    "curl",
    "wget",
    "make",
    "mkdir",
    "chmod",
    "update-ca-certificates",
    "x",
)

# The programs are stubs, redirections are not: those to absolute paths are led into the folder.
_REDIRECTION = re.compile(r"(>\s*\|?\s*[\"']?)(/(?!dev/null\b)[\w./-]*)")
_WRITES_OUTSIDE = re.compile(r">\s*\|?\s*[\"']?(?:/(?!dev/null\b)|~|\.\.)|\bsed\b[^;&|\n]*\s-\w*i")

Call = Sequence[str]


class Sandbox:
    """An empty folder and a PATH of stubs."""

    def __init__(self, folder: Path) -> None:
        self._programs = folder / "programs"
        self._programs.mkdir()
        self._folder = folder / "empty"
        self._folder.mkdir()
        for name in ("apt-get", "apt"):
            self._stub(name, _STUB)
        for name in ("sudo", "eatmydata"):
            self._stub(name, _RUNS_THE_REST)
        for name in _IDLE:
            self._stub(name, "#!/bin/sh\n")
        for name in _REAL:
            found = shutil.which(name)
            assert found is not None
            (self._programs / name).symlink_to(found)

    def _stub(self, name: str, text: str) -> None:
        path = self._programs / name
        path.write_text(text)
        path.chmod(0o755)

    def calls(
        self,
        argv: Sequence[str],
        variables: Mapping[str, str] | None = None,
        files: Mapping[str, str] | None = None,
    ) -> list[Call]:
        """The apt calls that running `argv` makes, each with its arguments."""
        folder = self._folder
        for name, content in (files or {}).items():
            (folder / name).write_text(_inside(content))
        environment = {"PATH": str(self._programs), **(variables or {})}
        subprocess.run(
            [_inside(text) for text in argv],
            cwd=folder,
            env=environment,
            check=False,
            timeout=20,
            stdin=subprocess.DEVNULL,
            capture_output=True,
        )
        for name in files or {}:
            (folder / name).unlink()
        found: list[Call] = []
        for log in sorted(self._programs.glob("*.log")):
            found += [line.split("\0") for line in log.read_text().splitlines()]
            log.unlink()
        return found


def _inside(text: str) -> str:
    """`text` with what it writes led into the current folder."""
    led = _REDIRECTION.sub(lambda match: match[1] + match[2].replace("/", "_"), text)
    outside = _WRITES_OUTSIDE.search(led)
    assert outside is None, f"this would write outside of the sandbox: {outside[0] if outside else ''}"
    return led


def of_dockerfile(sandbox: Sandbox, dockerfile: Dockerfile) -> list[list[Call]]:
    """The apt calls of each RUN."""
    found = []
    shells: list[list[str]] = []
    scopes: list[dict[str, str | None]] = []
    outside: dict[str, str | None] = {}
    for instruction in dockerfile.arguments:
        _set(outside, instruction, dockerfile.escape, {})
    for stage in dockerfile.stages:
        shells.append(shells[stage.parent] if stage.parent is not None else ["/bin/sh", "-c"])
        scopes.append(dict(scopes[stage.parent]) if stage.parent is not None else {})
        for instruction in stage.instructions:
            if instruction.keyword == "SHELL":
                shells[-1] = list(instruction.argv)
            elif instruction.keyword in ("ARG", "ENV"):
                _set(scopes[-1], instruction, dockerfile.escape, outside)
            elif instruction.keyword == "RUN":
                variables = {name: value for name, value in scopes[-1].items() if value is not None}
                found.append(sandbox.calls(_argv(dockerfile.text, instruction, shells[-1]), variables))
    return found


def _set(
    scope: dict[str, str | None], instruction: Instruction, escape: str, outside: Mapping[str, str | None]
) -> None:
    words = expand.words(instruction.text.text, escape)
    if instruction.keyword == "ENV" and "=" not in words[0]:
        words = [f"{words[0]}={instruction.text.text.partition(words[0])[2].strip()}"]
    for word in words:
        name, equals, value = word.partition("=")
        scope[name] = expand.substitute(value, scope, escape) if equals else outside.get(name)


def _argv(source: str, instruction: Instruction, shell: list[str]) -> list[str]:
    """As BuildKit runs it: a here-document alone is the script, others are the shell's matter."""
    if instruction.form == "exec":
        return list(instruction.argv)
    text = instruction.text.text
    if len(instruction.heredocs) == 1 and instruction.heredocs[0].word == instruction.body:
        text = instruction.heredocs[0].content.of(source)
        if source[instruction.body.start + 2] == "-":
            text = "".join(line.lstrip("\t") for line in text.splitlines(keepends=True))
        return [*shell, text]
    for heredoc in instruction.heredocs:
        text += f"\n{heredoc.content.of(source)}{heredoc.name}"
    return [*shell, text]


def assert_only_pinned(
    before: Sequence[Call], after: Sequence[Call], versions: Sequence[str] | None = None
) -> None:
    """The same arguments, `=` and one of `versions` (None: any) added to some."""
    assert len(before) == len(after)
    for old, new in zip(before, after, strict=True):
        assert len(old) == len(new)
        for word, changed in zip(old, new, strict=True):
            if word != changed:
                name, equals, version = changed.partition("=")
                assert (name, equals) == (word, "=")
                assert version if versions is None else version in versions
