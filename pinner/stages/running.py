"""Whether a Dockerfile may run a file of its build context, or one that it writes itself: by the names in it alone.

A file is run by its name, unless that is put together of variables and patterns, or another program finds it. Where
neither is so and no name in a RUN is that of a file, none is run, and no walk needs to look for one.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from pinner.recipe.dockerfile import Dockerfile, Instruction
from pinner.regex import later
from pinner.shell.content import BuildContext

_NAME = later(r"[\w.+@-]+")
# What runs files that are not named: programs that find some, loops, patterns; files that a shell alone would run; and
# words whose last part is not known yet.
_FINDS = frozenset(("run-parts", "find", "xargs", "parallel", "eval", "for", "while", "until"))
_PARTS = later(r"[;&|\n(]|\{\s")
_SHELL = r"(?:\b(?:ba|da|a|k|z)?sh\b|\bsource\b|(?<!\S)\.(?=\s))"
_VARIABLES = later(r"\$\w+|\$\{\w+\}")
_UNKNOWN = str.maketrans(
    {"$": "*", "?": "*", "{": "* ", "[": "* ", ")": " *", "}": " *", "]": " *", "`": "* *"}
)
_MADE = later(r"[\w.+@*-]+/?")
_MANY, _LONG = 1_000, 4_096
_PATTERN = later(rf"(?:{_SHELL}|\b(?:cat|cp|mv|ln|install|tar|unzip)\b).*[*?]")
# Where a command begins, as far as one can see.
_BEGIN = rf"(?:^\s*|(?:\b(?:then|do|else|if|elif|sudo|env|exec|command|time|nice)|{_SHELL})(?:\s+-\S+)*\s+)(?:!\s+)?"
# Files that end so are run by a shell, by their own name as a command, or once they are copied under another one.
_NO_PROGRAMS = (
    ".txt",
    ".json",
    ".py",
    ".toml",
    ".lock",
    ".js",
    ".rb",
    ".yml",
    ".yaml",
    ".md",
    ".html",
    ".xml",
)
_ENDING = f"(?:{'|'.join(_NO_PROGRAMS)})".replace(".", r"\.")
_SCRIPT = later(
    rf"(?:{_SHELL}|\b(?:cp|mv|ln)\b).*{_ENDING}\b|(?:{_BEGIN}|\s-c\s+|\btimeout\s+\S+\s+)(?:\w+=\S*\s+)*"
    rf"[\"'\[]*[^\s=)\"',]*{_ENDING}(?=[\s)\"',]|\Z)"
)
_VARIABLE = later(rf"{_BEGIN}['\"]?[^\s=)]*[$`][^\s/=]*(?=[\s)]|\Z)")
_NOT_RUN = frozenset(
    ("ADD", "CMD", "COPY", "ENTRYPOINT", "EXPOSE", "HEALTHCHECK", "LABEL", "MAINTAINER", "STOPSIGNAL", "USER")
)
_UNQUOTED = str.maketrans("", "", "\"'\\")
_PACKED = (".tar", ".tgz", ".tbz2", ".txz", ".gz", ".bz2", ".xz", ".zst", ".zip")
_MAKEFILES = frozenset(("GNUmakefile", "makefile", "Makefile"))
# A text is written that may be run: not into a device or a configuration of apt's.
_WRITTEN = later(
    r"(?:>\||>>?|\b(?:tee|sponge)\b(?:\s+-\S+)*|\bof=|/dev/stdin\s)\s*(?!&|[\"']?(?:/dev/|/etc/apt/|/proc/|/sys/))"
    r"(?:[^\s;&|()<>/]*/)*([^\s;&|()<>/]+)"
)
_PRINTS = later(r"(?<!\|)(?<!\|\s)(?<!\| sudo )\b(?:echo|printf|cat|tee)\b")
_RUNS = later(r"[$`]|<<|apt|nala|install|base64")


def runs_files(dockerfile: Dockerfile, context: BuildContext) -> bool:
    """Whether a stage may run a file of the build context. True where that is in doubt."""
    pairs = [pair for each in _instructions(dockerfile) for pair in _brought(each)]
    if not pairs:
        return False
    text = "\n".join(texts(dockerfile))
    words = {*_NAME.findall(text.translate(_UNQUOTED))}
    every = context.every()
    named = frozenset(path.rstrip("/.").rpartition("/")[2] for pair in pairs for path in pair)
    if "make" in words:
        words |= _MAKEFILES
    unnamed = every is None or _runs_unnamed(text, words) or _makes_names(text, every | named)
    if not unnamed and words.isdisjoint(_as_words(named)) and words.isdisjoint(_as_words(every or named)):
        return False
    names: set[str] = set()
    below: frozenset[str] = frozenset()
    for source, target in pairs:
        pattern = any(mark in source for mark in "$*?[\\")
        if pattern or context.is_dir(source):
            if every is None:
                return True
            below = every
        elif not context.is_file(source):
            continue
        elif source.endswith(_PACKED):
            return True
        if pattern or context.is_file(source):
            names |= {path.rpartition("/")[2] for path in (source, target.rstrip("/"))}
    found = (words & _as_words(frozenset(names))) | (words & _as_words(below))
    return (unnamed and bool(names or below)) or any(not each.endswith(_NO_PROGRAMS) for each in found)


def _runs_unnamed(text: str, words: set[str]) -> bool:
    """Whether a text may run files that it does not name."""
    if not words.isdisjoint(_FINDS):
        return True
    others = [each for each in words if each.endswith(_NO_PROGRAMS)]
    if len(others) > _MANY:
        return True
    for part in _PARTS.split(text):
        if len(part) > _LONG and any(mark in part for mark in "*?$`"):
            return True  # the patterns below take a time that grows with its square
        if ("*" in part or "?" in part) and not part.lstrip().startswith("rm ") and _PATTERN.search(part):
            return True
        if ("$" in part or "`" in part) and _VARIABLE.search(part):
            return True
        if others and any(end in part for end in _NO_PROGRAMS) and _SCRIPT.search(part):
            return True
    return False


def _makes_names(text: str, names: frozenset[str]) -> bool:
    """Whether a text puts one of the names together, of a part that it has and others that are not known."""
    words = {*_MADE.findall(_VARIABLES.sub("*", text.translate(_UNQUOTED)).translate(_UNKNOWN))}
    made = {
        (word.partition("*")[0], word.rpartition("*")[2]) for word in words if "*" in word and word[-1] != "/"
    }
    return len(made) > _MANY or any(
        name.startswith(begin) and name.endswith(end) for begin, end in made - {("", "")} for name in names
    )


def writes_programs(dockerfile: Dockerfile) -> bool:
    """Whether a stage may write a file that it runs. True where that is in doubt."""
    if any(each.heredocs and each.keyword in ("COPY", "ADD") for each in _instructions(dockerfile)):
        return True
    found = list(texts(dockerfile))
    whole = "\n".join(found)
    unquoted = whole.translate(_UNQUOTED)
    names: set[str] = set()
    for text in found:
        matches = list(_WRITTEN.finditer(text))
        if len(matches) > _MANY:
            return True
        for match in matches:
            *_, written = _PRINTS.split(text[: match.start()])
            in_part = written.rstrip().endswith(("}", ")")) or any(written.count(mark) % 2 for mark in "\"'")
            behind = "<<" in text and "<<" in text[match.end() :].partition("\n")[0]
            if not in_part and not behind and not _RUNS.search(written):
                continue  # what is printed runs nothing that installs
            name = match[1].translate(_UNQUOTED)
            if any(mark in name for mark in "$`*?") or unquoted.count(name) > 1:
                return True
            names.add(name)
    if not names:
        return False
    return _runs_unnamed(whole, {*_NAME.findall(unquoted)}) or _makes_names(whole, frozenset(names))


def _instructions(dockerfile: Dockerfile) -> Iterator[Instruction]:
    return (each for stage in dockerfile.stages for each in stage.instructions)


def texts(dockerfile: Dockerfile) -> Iterator[str]:
    """What is run, without comments, and the values of variables."""
    for each in (*dockerfile.arguments, *_instructions(dockerfile)):
        if each.keyword not in _NOT_RUN:
            yield each.text.text
        for document in each.heredocs:
            yield document.content.of(dockerfile.text)


def _brought(instruction: Instruction) -> Iterator[tuple[str, str]]:
    """What an instruction brings in from the build context, with the place of each."""
    if instruction.keyword in ("COPY", "ADD") and not any(
        each.startswith("--from") for each in instruction.flags
    ):
        *sources, target = instruction.argv or instruction.text.text.split() or ("",)
        for source in sources:
            if not source.startswith("<<") and "://" not in source:
                yield _path(source), target.strip("\"'")
    for flag in instruction.flags:
        name, _, value = flag.partition("=")
        options = dict(each.partition("=")[::2] for each in value.split(","))
        if name == "--mount" and options.get("type", "bind") == "bind" and "from" not in options:
            yield _path(options.get("source") or options.get("src") or "."), ""


def _path(source: str) -> str:
    path = source.strip("\"'").strip("/").removeprefix("./")
    return "" if path == "." else path


@lru_cache(maxsize=8)
def _as_words(names: frozenset[str]) -> frozenset[str]:
    """Of each name what `_NAME` finds last in it: nothing runs it that does not hold that."""
    return frozenset(each for name in names for each in _NAME.findall(name)[-1:])
