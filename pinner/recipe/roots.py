"""The new root that a call of mmdebstrap makes, as a stage of its own (mmdebstrap(1)).

mmdebstrap hands the words of `--include` to apt as they are, `curl=8.14` among them, with the sources that its own
arguments name and nothing of the system that it runs on. debootstrap knows no versions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from pinner.distributions.catalogue import PLATFORMS, alias_of, platform, suite_named
from pinner.edit.span import Joined, Span
from pinner.recipe import scripts
from pinner.recipe.dockerfile import Dockerfile, Instruction, Stage
from pinner.recipe.values import Field, literal
from pinner.regex import later
from pinner.shell import prefixes
from pinner.shell.expand import Variable, joined, names_of
from pinner.shell.syntax import WordPart
from pinner.values import NamedTuple

_OPTIONS = frozenset(
    (
        *(
            "architectures",
            "aptopt",
            "components",
            "dpkgopt",
            "format",
            "hook-directory",
            "include",
            "keyring",
            "logfile",
        ),
        *(
            "chrooted-essential-hook",
            "chrooted-extract-hook",
            "customize-hook",
            "essential-hook",
            "extract-hook",
        ),
        *("mode", "setup-hook", "skip", "variant"),
    )
)
_FLAGS = frozenset(
    (
        *(
            "debug",
            "dry-run",
            "force-check-gpg",
            "help",
            "man",
            "merged-usr",
            "no-merged-usr",
            "quiet",
            "resolve-deps",
        ),
        *("silent", "simulate", "verbose", "version"),
    )
)
_SHORT = later(r"-[hsqvd]+", re.IGNORECASE)
#: The hooks that mmdebstrap ships and that leave apt's sources as they are.
_HARMLESS = later(r"/usr/share/mmdebstrap/hooks/(?!copy-host-apt)[\w-]+/?")
_CHANGES = later(r"apt|\0")
_NAME = later(r"[^,\s]+")
# What another program fills in, or bash makes several words of.
_FILLED = later(r"\$?\{\{.*?\}\}|\{%.*?%\}")
_BRACES = later(r"\{[^{}]*(?:,|\.\.)[^{}]*\}")
# A list that begins so is one pattern of apt, or one file.
_PATTERN, _FILE = later(r"[?~!(]"), later(r"\.{0,2}/")
_USUAL = ("", "-updates", "-security")
_MOVING = ("testing", "unstable", "sid")


class _NotFollowed(Exception):
    """Why a call is not read."""


class Root(NamedTuple):
    """What a call says: the stage that makes the root, and the variables that name packages."""

    stage: Stage
    through: frozenset[Variable]


class _Word(NamedTuple):
    """An argument: its text, with `\\0` for what is not known of it, and the field that it is."""

    text: Joined
    field: Field

    @property
    def head(self) -> str:
        """The text before all that is not known."""
        return self.text.text.partition("\0")[0]

    @property
    def unknown(self) -> str:
        """A clause about what is not known of it."""
        return f"{names_of(self.field.word.variables) or self.field.word.raw} is not known here"

    def known(self) -> str:
        """Its text. Raises `_NotFollowed`."""
        if "\0" in self.text.text:
            raise _NotFollowed(self.unknown)
        return self.text.text


def added(dockerfile: Dockerfile) -> Dockerfile:
    """The file with a stage for each root that its calls of mmdebstrap make, behind its own stages."""
    from pinner.recipe import reading

    stages = list(dockerfile.stages)
    for number, each in enumerate(reading.roots(dockerfile)):
        name = f"mmdebstrap-{number + 1}" if number else "mmdebstrap"
        stages.append(each._replace(index=len(stages), name=name))
    return dockerfile._replace(stages=tuple(stages))


def read(source: str, shell: Joined, given: Sequence[Field], span: Span) -> Root | str:
    """The root that a call at `span` with the arguments `given`, words of `shell`, makes; or why it is not followed."""
    words = [_word(shell, each) for each in given]
    try:
        options, operands = _parsed(words)
        return _root(source, options, operands, span)
    except _NotFollowed as why:
        return str(why)


def _word(shell: Joined, field: Field) -> _Word:
    text = joined(field.pieces) if field.word.value is not None and field.pieces else None
    text = text or Joined.chain(_part(shell, part) for part in field.word.parts)
    pattern = _BRACES if _BRACES.search(field.word.bare) else _FILLED
    return _Word(text.read_as([(*match.span(), "\0") for match in pattern.finditer(text.text)]), field)


def _part(shell: Joined, part: WordPart) -> Joined:
    if part.kind in ("bare", "quoted"):
        return literal(shell, part)
    whole = shell.part(part.start, part.end)
    return whole.read_as([(0, len(whole.text), "\0")])


def _parsed(words: Sequence[_Word]) -> tuple[list[tuple[str, _Word]], list[_Word]]:
    """The options, by their full names, with their values, and the operands."""
    options: list[tuple[str, _Word]] = []
    operands: list[_Word] = []
    rest = iter(words)
    for word in rest:
        if word.head == "--":
            operands += rest
        elif word.head[:1] != "-" or word.head == "-":
            # The place of the root may be anything; elsewhere a variable might hold options.
            if len(operands) != 1 and not word.head:
                word.known()
            operands.append(word)
        elif word.head[:2] == "--":
            name, equals, _ = word.head[2:].partition("=")
            lower = name.lower()
            fitting = [each for each in (*_OPTIONS, *_FLAGS) if each.startswith(lower)]
            option = lower if lower in fitting else fitting[0] if len(fitting) == 1 else ""
            if option in _OPTIONS:
                behind = word.text.part(len(name) + 3, len(word.text.text)) if equals else None
                value = word._replace(text=behind) if behind else next(rest, None)
                if value is None:
                    raise _NotFollowed(f"--{option} has no value")
                options.append((option, value))
            elif option not in _FLAGS:
                raise _NotFollowed(f"it has no option --{name}")
        elif not _SHORT.fullmatch(word.head):
            raise _NotFollowed(f"it has no option {word.head}")
    return options, operands


def _root(source: str, options: Iterable[tuple[str, _Word]], operands: Sequence[_Word], span: Span) -> Root:
    if not operands:
        raise _NotFollowed("its sources come from its standard input")
    suite = operands[0].known().lower()
    settings, architectures, components, lists = ["APT::Install-Recommends false;"], [], [], []
    made: list[Instruction] = []
    for option, value in options:
        if option == "include":
            lists.append(value)
        elif option == "architectures":
            architectures += _NAME.findall(value.known())
        elif option == "components":
            components += _NAME.findall(value.known())
        elif option == "aptopt":
            if len(value.known().split()) == 1:
                raise _NotFollowed(f"its --aptopt names the file {value.known()}")
            settings.append(f"{value.known()};")
        elif option == "hook-directory" and not _HARMLESS.fullmatch(value.known()):
            raise _NotFollowed(f"what the hooks in {value.known()} do is not known here")
        elif option.endswith("-hook") and prefixes.asks(value.head):
            made.append(
                scripts.unread(source, value.field.word.span, "chroot", "the call installs into another root")
            )
        elif (
            option.endswith("-hook")
            and option != "customize-hook"
            and ("apt" in value.head or "\0" in value.text.text)
        ):
            raise _NotFollowed(f"its --{option} may change what apt reads")
    native = platform(architectures[0]) if architectures else ""
    if native is None:
        raise _NotFollowed(f"it is for {architectures[0]}, which pinner does not know")
    lines = [*_sources(suite, [each.known() for each in operands[2:]], " ".join(components) or "main")]
    commands = [
        "rm -rf /etc/apt/sources.list.d /etc/apt/apt.conf.d",
        *(f"dpkg --add-architecture {each}" for each in architectures[1:]),
    ]
    for texts, path in ((lines, "sources.list"), (settings, "apt.conf.d/99mmdebstrap")):
        if any("'" in each for each in texts):
            raise _NotFollowed("there are quotes in what it gives to apt")
        commands.append(f"echo '{chr(10).join(texts)}' > /etc/apt/{path}")
    made.insert(0, scripts.written(" && ".join((*commands, "apt-get update")), span))
    made += _installs(source, lists, span)
    pieces = (piece for value in lists for piece in value.field.pieces)
    through = frozenset(variable for piece in pieces for variable in piece.through)
    return Root(Stage(0, "", "", "of this root", native or "", None, tuple(made), (), suite=suite), through)


def _sources(suite: str, mirrors: Sequence[str], components: str) -> Iterator[str]:
    """The lines of the root's sources.list."""
    for mirror in mirrors:
        if mirror.startswith(("deb ", "deb-src ")):
            yield mirror
        elif "://" in mirror:
            yield f"deb {mirror} {suite} {components}"
        elif mirror:
            where = "its standard input" if mirror == "-" else f"the file {mirror}"
            raise _NotFollowed(f"its sources come from {where}")
    if mirrors:
        return
    named = suite_named(suite)
    distribution = named[0] if named else alias_of(suite)
    if distribution is None:
        return
    own = named[1] if named else max(distribution.suites, key=lambda each: len(each.pockets))
    for pocket in own.pockets:
        kind = pocket.suite.removeprefix(own.codename)
        if kind not in _USUAL or (kind and suite in _MOVING):
            continue
        here = [each for each in PLATFORMS.values() if each in pocket.here or not pocket.ports]
        there = [each for each in PLATFORMS.values() if each not in here]
        for archs, uri in ((here, pocket.uri), (there, pocket.ports)):
            if archs:
                yield f"deb [arch={','.join(dict.fromkeys(archs))}] {uri} {suite}{kind} {components}"


def _installs(source: str, lists: Iterable[_Word], span: Span) -> Iterator[Instruction]:
    """What the root is to hold, and which of that is not read."""
    names: list[Joined] = []
    for each in lists:
        place, text = each.field.word.span, each.text.text
        if _PATTERN.match(text):
            yield scripts.unread(source, place, "pattern", "it is a search pattern")
            continue
        if _FILE.match(text):
            yield scripts.unread(source, place, "file", "it is a file")
            continue
        own = [each.text.part(*match.span()) for match in _NAME.finditer(text)]
        written = [part for part in own if part.span(0, len(part.text)).of(source) == part.text]
        names += written
        if len(written) < len(own):
            yield scripts.unread(source, place, "variable-unknown", each.unknown)
    yield from scripts.calls(names, (None,) * len(names), span)
