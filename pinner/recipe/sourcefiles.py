"""What a stage writes into the files that apt reads, where that can be seen in its text; nothing is run.

Read are the forms in which nearly all files do it: echo or printf into a file or through tee, here-documents, a sed
that adds components, rm, add-apt-repository. A statement of any other form that touches apt's sources or preferences,
or one that depends on a condition, leaves its whole instruction not understood.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from pinner.recipe import statements
from pinner.recipe.dockerfile import Dockerfile, Instruction
from pinner.recipe.repositories import SUBSTITUTION, SUITES, keeps_versions, touches
from pinner.recipe.statements import Asked, plain
from pinner.regex import later

__all__ = ["Asked", "Change", "changes"]

COMPONENTS = frozenset(
    {"main", "contrib", "non-free", "non-free-firmware", "universe", "restricted", "multiverse"}
)
_FILE = later(
    r"/etc/apt/(?:sources\.list(?:\.d/[\w.+-]+\.(?:list|sources))?|(?:preferences|apt\.conf)(?:\.d/[\w.+-]+)?)"
)
_REMOVED = later(r"/etc/apt/(?:sources\.list|preferences|apt\.conf)[\w.*+/-]*")
#: Where Launchpad serves Personal Package Archives.
PPA = "https://ppa.launchpadcontent.net"
#: How add-apt-repository(1) names one: its owner, and its name if that is not `ppa`.
PPA_NAME = r"ppa:~?([\w.+-]+)(?:/(?:ubuntu/)?([\w.+-]+))?"
_QUIET = frozenset(
    {"-y", "--yes", "-n", "--no-update", "-u", "--update", "-s", "--enable-source", "-m", "--massive-debug"}
)
_VALUE = frozenset({"-c", "--component", "-P", "--ppa", "-S", "--sourceslist"})


class Change(NamedTuple):
    """apt reads `text` as the file `path` (with `append`, at its end), or more `components` from here on.

    Without a text the files that `path`, a glob, names are gone.
    """

    path: str = ""
    text: str | None = None
    append: bool = False
    components: tuple[str, ...] = ()


def changes(
    dockerfile: Dockerfile, instruction: Instruction, asked: Asked, until: int
) -> tuple[Change, ...] | None:
    """What an instruction changes before the offset `until` of the file, in order; None if that is not understood."""
    try:
        if instruction.keyword in {"COPY", "ADD"}:
            return tuple(_copied(dockerfile, instruction, asked))
        return tuple(_run(statements.read(dockerfile, instruction, asked, until), asked))
    except (_NotUnderstoodError, ValueError):
        return None


class _NotUnderstoodError(Exception):
    """The text does something else than what is read here."""


def _copied(dockerfile: Dockerfile, instruction: Instruction, asked: Asked) -> Iterator[Change]:
    """A here-document that becomes a file, or files of the build context."""
    if not instruction.heredocs:
        yield from _from_context(instruction, asked)
        return
    text = instruction.span.of(dockerfile.text)
    match = re.match(
        r"\s*(?:COPY|ADD)\s+(?:--\S+\s+)*<<-?([\"']?)(\w+)[\"']?\s+(\S+)\s*\n", text, re.IGNORECASE
    )
    if not match or not _FILE.fullmatch(match[3]) or len(instruction.heredocs) != 1:
        raise _NotUnderstoodError
    content = instruction.heredocs[0].content.of(dockerfile.text)
    yield Change(match[3], content if match[1] else plain(content))


def _from_context(instruction: Instruction, asked: Asked) -> Iterator[Change]:
    words = list(instruction.argv) or instruction.text.text.split()
    if any(flag.startswith("--from") for flag in instruction.flags) or len(words) < 2:
        raise _NotUnderstoodError
    *sources, target = words
    for source in sources:
        path = target + source.rpartition("/")[2] if target.endswith("/") else target
        text = asked.context(source) if _FILE.fullmatch(path) and not re.search(r"[$*?\[]", source) else None
        if text is None:
            raise _NotUnderstoodError
        yield Change(path, text)


def _run(read: Iterator[statements.Statement], asked: Asked) -> Iterator[Change]:
    understood = False
    for statement in read:
        if touches(statement.line, " ".join(statement.words)):
            if not statement.certain:
                raise _NotUnderstoodError
            yield from _statement(list(statement.words), asked)
            understood = True
    if not understood:
        raise _NotUnderstoodError


def _statement(words: list[str], asked: Asked) -> Iterator[Change]:
    while words and (words[0] == "sudo" or re.match(r"\w+=", words[0])):
        words = words[1:]
    command = words[0].rpartition("/")[2] if words else ""
    if command in {"sh", "bash"} and len(words) == 3 and re.fullmatch(r"-e?u?x?c", words[1]):
        yield from _run(statements.split(words[2]), asked)
    elif command in {"echo", "printf"}:
        yield _echoed(command, words[1:])
    elif command == "{":
        yield _together(words)
    elif command in {"cat", "tee"}:
        yield _document(words)
    elif command == "sed":
        yield from _edited(words[1:], asked.release.get("VERSION_CODENAME", ""))
    elif command == "rm":
        yield from _removed(words[1:])
    elif command in {"add-apt-repository", "apt-add-repository"}:
        yield _added(_quietly(words[1:]), asked)
    else:
        raise _NotUnderstoodError


def _quietly(words: list[str]) -> list[str]:
    return words[:-2] if words[-2:] == [">", "/dev/null"] else words


def _target(words: list[str]) -> tuple[list[str], str, bool]:
    """The words before a redirection or tee, the file, and whether it is appended to."""
    for at, word in enumerate(words):
        if word in {">", ">>"}:
            left, file, append = words[:at], words[at + 1 : at + 2], word == ">>"
            rest = words[at + 2 :]
            break
        if word == "|" and [each for each in words[at + 1 :] if each != "sudo"][:1] == ["tee"]:
            after = [each for each in words[at + 1 :] if each != "sudo"][1:]
            append = bool({"-a", "--append"} & set(after))
            plain = [each for each in after if each not in {"-a", "--append"}]
            left, file, rest = words[:at], plain[:1], plain[1:]
            if rest[:2] == [">", "/dev/null"]:
                rest = rest[2:]
            break
    else:
        raise _NotUnderstoodError
    if rest or len(file) != 1 or not _FILE.fullmatch(file[0]):
        raise _NotUnderstoodError
    return left, file[0], append


def _removed(words: list[str]) -> Iterator[Change]:
    for word in words:
        if word.startswith("/etc/apt"):
            if not _REMOVED.fullmatch(word):
                raise _NotUnderstoodError
            yield Change(word.rstrip("/"))


def _echoed(command: str, words: list[str]) -> Change:
    left, path, append = _target(words)
    while command == "echo" and left and left[0] in {"-e", "-n", "-en", "-ne", "-E"}:
        left = left[1:]
    if command == "printf":
        form, *values = [word for word in left if word != "--"] or [""]
        if form.replace("\\n", "") == "%s" and values:
            text = "\n".join(values)
        elif "%" in form or values:
            raise _NotUnderstoodError
        else:
            text = form
    else:
        text = " ".join(left)
    return Change(path, plain(text.replace("\\n", "\n")).rstrip("\n") + "\n", append)


def _together(words: list[str]) -> Change:
    """`{ echo …; echo …; } > FILE`."""
    end = words.index("}")
    _, path, append = _target(words[end:])
    texts, begin = [], 1
    for at in range(1, end):
        if words[at] == ";":
            command, *rest = words[begin:at]
            texts.append(_echoed(command, [*rest, ">", path]).text or "")
            begin = at + 1
    return Change(path, "".join(texts), append)


def _document(words: list[str]) -> Change:
    """`cat > FILE <<EOF`, `cat <<EOF > FILE`, `tee FILE <<EOF`, whose text the shell hands over."""
    if words.count("<<") != 1:
        raise _NotUnderstoodError
    at = words.index("<<")
    rest = [word for word in words[:at] + words[at + 2 :] if word not in {"cat", "tee", "-", "sudo"}]
    append = bool({">>", "-a"} & set(rest))
    files = [word for word in rest if word not in {">", ">>", "-a", "/dev/null", "|"}]
    if len(files) != 1 or not _FILE.fullmatch(files[0]):
        raise _NotUnderstoodError
    return Change(files[0], words[at + 1], append)


def _edited(words: list[str], codename: str) -> Iterator[Change]:
    """A sed that puts components behind `main`, swaps a mirror or takes the -updates away, and does nothing else.

    What is newer in -updates goes into the next point release, and a suite past its end has none.
    """
    scripts = [word for word in words if not word.startswith("-") and not _FILE.fullmatch(word)]
    added: dict[str, None] = {}
    for script in (part for word in scripts for part in word.split(";") if part.strip()):
        if re.fullmatch(r"\s*/\^?[\w .*-]*-updates[\w .*-]*\$?/\s*d\s*", script):
            continue
        match = re.fullmatch(SUBSTITUTION, re.sub(r"^\s*(?:/[^/]*/\s*)?", "", script).rstrip())
        if not match:
            raise _NotUnderstoodError
        if keeps_versions(match[2], match[3]):
            continue
        old, new = (
            re.findall(r"[a-z][a-z-]*", re.sub(r"\\[1-9]|\\[sSnwb]", " ", part)) for part in match.group(2, 3)
        )
        names = [word for word in new if word in COMPONENTS]
        if not names or set(new) - set(old) - COMPONENTS or set(old) & (SUITES - {codename}):
            raise _NotUnderstoodError
        added |= dict.fromkeys(name for name in names if name != "main")
    if added:
        yield Change(components=tuple(added))


def _added(words: list[str], asked: Asked) -> Change:
    """add-apt-repository(1): components, a line of sources.list(5), or on Ubuntu a PPA."""
    said: list[str] = []
    while words:
        word, *words = words
        if word in _VALUE and words:
            said.append(f"ppa:{words[0].removeprefix('ppa:')}" if word in {"-P", "--ppa"} else words[0])
            words = words[1:]
        elif word not in _QUIET:
            said.append(word)
    if said and all(word in COMPONENTS for word in said):
        return Change(components=tuple(said))
    (line,) = said if len(said) == 1 else [""]
    codename = asked.release.get("VERSION_CODENAME", "")
    match = re.fullmatch(PPA_NAME, line)
    if match and codename and asked.release.get("ID") == "ubuntu":
        line = f"deb {PPA}/{match[1]}/{match[2] or 'ppa'}/ubuntu {codename} main"
    elif codename and re.fullmatch(r"https?://\S+", line):
        line = f"deb {line} {codename} main"
    if not line.startswith("deb "):
        raise _NotUnderstoodError
    return Change("/etc/apt/sources.list.d/archive_uri.list", plain(line) + "\n", append=True)
