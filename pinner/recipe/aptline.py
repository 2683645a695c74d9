"""The words of one apt command → sub-command, options, package arguments.

The rules are those of apt's own command line reader (apt-get(8), "OPTIONS"; apt.conf(5) for `-o`), which differs from
getopt: long names are never abbreviated, a boolean option takes a following `yes` or `no` as its value, and any
boolean word before the first hyphen of a long option negates it.
"""

from __future__ import annotations

import re

from pinner.shell.syntax import Word


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TRUE = _words("1 yes true with on enable")
_FALSE = _words("0 no false without off disable")

_SUBCOMMANDS = _words(
    """install reinstall remove purge autoremove auto-remove autopurge autoclean auto-clean clean
    dist-clean distclean update upgrade dist-upgrade full-upgrade dselect-upgrade build-dep satisfy
    source download changelog check indextargets markauto unmarkauto moo help list search show showsrc
    policy depends rdepends edit-sources hold unhold why why-not"""
)

# Options of `install` that take a value, with the configuration item they set; short and long spellings.
_VALUED = {
    **dict.fromkeys(("t", "target-release", "default-release"), "apt::default-release"),
    **dict.fromkeys(("o", "option"), "option"),
    **dict.fromkeys(("c", "config-file", "S", "snapshot", "comment", "with-source", "solver", "planner"), ""),
    "cli-version": "",
}
_LEVELS = frozenset(("q", "quiet", "silent"))
_BOOLEAN = {
    **dict.fromkeys(
        _words(
            """y yes assume-yes assume-no f fix-broken m ignore-missing fix-missing V verbose-versions u
            show-upgraded d download-only s simulate just-print dry-run recon no-act b build compile
            reinstall only-upgrade upgrade remove purge autoremove auto-remove allow-downgrades
            allow-change-held-packages allow-remove-essential allow-unauthenticated force-yes show-progress
            fix-policy ignore-hold mark-auto trivial-only print-uris download h help v version U update
            strict-pinning list-columns color audit arch-only only-source diff-only dsc-only tar-only"""
        ),
        "",
    ),
    "install-recommends": "apt::install-recommends",
    "install-suggests": "apt::install-suggests",
}

# aptitude(8) reads its options with getopt.
_APTITUDE_VALUED = _words(
    """t o w F O S target-release add-user-tag add-user-tag-to remove-user-tag remove-user-tag-from
    log-file log-level"""
)


class Call:
    """What one apt command says. `error` is apt's complaint about its options, "" if it has none.

    `settings` are the configuration items set, names in lower case, the last value winning; a value is None when an
    expansion decides it. `expansions` tells that there are some where the sub-command stands.
    """

    def __init__(self) -> None:
        self.subcommand = ""
        self.options: list[Word] = []
        self.arguments: list[Word] = []
        self.settings: dict[str, str | None] = {}
        self.error = ""
        self.expansions = False

    @property
    def uncertain(self) -> bool:
        """Whether an expansion may be the sub-command."""
        return self.expansions and self.subcommand not in _SUBCOMMANDS

    def boolean(self, item: str) -> bool | None:
        """The configuration item read as apt reads a boolean; None when not set, or not to be read as one."""
        value = self.settings.get(item)
        return None if value is None else _boolean(value)


def parse(program: str, words: tuple[Word, ...]) -> Call:
    """Read the words behind `program` (apt-get, apt or aptitude)."""
    call = Call()
    options = _Aptitude(call, words) if program == "aptitude" else _Apt(call, words)
    at = 0
    while at < len(words):
        word = words[at]
        text = leading_text(word)
        if word.value == "--":
            call.options.append(word)
            call.arguments += words[at + 1 :]
            break
        if not text.startswith("-"):
            call.arguments.append(word)
            at += 1
            continue
        end = options.read(at, text)
        call.options += words[at:end]
        at = end
    _take_subcommand(call)
    return call


def leading_text(word: Word) -> str:
    """The text that `word` begins with for certain: all of it, or what stands before its first expansion."""
    if word.value is not None:
        return word.value
    text = ""
    for part in word.parts:
        if part.kind not in ("bare", "quoted"):
            break
        text += part.text
    return text


def _take_subcommand(call: Call) -> None:
    """The first argument that is certain; expansions before it can only be options."""
    for at, word in enumerate(call.arguments):
        call.expansions |= word.value is None
        if word.value is not None:
            call.subcommand = word.value
            call.options += call.arguments[:at]
            call.options.sort(key=lambda option: option.span)
            del call.arguments[: at + 1]
            return


def _boolean(text: str) -> bool | None:
    lower = text.lower()
    return True if lower in _TRUE else False if lower in _FALSE else None


class _Apt:
    """apt's option reader, one option word at a time."""

    def __init__(self, call: Call, words: tuple[Word, ...]) -> None:
        self._call = call
        self._words = words

    def read(self, at: int, text: str) -> int:
        """Read the option word at `at`, which begins with `text`; where the next word is."""
        if not text.startswith("--"):
            return self._short(at, text)
        name, equals, value = text[2:].partition("=")
        certain = self._words[at].value is not None
        name = name.lower()
        if not certain and not equals:
            return at + 1
        negated: bool | None = None
        if len(name) == 1 or not _known(name):
            sense, _, rest = name.partition("-")
            negated = _boolean(sense)
            if not (rest in _BOOLEAN or rest in _LEVELS) or negated is None:
                return self._refuse(at, f"the option --{name} is not understood")
            name = rest
        attached = None if not equals else value if certain else ""
        return self._option(at, f"--{name}", name, attached, certain, negated)

    def _short(self, at: int, text: str) -> int:
        """A bundle such as `-yqq` or `-yt bookworm`."""
        certain = self._words[at].value is not None
        place = 1
        while place < len(text):
            name = text[place]
            rest = text[place + 1 :]
            if not _known(name):
                return self._refuse(at, f"the option -{name} is not understood")
            value = rest.removeprefix("=")
            if name in _VALUED:
                attached = value if rest or not certain else None
                return self._option(at, f"-{name}", name, attached, certain, None)
            if rest and (_boolean(value) is not None if name not in _LEVELS else value.isdecimal()):
                return self._option(at, f"-{name}", name, value, certain, None)
            if rest.startswith("="):
                return self._refuse(at, f"the value of -{name} is not understood")
            if not rest and certain:
                return self._option(at, f"-{name}", name, None, certain, None)
            place += 1
        return at + 1

    def _option(
        self, at: int, shown: str, name: str, attached: str | None, certain: bool, negated: bool | None
    ) -> int:
        """Take the option's value, from its own word (`attached`) or the next one, and note what it sets."""
        following = self._words[at + 1] if attached is None and at + 1 < len(self._words) else None
        text = None if following is None else leading_text(following)
        if text is not None and text.startswith("-"):
            following = text = None
        end = at + 1
        if name in _VALUED:
            if attached is None and following is None:
                return self._refuse(at, f"the option {shown} requires an argument")
            value = attached
            if following is not None:
                value, certain = text, following.value is not None
                end += 1
            self._set(_VALUED[name], value or "", certain, shown)
            return end
        value = attached if attached is not None else following.value if following else None
        if name in _LEVELS:
            return end + (
                attached is None and value is not None and re.fullmatch(r"[+-]?\d+", value) is not None
            )
        sense = _boolean(value) if value is not None else None
        if attached is not None and sense is None and certain:
            return self._refuse(at, f"the value of {shown} is not understood")
        if attached is None and sense is not None:
            end += 1
        if sense is None:
            sense = negated is not False
        if item := _BOOLEAN[name]:
            self._call.settings[item] = ("yes" if sense else "no") if certain else None
        return end

    def _set(self, item: str, value: str, certain: bool, shown: str) -> None:
        if item == "option":
            item, equals, value = value.partition("=")
            if not equals and certain:
                self._call.error = self._call.error or f"the item of {shown} has no `=`"
            item = item.lower()
        if item:
            self._call.settings[item] = value if certain else None

    def _refuse(self, at: int, message: str) -> int:
        self._call.error = self._call.error or message
        return at + 1


def _known(name: str) -> bool:
    return name in _VALUED or name in _LEVELS or name in _BOOLEAN


class _Aptitude:
    """aptitude's option reader: enough to tell values from arguments."""

    def __init__(self, call: Call, words: tuple[Word, ...]) -> None:
        self._call = call
        self._words = words

    def read(self, at: int, text: str) -> int:
        """Read the option word at `at`; where the next word is."""
        if text.startswith("--"):
            takes = text[2:] in _APTITUDE_VALUED
        else:
            first = next((place for place, name in enumerate(text) if name in _APTITUDE_VALUED), -1)
            takes = first == len(text) - 1
        return min(at + 1 + takes, len(self._words))
