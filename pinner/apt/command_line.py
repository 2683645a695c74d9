"""The command line of apt-get, apt and aptitude → sub-command, settings, arguments. Pure; it knows no shell.

The rules are those of apt's own command line reader (apt-get(8), "OPTIONS"; apt.conf(5) for `-o`), which differs from
getopt: long names are never abbreviated, a boolean option takes a following `yes` or `no` as its value, and any
boolean word before the first hyphen of a long option negates it. aptitude(8) reads its own with getopt.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Literal

from pinner.apt.conf import FALSE, TRUE
from pinner.values import NamedTuple


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: What a sub-command takes: package arguments, dependencies as debian/control has them, the names of source packages,
#: or names of packages without modifiers.
Takes = Literal["packages", "relations", "sources", "names", ""]

_TAKES: Mapping[str, Takes] = {
    **dict.fromkeys(
        ("install", "reinstall", "remove", "purge", "autoremove", "auto-remove", "autopurge"), "packages"
    ),
    **dict.fromkeys(("upgrade", "dist-upgrade", "full-upgrade", "safe-upgrade"), "packages"),
    "satisfy": "relations",
    **dict.fromkeys(("build-dep", "source"), "sources"),
    **dict.fromkeys(("download", "changelog", "markauto", "unmarkauto", "hold", "unhold"), "names"),
}
#: Sub-commands whose arguments may name versions.
VERSIONED = _words("install reinstall download")
#: Sub-commands that install what no pin names, and what is said of them.
UNPINNED: Mapping[str, tuple[str, str]] = {
    "satisfy": ("satisfy", "apt chooses packages and versions for these dependencies"),
    "build-dep": (
        "build-dep",
        "what a source package needs to be built is installed, in versions that no pin names",
    ),
    **dict.fromkeys(
        ("upgrade", "dist-upgrade", "full-upgrade", "safe-upgrade", "dselect-upgrade"),
        ("upgrade", "an upgrade installs whatever versions are current, without regard to the pins"),
    ),
}
#: Sub-commands that change what is installed, or how it is marked.
CHANGING = _words(
    """install reinstall remove purge autoremove auto-remove autopurge upgrade dist-upgrade full-upgrade safe-upgrade
    dselect-upgrade satisfy build-dep markauto unmarkauto hold unhold download"""
)
#: Sub-commands that only ever take packages away.
REMOVALS = _words("remove purge autoremove auto-remove autopurge")
_SUBCOMMANDS = frozenset(_TAKES) | _words(
    """autoclean auto-clean clean dist-clean distclean update dselect-upgrade check indextargets moo help list search
    show showsrc policy depends rdepends edit-sources why why-not"""
)

# Options that take a value, with the configuration item they set; short and long spellings.
_VALUED = {
    **dict.fromkeys(("t", "target-release", "default-release"), "APT::Default-Release"),
    **dict.fromkeys(("o", "option"), "-o"),
    **dict.fromkeys(("c", "config-file"), "-c"),
    **dict.fromkeys(("S", "snapshot"), "APT::Snapshot"),
    "solver": "APT::Solver",
    "planner": "APT::Planner",
    **dict.fromkeys(("comment", "with-source", "cli-version"), ""),
}
_HOST = dict.fromkeys(("a", "host-architecture"), "APT::Get::Host-Architecture") | dict.fromkeys(
    ("P", "build-profiles"), "APT::Build-Profiles"
)
#: Options with values that some sub-commands alone have.
_OWN_VALUED: Mapping[str, Mapping[str, str]] = {
    **dict.fromkeys(("build-dep", "satisfy", "source"), _HOST),
    "update": dict.fromkeys(("e", "error-on"), "APT::Update::Error-Mode"),
}
_LEVELS = frozenset(("q", "quiet", "silent"))
_BOOLEAN = {
    **dict.fromkeys(
        _words(
            """f fix-broken m ignore-missing fix-missing V verbose-versions u show-upgraded b build compile
            remove allow-unauthenticated show-progress fix-policy mark-auto trivial-only
            h help v version U update strict-pinning list-columns color audit only-source diff-only dsc-only
            tar-only"""
        ),
        "",
    ),
    **dict.fromkeys(_words("y yes assume-yes"), "APT::Get::Assume-Yes"),
    "arch-only": "APT::Get::Arch-Only",
    "assume-no": "APT::Get::Assume-No",
    **dict.fromkeys(_words("s simulate just-print dry-run recon no-act"), "APT::Get::Simulate"),
    **dict.fromkeys(_words("d download-only"), "APT::Get::Download-Only"),
    "download": "APT::Get::Download",
    **dict.fromkeys(("autoremove", "auto-remove"), "APT::Get::AutomaticRemove"),
    "purge": "APT::Get::Purge",
    **{
        name: f"APT::Get::{name}"
        for name in _words("allow-change-held-packages allow-remove-essential force-yes")
    },
    "ignore-hold": "APT::Ignore-Hold",
    "print-uris": "APT::Get::Print-URIs",
    "with-new-pkgs": "APT::Get::Upgrade-Allow-New",
    "reinstall": "APT::Get::ReInstall",
    "only-upgrade": "APT::Get::Only-Upgrade",
    "upgrade": "APT::Get::Upgrade",
    "allow-downgrades": "APT::Get::allow-downgrades",
    "install-recommends": "APT::Install-Recommends",
    "install-suggests": "APT::Install-Suggests",
}
_OWN_BOOLEAN: Mapping[str, Mapping[str, str]] = {
    "update": dict.fromkeys(
        _words(
            """list-cleanup allow-insecure-repositories allow-weak-repositories allow-releaseinfo-change
        allow-releaseinfo-change-origin allow-releaseinfo-change-label allow-releaseinfo-change-version
        allow-releaseinfo-change-codename allow-releaseinfo-change-suite allow-releaseinfo-change-defaultpin"""
        ),
        "",
    ),
    "build-dep": {"indep-only": "APT::Get::Indep-Only"},
    "list": dict.fromkeys(_words("installed upgradable manual-installed"), ""),
    "search": dict.fromkeys(_words("n names-only"), ""),
}

_APTITUDE = {
    **dict.fromkeys(("t", "target-release"), "APT::Default-Release"),
    "o": "-o",
    **dict.fromkeys(
        _words(
            """w width F display-format O sort S add-user-tag add-user-tag-to remove-user-tag remove-user-tag-from
            log-file log-level group-by show-package-names"""
        ),
        "",
    ),
}
_APTITUDE_BOOLEAN = {
    **dict.fromkeys(("R", "without-recommends"), "no"),
    **dict.fromkeys(("r", "with-recommends"), "yes"),
}


class Argument(NamedTuple):
    """A word of the command line. Where it is not `known` as a whole, `text` is what it begins with for certain."""

    text: str
    known: bool = True


class Setting(NamedTuple):
    """A configuration item that an option sets, or (`file`) a file of them; a value that is not known is None."""

    key: str
    value: str | None
    file: bool = False


class ParsedCommand(NamedTuple):
    """What one command says. `error` is apt's complaint about its options, "" if it has none.

    `options` and `arguments` are the places of the words behind the program's name, `settings` what the options set, in
    order. `uncertain` tells that a word that is not known may be the sub-command.
    """

    subcommand: str
    options: tuple[int, ...]
    arguments: tuple[int, ...]
    settings: tuple[Setting, ...]
    error: str = ""
    uncertain: bool = False

    @property
    def takes(self) -> Takes:
        """What its arguments are."""
        return _TAKES.get(self.subcommand, "")

    def value(self, key: str, default: str = "") -> str | None:
        """What its options make of a configuration item, None if that is not known."""
        said = [each.value for each in self.settings if each.key.lower() == key.lower()]
        return said[-1] if said else default

    def boolean(self, key: str) -> bool | None:
        """The item as yes or no; None where it is not set, or neither."""
        return truth(self.value(key) or "")


#: What the programs of minideb and balenalib put before the words that they are given.
_INSTALL_PACKAGES = tuple(map(Argument, ("install", "--no-install-recommends")))


def parse(program: str, words: Iterable[Argument]) -> ParsedCommand:
    """Read the words behind `program`: apt-get, apt, aptitude, or another that takes what these take."""
    return _parsed(program, tuple(words))


@lru_cache(maxsize=256)  # a command is met by all who read a file, and on each platform
def _parsed(program: str, words: tuple[Argument, ...]) -> ParsedCommand:
    if program == "install_packages":
        call, more = parse("apt-get", (*_INSTALL_PACKAGES, *words)), len(_INSTALL_PACKAGES)
        return call._replace(
            options=tuple(at - more for at in call.options if at >= more),
            arguments=tuple(at - more for at in call.arguments),
        )
    if program == "nala":  # it has options of its own beside those of apt
        return parse("apt", words)._replace(error="")
    reader = _Aptitude(words) if program == "aptitude" else _Apt(words)
    options, arguments, at = list[int](), list[int](), 0
    while at < len(words):
        word = words[at]
        if word == ("--", True):
            options.append(at)
            arguments += range(at + 1, len(words))
            break
        if not word.text.startswith("-"):
            arguments.append(at)
            at += 1
            continue
        end = reader.read(at, word.text)
        options += range(at, end)
        at = end
    # The sub-command is the first argument that is known; expansions before it can only be options.
    place = next((number for number, at in enumerate(arguments) if words[at].known), None)
    before = arguments if place is None else arguments[:place]
    name = "" if place is None else words[arguments[place]].text
    return ParsedCommand(
        name,
        tuple(options if place is None else sorted((*options, *before))),
        tuple(arguments if place is None else arguments[place + 1 :]),
        tuple(reader.settings),
        reader.error,
        bool(before) and name not in _SUBCOMMANDS,
    )


def meant(call: ParsedCommand) -> str:
    """The sub-command that a name which is none nearly is: `install` for `instal`; "" if there is none."""
    if not call.subcommand or call.subcommand in _SUBCOMMANDS:
        return ""
    from difflib import get_close_matches

    return next(iter(get_close_matches(call.subcommand, sorted(_SUBCOMMANDS), n=1, cutoff=0.8)), "")


def truth(text: str) -> bool | None:
    """A word of apt's as yes or no; None if it is neither."""
    lower = text.lower()
    return True if lower in TRUE else False if lower in FALSE else None


class _OptionReader:
    """Reads one option word at a time, gathering what the options set and the first complaint."""

    def __init__(self, words: Sequence[Argument]) -> None:
        self._words = words
        self.settings: list[Setting] = []
        self.error = ""

    def _set(self, item: str, value: str, known: bool, shown: str) -> None:
        if item == "-o":
            item, equals, value = value.partition("=")
            if not equals:
                if known:
                    self._refuse(0, f"the item of {shown} has no `=`")
                return
        if item:
            file = item == "-c"
            self.settings.append(Setting("" if file else item, value if known else None, file))

    def _refuse(self, at: int, message: str) -> int:
        self.error = self.error or message
        return at + 1


@cache
def _options(subcommand: str) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """The options of a sub-command: those with a value, and those that are yes or no."""
    own = _OWN_BOOLEAN.get(subcommand, {})
    return {**_VALUED, **_OWN_VALUED.get(subcommand, {})}, {**_BOOLEAN, **own}


class _Apt(_OptionReader):
    """apt's options."""

    def __init__(self, words: Sequence[Argument]) -> None:
        super().__init__(words)
        # apt takes the first word that names a sub-command to tell which options there are.
        own = next((word.text for word in words if word.known and word.text in _SUBCOMMANDS), "")
        self._valued, self._boolean = _options(own)

    def _known(self, name: str) -> bool:
        return name in self._valued or name in _LEVELS or name in self._boolean

    def read(self, at: int, text: str) -> int:
        """Read the option word at `at`, which begins with `text`; where the next word is."""
        if not text.startswith("--"):
            return self._short(at, text)
        name, equals, value = text[2:].partition("=")
        known = self._words[at].known
        name = name.lower()
        if not known and not equals:
            return at + 1
        negated: bool | None = None
        if len(name) == 1 or not self._known(name):
            sense, _, rest = name.partition("-")
            negated = truth(sense)
            if not (rest in self._boolean or rest in _LEVELS) or negated is None:
                return self._refuse(at, f"the option --{name} is not understood")
            name = rest
        attached = None if not equals else value if known else ""
        return self._option(at, f"--{name}", name, attached, known, negated)

    def _short(self, at: int, text: str) -> int:
        """A bundle such as `-yqq` or `-yt bookworm`."""
        known = self._words[at].known
        place = 1
        while place < len(text):
            name = text[place]
            rest = text[place + 1 :]
            if not self._known(name):
                return self._refuse(at, f"the option -{name} is not understood")
            value = rest.removeprefix("=")
            if name in self._valued:
                attached = value if rest or not known else None
                return self._option(at, f"-{name}", name, attached, known, None)
            if rest and (truth(value) is not None if name not in _LEVELS else value.isdecimal()):
                return self._option(at, f"-{name}", name, value, known, None)
            if rest.startswith("="):
                return self._refuse(at, f"the value of -{name} is not understood")
            if not rest and known:
                return self._option(at, f"-{name}", name, None, known, None)
            if not rest or name in self._boolean:
                self._set(self._boolean.get(name, ""), "yes", known, "")
            place += 1
        return at + 1

    def _option(
        self, at: int, shown: str, name: str, attached: str | None, known: bool, negated: bool | None
    ) -> int:
        """Take the option's value, from its own word (`attached`) or the next one, and note what it sets."""
        following = self._words[at + 1] if attached is None and at + 1 < len(self._words) else None
        if following is not None and following.text.startswith("-"):
            following = None
        end = at + 1
        if name in self._valued:
            if attached is None and following is None:
                return self._refuse(at, f"the option {shown} requires an argument")
            value = attached
            if following is not None:
                value, known = following
                end += 1
            self._set(self._valued[name], value or "", known, shown)
            return end
        value = (
            attached if attached is not None else following.text if following and following.known else None
        )
        if name in _LEVELS:
            return end + (
                attached is None and value is not None and re.fullmatch(r"[+-]?\d+", value) is not None
            )
        sense = truth(value) if value is not None else None
        if attached is not None and sense is None and known:
            return self._refuse(at, f"the value of {shown} is not understood")
        if attached is None and sense is not None:
            end += 1
        if sense is None:
            sense = negated is not False
        self._set(self._boolean[name], "yes" if sense else "no", known, shown)
        return end


class _Aptitude(_OptionReader):
    """aptitude's options, as far as they take values or decide about versions."""

    def read(self, at: int, text: str) -> int:
        """Read the option word at `at`; where the next word is."""
        known = self._words[at].known
        if text.startswith("--"):
            name, equals, value = text[2:].partition("=")
            if name in {"no-install-recommends", "install-recommends"}:
                return self._refuse(at, f"the option --{name} is not understood by aptitude")
            if name in _APTITUDE_BOOLEAN:
                self._set("APT::Install-Recommends", _APTITUDE_BOOLEAN[name], known, "")
            if name not in _APTITUDE or len(name) == 1:
                return at + 1
            return self._value(at, f"--{name}", _APTITUDE[name], value if equals or not known else None)
        for place, name in enumerate(text[1:], 1):
            if name in _APTITUDE:
                rest = text[place + 1 :]
                return self._value(at, f"-{name}", _APTITUDE[name], rest if rest or not known else None)
            if name in _APTITUDE_BOOLEAN:
                self._set("APT::Install-Recommends", _APTITUDE_BOOLEAN[name], known, "")
            if name == "q" and text[place + 1 :].startswith("="):
                break
        return at + 1

    def _value(self, at: int, shown: str, item: str, attached: str | None) -> int:
        if attached is None and at + 1 == len(self._words):
            return self._refuse(at, f"the option {shown} requires an argument")
        word = Argument(attached, self._words[at].known) if attached is not None else self._words[at + 1]
        self._set(item, word.text, word.known, shown)
        return at + 1 + (attached is None)
