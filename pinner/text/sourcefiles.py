"""What a stage writes into apt's sources, where that can be read off its text; nothing is run.

Read are the forms in which nearly all files do it: echo or printf into a file or through tee, here-documents, a sed
that adds components, add-apt-repository. A statement of any other form that touches apt's sources, or one that depends
on a condition, leaves its whole instruction not understood.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from typing import NamedTuple

from pinner.text.dockerfile import Dockerfile, Instruction
from pinner.text.repositories import touches

COMPONENTS = frozenset(
    {"main", "contrib", "non-free", "non-free-firmware", "universe", "restricted", "multiverse"}
)
_FILE = re.compile(r"/etc/apt/sources\.list(?:\.d/[\w.-]+\.(?:list|sources))?")
#: What asks for the codename of the suite, and for the architecture of the platform.
_CODENAME = re.compile(
    r"""
      \$\(\s*lsb_release\s+(?:-cs|-sc|-c\s+-s|-s\s+-c|--codename\s+--short|--short\s+--codename)\s*\)
    | `\s*lsb_release\s+(?:-cs|-sc)\s*`
    | \$\(\s*(?:\.|source)\s+/etc/os-release\s*(?:&&|;)\s*echo\s+"?\$\{?VERSION_CODENAME\}?"?\s*\)
    | \$\{?VERSION_CODENAME\}?
    """,
    re.VERBOSE,
)
_ARCHITECTURE = re.compile(r"\$\(\s*dpkg\s+--print-architecture\s*\)|`\s*dpkg\s+--print-architecture\s*`")
_DISTRIBUTION = re.compile(
    r"\$\(\s*lsb_release\s+-is\s*\|\s*tr\s[^)]*\)|\$\(\s*\.\s+/etc/os-release\s*(?:&&|;)\s*echo\s+\"?\$\{?ID\}?\"?\s*\)"
)
# An address or a part of one, as sed's pattern or its replacement.
_HOST = re.compile(r"(?:https?:\\?/\\?/)?(?:[\w-]+\\?\.)+(?:org|com|net|cn|edu)(?:\\?/[\w-]*){0,3}")
_OPENS = frozenset({"if", "for", "while", "until", "case", "{", "(", "!"})
_CLOSES = frozenset({"fi", "done", "esac", "}", ")"})
_TESTS = frozenset({"[", "[[", "test"})


class Change(NamedTuple):
    """From offset `at` on apt reads `text` as the file `path` (with `append`, at its end), or more `components`."""

    stage: int
    at: int
    path: str = ""
    text: str = ""
    append: bool = False
    components: tuple[str, ...] = ()


class Asked(NamedTuple):
    """What files ask the stage for: the ID of os-release(5), and the codename of the suite.

    `context` gives the text of a file in the build context, None if it cannot be read.
    """

    distribution: str
    codename: str
    context: Callable[[str], str | None] = lambda path: None


def changes(
    dockerfile: Dockerfile, instruction: Instruction, stage: int, asked: Asked
) -> tuple[Change, ...] | None:
    """What an instruction changes, in order; None if that is not understood."""
    at = instruction.span.start
    text = instruction.span.of(dockerfile.text)
    try:
        if instruction.keyword in {"COPY", "ADD"}:
            found = _copied(dockerfile, instruction, text, asked)
        else:
            found = list(_run(dockerfile, instruction, asked))
    except (_NotUnderstoodError, ValueError):
        return None
    return tuple(
        Change(stage, at, path, body, append, components) for path, body, append, components in found
    )


_Written = tuple[str, str, bool, tuple[str, ...]]


class _NotUnderstoodError(Exception):
    """The text does something else than what is read here."""


def _copied(dockerfile: Dockerfile, instruction: Instruction, text: str, asked: Asked) -> list[_Written]:
    """A here-document that becomes a file, or files of the build context."""
    if not instruction.heredocs:
        return list(_from_context(instruction, asked))
    match = re.match(
        r"\s*(?:COPY|ADD)\s+(?:--\S+\s+)*<<-?[\"']?(\w+)[\"']?\s+(\S+)\s*\n", text, re.IGNORECASE
    )
    if not match or not _FILE.fullmatch(match[2]) or len(instruction.heredocs) != 1:
        raise _NotUnderstoodError
    return [(match[2], _plain(instruction.heredocs[0].content.of(dockerfile.text)), False, ())]


def _from_context(instruction: Instruction, asked: Asked) -> Iterator[_Written]:
    words = list(instruction.argv) or instruction.text.text.split()
    if any(flag.startswith("--from") for flag in instruction.flags) or len(words) < 2:
        raise _NotUnderstoodError
    *sources, target = words
    for source in sources:
        path = target + source.rpartition("/")[2] if target.endswith("/") else target
        text = asked.context(source) if _FILE.fullmatch(path) and not re.search(r"[$*?\[]", source) else None
        if text is None:
            raise _NotUnderstoodError
        yield path, text, False, ()


def _run(dockerfile: Dockerfile, instruction: Instruction, asked: Asked) -> Iterator[_Written]:
    if instruction.form != "shell":
        raise _NotUnderstoodError
    documents = [document.content.of(dockerfile.text) for document in instruction.heredocs]
    yield from _script(instruction.text.text, documents, asked)


def _script(script: str, documents: list[str], asked: Asked) -> Iterator[_Written]:
    depth, last = 0, ""
    for before, words in _statements(_substituted(script, asked)):
        depth += (words[0] in _OPENS) - (words[0] in _CLOSES)
        conditional = depth or before == "||" or (before == "&&" and last in _TESTS)
        last = words[0]
        if touches(" ".join(words)):
            if conditional:
                raise _NotUnderstoodError
            yield from _statement(words, documents, asked)


def _substituted(script: str, asked: Asked) -> str:
    script = _CODENAME.sub(asked.codename, script)
    script = _DISTRIBUTION.sub(asked.distribution, script)
    if re.search(r"(?:^|[;&\s])(?:\.|source)\s+/etc/os-release", script):
        script = re.sub(r"\$(?:ID\b|\{ID\})", asked.distribution, script)
    # As `[arch=…]` it says what apt does anyway; elsewhere sources.list(5) has a name of its own for it.
    script = re.sub(rf"\barch=\"?(?:{_ARCHITECTURE.pattern})\"?,?", "", script)
    return _ARCHITECTURE.sub("$(ARCH)", script)


def _statements(script: str) -> Iterator[tuple[str, list[str]]]:
    """The words of each pipeline, and the operator before it. Quotes are gone; redirections are words of their own."""
    script = script.replace("$(ARCH)", "\0")
    tokens = shlex.shlex(script, posix=True, punctuation_chars="();<>|&")
    tokens.whitespace_split = True
    tokens.commenters = ""
    before, words = "", list[str]()
    for token in tokens:
        if token in {"&&", ";", "||", "&"}:
            if words:
                yield before, words
            before, words = token, []
        else:
            words.append(token.replace("\0", "$(ARCH)"))
    if words:
        yield before, words


def _statement(words: list[str], documents: list[str], asked: Asked) -> Iterator[_Written]:
    while words and (words[0] == "sudo" or re.match(r"\w+=", words[0])):
        words = words[1:]
    command = words[0].rpartition("/")[2] if words else ""
    if command in {"sh", "bash"} and len(words) == 3 and re.fullmatch(r"-e?u?x?c", words[1]):
        yield from _script(words[2], documents, asked)
    elif command in {"echo", "printf"}:
        yield _echoed(command, words[1:])
    elif command in {"cat", "tee"}:
        yield _document(words, documents)
    elif command == "sed":
        yield from _edited(words[1:])
    elif command in {"add-apt-repository", "apt-add-repository"}:
        yield _added(_quietly(words[1:]), asked.codename)
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


def _echoed(command: str, words: list[str]) -> _Written:
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
    return path, _plain(text.replace("\\n", "\n")).rstrip("\n") + "\n", append, ()


def _document(words: list[str], documents: list[str]) -> _Written:
    """`cat > FILE <<EOF`, `cat <<EOF > FILE`, `tee FILE <<EOF`, whose text Docker or the shell hands over."""
    words = [word for word in words if word not in {"cat", "tee", "-", "sudo"}]
    marks = [at for at, word in enumerate(words) if word in {"<<", "<<-"}]
    if len(marks) != 1 or len(documents) != 1:
        raise _NotUnderstoodError
    rest = words[: marks[0]] + words[marks[0] + 2 :]
    append = bool({">>", "-a"} & set(rest))
    files = [word for word in rest if word not in {">", ">>", "-a", "/dev/null", "|"}]
    if len(files) != 1 or not _FILE.fullmatch(files[0]):
        raise _NotUnderstoodError
    return files[0], _plain(documents[0]), append, ()


def _edited(words: list[str]) -> Iterator[_Written]:
    """A sed that puts components behind `main`, swaps a mirror or takes the -updates away, and does nothing else.

    What is newer in -updates goes into the next point release, and a suite past its end has none.
    """
    scripts = [word for word in words if not word.startswith("-") and not _FILE.fullmatch(word)]
    added: dict[str, None] = {}
    for script in (part for word in scripts for part in word.split(";") if part.strip()):
        match = re.fullmatch(r"\s*(?:/[^/]*/\s*)?s([/|#,@!])(.*?)\1(.*?)\1[gI]*\s*", script)
        if re.fullmatch(r"\s*/\^?[\w .*-]*-updates[\w .*-]*\$?/\s*d\s*", script) or (
            match and all(_HOST.fullmatch(part) for part in match.group(2, 3))
        ):
            continue
        if not match:
            raise _NotUnderstoodError
        old, new = (
            re.findall(r"[a-z][a-z-]*", re.sub(r"\\[1-9]|\\[sSnwb]", " ", part)) for part in match.group(2, 3)
        )
        names = [word for word in new if word in COMPONENTS]
        if not names or set(new) - set(old) - COMPONENTS:
            raise _NotUnderstoodError
        added |= dict.fromkeys(name for name in names if name != "main")
    if added:
        yield "", "", False, tuple(added)


def _added(words: list[str], codename: str) -> _Written:
    """add-apt-repository(1): a component, a line of sources.list(5), or a ppa."""
    plain = [word for word in words if word not in {"-y", "--yes", "-n", "--no-update", "-u", "--update"}]
    if len(plain) > 1 and plain[0] in {"-c", "--component"}:
        plain = plain[1:]
    if plain and all(word in COMPONENTS for word in plain):
        return "", "", False, tuple(plain)
    (line,) = plain if len(plain) == 1 else [""]
    if match := re.fullmatch(r"ppa:([\w.+-]+)/([\w.+-]+)", line):
        line = f"deb https://ppa.launchpadcontent.net/{match[1]}/{match[2]}/ubuntu {codename} main"
    if not line.startswith("deb "):
        raise _NotUnderstoodError
    return "/etc/apt/sources.list.d/added.list", _plain(line) + "\n", True, ()


def _plain(text: str) -> str:
    """The text, if nothing in it is to be expanded."""
    if re.search(r"\$(?!\(ARCH\))|`", text):
        raise _NotUnderstoodError
    return text
