"""What may stand before a program's name without changing what it does: `sudo -E`, `env X=Y`, `timeout 30`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pinner.apt.command_line import UNPINNED
from pinner.regex import later
from pinner.shell.syntax import Word
from pinner.values import NamedTuple


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Programs that take apt's command line; `install_packages` of minideb and balenalib is `apt-get install` with options.
APT_PROGRAMS = frozenset(("apt-get", "apt", "aptitude", "apt-fast", "nala", "install_packages"))
SHELLS = _words("sh bash dash ash zsh ksh mksh su runuser eval ssh script")

_ASSIGNMENT = later(r"[A-Za-z_]\w*=")
_SEPARATOR = later(r"[;&|\n]")
# Python finds what a pattern begins with quickly if that is a literal: so what stands before it is looked at behind it.
_APT_PROGRAM = r"(?:apt(?<!\wapt)(?:-get|itude|-fast)?|nala(?<!\wnala))"
_APT = later(rf"{_APT_PROGRAM}\b")
_INSTALL = later(r"install(?:(?<!\winstall)|(?<=\breinstall))\b")
_APT_NAME = later(r"(?:^|[-_.])apt(?:[-_.]|get|$)")
_APT_WORDS = frozenset(("install", "reinstall", "--no-install-recommends", "--install-recommends"))
# What installs packages otherwise: a word without which it does not, and how it is called.
_OTHERWISE = {
    "install_packages": later(r"install_packages(?<!\winstall_packages)[ \t]+\w"),
    "gdebi": later(r"gdebi(?<!\wgdebi)[ \t]+[\w./$-]"),
    "mk-build-deps": later(r"mk-build-deps(?<!\wmk-build-deps)\s[^;&|]{0,400}(?:--install|-\w*i)"),
    "tasksel": later(r"tasksel(?<!\wtasksel)\s[^;&|]{0,400}\binstall\b"),
    "mdebstrap": later(r"mdebstrap(?:(?<!\wmdebstrap)|(?<=\bmmdebstrap))\s"),
    "debootstrap": later(r"debootstrap\s"),
    "sbuild-createchroot": later(r"sbuild-createchroot(?<!\wsbuild-createchroot)\s"),
    "dpkg": later(r"dpkg(?<!\wdpkg)\s+(?:--\S+\s+){0,9}(?:-[A-Za-z]*i[A-Za-z]*|--install|--unpack)(?![\w-])"),
    "unattended-upgrade": later(r"unattended-upgrade(?<!\wunattended-upgrade)s?[ \t]+-"),
    "ansible": later(
        r"ansible(?<!\wansible)\s[^;&|\n]{0,400}\b(?:apt|package)\b[^;&|\n]{0,400}\b(?:name|pkg)="
    ),
    **dict.fromkeys(
        ("build-dep", "satisfy", "upgrade"),
        later(
            rf"{_APT_PROGRAM}(?:\s+(?:-[oct]\s+(?![-\\$])\S+|-\S+|\\|\$\S+))*"
            r"\s+(?:build-dep|satisfy|(?:dist-|full-|dselect-|safe-)?upgrade)\b"
        ),
    ),
}


class _Prefix(NamedTuple):
    """A program that runs another: its short and long options with a value, and its own operands."""

    short: str = ""
    long: frozenset[str] = frozenset()
    operands: int = 0
    assignments: bool = False


def _prefix(short: str = "", long: str = "", operands: int = 0, assignments: bool = False) -> _Prefix:
    return _Prefix(short, _words(long), operands, assignments)


_PREFIXES = {
    "sudo": _prefix(
        "aCcDghpRrTtUu",
        "auth-type close-from login-class chdir group host prompt chroot role command-timeout type other-user user",
        assignments=True,
    ),
    "doas": _prefix("aCu"),
    "env": _prefix("uCS", "unset chdir split-string", assignments=True),
    "nice": _prefix("n", "adjustment"),
    "ionice": _prefix("cnpPu", "class classdata pid pgid uid"),
    "timeout": _prefix("ks", "kill-after signal", operands=1),
    "time": _prefix("fo", "format output"),
    "stdbuf": _prefix("ioe", "input output error"),
    "exec": _prefix("a"),
    "xvfb-run": _prefix("efnpsw", "error-file auth-file server-num xauth-protocol server-args wait"),
    "retry": _prefix("dstumMx", "delay times until fail sleep tries min max"),
    **dict.fromkeys(("setarch", "taskset", "chrt"), _prefix(operands=1)),
    "gosu": _prefix(operands=1),
    "su-exec": _prefix(operands=1),
    "faketime": _prefix("f", operands=1),
    "unshare": _prefix("SGRw", "setuid setgid root wd map-user map-group propagation"),
    "setpriv": _prefix("", "reuid regid groups inh-caps ambient-caps bounding-set securebits"),
    "flock": _prefix("wEc", "wait timeout conflict-exit-code", operands=1),
    **dict.fromkeys(
        _words(
            "command builtin busybox toybox eatmydata nohup setsid chronic unbuffer fakeroot linux32 linux64"
            " dumb-init tini dbus-run-session torsocks"
        ),
        _prefix(),
    ),
}

_NEW_ROOT = "packages are installed into a new root, in versions that it chooses itself"
_BY_FILE = "a package file is installed, which no pin names"
#: Other programs that install packages: a code, what is said, and an argument without which they do not.
INSTALLERS = {
    "gdebi": (
        "gdebi",
        "gdebi installs a package file with what it needs, whose versions no pin names",
        later(r"[^-]"),
    ),
    "dpkg": ("dpkg", _BY_FILE, later(r"--(?:install|unpack)\Z|-[^-\s]*i[^-\s]*\Z")),
    "mk-build-deps": (
        "mk-build-deps",
        "what a source package needs to be built is installed, in versions that no pin names",
        later(r"--install\Z|-[^-\s]*i"),
    ),
    "tasksel": (
        "tasksel",
        "tasksel installs the packages of a task, which no pin names",
        later(r"install\Z"),
    ),
    **dict.fromkeys(
        ("unattended-upgrade", "unattended-upgrades"), ("upgrade", UNPINNED["upgrade"][1], later(""))
    ),
    **dict.fromkeys(
        ("debootstrap", "cdebootstrap", "qemu-debootstrap", "sbuild-createchroot"),
        ("debootstrap", _NEW_ROOT, later(r"--include\b")),
    ),
    "mmdebstrap": ("mmdebstrap", "packages are installed into a new root", later(r"--i\w*(?:=|\Z)")),
}

# These only read or print their arguments; an apt command among those is never run.
_NEVER_RUN = _words(
    """echo printf : true false which type hash test [ export alias read local set unset man cat tee rm cp
    mv ln ls mkdir touch chmod chown install grep egrep fgrep sed awk find dpkg dpkg-query dpkg-divert
    apt-cache apt-mark apt-key apt-config apt-file add-apt-repository logger git gh curl wget jq"""
)
#: Programs that install nothing, whatever they are given, and run nothing else.
HARMLESS = _NEVER_RUN - INSTALLERS.keys()
# Names of what only tells people a text, and what tells a command from advice.
_TELLS = later(r"echo|print|log|info|warn|err|die|fail|msg|message|alert|abort|exit|debug|say|usage|help")
_COMMAND = later(r"\s(?:-y|-qq?y?|--yes|--assume-yes)\s|\bDEBIAN_FRONTEND=|\bdpkg\s+-")

#: Programs that take a command as a text, and run it on another machine.
_ELSEWHERE = _words(
    "ssh vagrant multipass gcloud virt-customize virt-builder sshpass mosh pct docker-machine ansible salt aws"
)
# The option that names Ansible's module, and the argument that names packages.
_MODULE = later(r"(?:--module-name|-m)(?:=?(\S+))?")
_PACKAGE = later(r"\b(?:name|pkg)=")

#: What programs run, by name: a command that their arguments are added to, "" for the arguments themselves.
Wrappers = Mapping[str, str]


class AptProgram(NamedTuple):
    """Where in a command the apt program stands; or why an apt call in it is not read (`reason`, `detail`).

    With both, `at` counts from behind the program that runs it: what the call says itself is read. `given` are the
    words that a wrapper has before those of the command. `fills` tells that the last word stands for what is read.
    """

    at: int = -1
    name: str = ""
    reason: str = ""
    detail: str = ""
    given: tuple[str, ...] = ()
    fills: bool = False


def asks(text: str) -> bool:
    """Whether `text`, as a script, seems to install packages."""
    if _installs_otherwise(text):
        return True
    at = 0
    while "install" in text and (apt := _APT.search(text, at)):
        separator = _SEPARATOR.search(text, apt.end())
        at = separator.start() if separator else len(text)
        if _INSTALL.search(text, apt.end(), at):
            return True
    return False


def mentions(text: str) -> bool:
    """Whether a text may install packages in any of the known ways; quick, for those that do not."""
    return ("install" in text and ("apt" in text or "nala" in text)) or _installs_otherwise(text)


def _installs_otherwise(text: str) -> bool:
    return any(word in text and how.search(text) for word, how in _OTHERWISE.items())


def find(words: tuple[Word, ...], wrappers: Wrappers = {}) -> AptProgram | None:  # noqa: B006
    """The apt program that the command `words` runs, None if it runs none."""
    at, name = program(words, wrappers)
    if name in APT_PROGRAMS:
        return AptProgram(at, name)
    if runs := behind_prefixes(wrappers.get(name, "")):
        return AptProgram(at, runs[0], given=tuple(runs[1:]))
    return _other(name, words[at + 1 :], wrappers) if name else None


def behind_prefixes(command: str) -> list[str]:
    """The words of a command from the apt program on that it runs; none if it runs another."""
    words = command.split()
    own = words[begin(words, "\0") :]
    name = own[0].rpartition("/")[2] if own else ""
    return [name, *own[1:]] if name in APT_PROGRAMS else []


def program(words: tuple[Word, ...], wrappers: Wrappers = {}) -> tuple[int, str]:  # noqa: B006
    """Where in a command the program stands that it runs in the end, and its name; "" if it is not known."""
    at = 0
    texts: list[str] = []
    raws: list[str] = []
    while at < len(words):
        value, name = words[at].value, _basename(words[at])
        if value is None and name not in wrappers:
            # `$SUDO apt-get ...`: whatever it expands to, what follows is the program or its prefix's options.
            if not _only_variable(words[at]):
                break
            at += 1
            continue
        if name == "eval" and len(words) > at + 2 and " " not in words[at + 1].literal:  # just words
            at += 1
            continue
        if name in SHELLS and wrappers:  # `sh retry.sh apt-get`
            own = _script(words, at + 1)
            if own < len(words) and _basename(words[own]) in wrappers:
                at = own
                continue
        if wrappers.get(name) == "":
            known = (
                place
                for place, word in enumerate(words[at + 1 :], at + 1)
                if (word.value or "").rpartition("/")[2]
                in (*APT_PROGRAMS, *_PREFIXES, *SHELLS, *INSTALLERS, *wrappers)
            )
            at = next(known, len(words))
            continue
        prefix = _PREFIXES.get(name)
        if prefix is None:
            return at, name
        texts = texts or [each.value or "" for each in words]
        raws = raws or [each.raw for each in words]
        next_at = _behind(texts, raws, at + 1, prefix)
        if name == "command" and any(
            (word.value or "").startswith(("-v", "-V")) for word in words[at + 1 : next_at]
        ):
            break
        at = next_at
    return at, ""


def _script(words: tuple[Word, ...], at: int) -> int:
    """Where the script stands that a shell with these words runs."""
    while at < len(words) and words[at].raw[:1] in ("-", "+"):
        at += 2 if words[at].raw[-1] in ("o", "O") else 1
    return at


def _basename(word: Word) -> str:
    return (word.value or word.raw).rstrip("\"'").rpartition("/")[2]


def begin(texts: Sequence[str], unknown: str) -> int:
    """Where in a command, as texts, the program stands that it runs in the end; a word `unknown` counts for none.

    What stands before it may be assignments, as `env` takes them.
    """
    at = 0
    while at < len(texts):
        prefix = _PREFIXES.get(texts[at].rpartition("/")[2])
        if texts[at].strip(unknown) == "" and texts[at]:
            at += 1
            continue
        if prefix is None:
            return at
        behind = _behind(texts, texts, at + 1, prefix)
        if texts[at] == "command" and any(word.startswith(("-v", "-V")) for word in texts[at + 1 : behind]):
            return at
        at = behind
    return at


def _only_variable(word: Word) -> bool:
    return all(part.kind == "variable" or not part.text for part in word.parts)


def _behind(words: Sequence[str], raws: Sequence[str], at: int, prefix: _Prefix) -> int:
    """Where the command that `prefix` runs begins."""
    while at < len(words):
        value = words[at]
        if value == "--":
            at += 1
            break
        if value.startswith("--"):
            name, equals, _ = value[2:].partition("=")
            at += 2 if name in prefix.long and not equals else 1
        elif value.startswith("-"):
            first = next((place for place, name in enumerate(value) if name in prefix.short), -1)
            at += 2 if first == len(value) - 1 else 1
        elif prefix.operands or not value.isdecimal():  # of `retry 3 apt-get`; a program's name is none
            break
        else:
            at += 1
    while prefix.assignments and at < len(words) and _ASSIGNMENT.match(raws[at]):
        at += 1
    return at + prefix.operands


def _other(name: str, words: tuple[Word, ...], wrappers: Wrappers) -> AptProgram | None:
    """What to say of a command that is neither apt nor a known prefix."""
    if name in SHELLS:
        text = " ".join(word.literal for word in words)
        if asks(text) or _lists(words) or any(each in text for each in wrappers):
            return AptProgram(reason="string", detail=f"the command is in a string that {name} runs")
        return None
    if name == "xargs" and _lists(words):
        names = [(word.value or "").rpartition("/")[2] for word in words]
        at = next(at for at, each in enumerate(names) if each in APT_PROGRAMS)
        # The call has its own arguments before those of the input, or before a place that xargs fills.
        mark = next((each for each in names[:at] if each.startswith(("-I", "-i", "--replace"))), "")
        filled = (mark[2:] or names[names.index(mark) + 1]) if mark.startswith("-I") else "{}" if mark else ""
        inner = any(filled in each for each in names[at:-1]) if filled else False
        own = "" if inner or (filled and names[-1] != filled) else names[at]
        return AptProgram(at, own, "xargs", "the packages come from the input of xargs", fills=bool(filled))
    if found := _installer(name, words):
        return found
    if name in _NEVER_RUN:
        return None
    handed = _hands_over(name, words)
    runs = _runs(words)
    if runs is not None and name == "xargs":
        return runs
    if name == "chroot" and (handed or runs):
        return AptProgram(reason="chroot", detail="the call installs into another root")
    if handed:
        why = f"{name} has the command run elsewhere, on a system that is not known here"
        return AptProgram(reason="wrapper", detail=why)
    if runs or _seems_apt(name, words):
        return AptProgram(
            reason="wrapper", detail=f"what {name} runs is not known here, which [wrappers] may say"
        )
    return None


def _installer(name: str, words: tuple[Word, ...]) -> AptProgram | None:
    """What to say of one of `INSTALLERS` with these arguments."""
    code, why, needs = INSTALLERS.get(name, ("", "", None))
    if needs is None or not any(needs.match(word.value or word.literal) for word in words):
        return None
    return AptProgram(reason=code, detail=why)


def _runs(words: tuple[Word, ...]) -> AptProgram | None:
    """What the command installs that begins somewhere in `words`, which a program seems to run."""
    if _lists(words):
        return AptProgram(reason="wrapper")
    names = [(word.value or "").rpartition("/")[2] for word in words]
    for at, name in enumerate(names):
        if name in APT_PROGRAMS and not UNPINNED.keys().isdisjoint(names[at + 1 :]):
            return AptProgram(reason="upgrade")
        if found := _installer(name, words[at + 1 :]):
            # Other package managers have packages of these names.
            return found if name != "gdebi" or any(each.endswith(".deb") for each in names) else None
    return None


def _hands_over(name: str, words: tuple[Word, ...]) -> bool:
    """Whether a program has a shell's command among its arguments that installs packages: `docker exec x sh -c "…"`."""
    shell = name in _ELSEWHERE
    tells = _TELLS.search(name.lower()) is not None
    module = ""
    for at, word in enumerate(words):
        text = word.literal
        if shell and (asks(text) or (module and _PACKAGE.search(text))):
            return True
        if not tells and " " in text and asks(text) and _COMMAND.search(text):
            return True
        shell = shell or (word.value or "").rpartition("/")[2] in SHELLS
        if name == "ansible" and (match := _MODULE.fullmatch(word.literal)):
            module = match[1] or (words[at + 1].literal if at + 1 < len(words) else "")
            module = module if module.rpartition(".")[2] in ("apt", "package") else ""
    return False


def _seems_apt(name: str, words: tuple[Word, ...]) -> bool:
    """Whether a program that is not known takes apt's arguments, by its name or theirs."""
    values = {word.value or "" for word in words}
    if name in ("make", "just", "task"):  # whose file has the commands
        return any(_APT_NAME.search(each) and _INSTALL.search(each) for each in values)
    if not _APT_NAME.search(name):
        return False
    return _INSTALL.search(name) is not None or not values.isdisjoint(_APT_WORDS)


def _lists(words: tuple[Word, ...]) -> bool:
    """Whether an apt program and, behind it, the word `install` are among `words`."""
    values = [word.value or "" for word in words]
    for at, value in enumerate(values):
        name = value.rpartition("/")[2]
        if name in APT_PROGRAMS:
            return name == "install_packages" or not {"install", "reinstall"}.isdisjoint(values[at + 1 :])
    return False
