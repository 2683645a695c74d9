"""apt's own programs, and those that add sources: add-apt-repository (`ppa:…`), extrepo, pro."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pinner.apt import command_line
from pinner.apt.command_line import Argument, Setting
from pinner.regex import later
from pinner.shell.content import UNKNOWN, Content, KeyOrigin
from pinner.shell.outcomes import Invocation, ProgramResult, SeenInstall, marks_at

#: Where Launchpad serves Personal Package Archives.
PPA = "https://ppa.launchpadcontent.net"
# Where add-apt-repository(1) asks for the keys of PPAs; the answer is a string of JSON.
_LAUNCHPAD = "https://api.launchpad.net/devel"
_PPA = later(r"ppa:~?([\w.+-]+)(?:/(?:ubuntu/)?([\w.+-]+))?")
_COMPONENTS = frozenset(
    {"main", "contrib", "non-free", "non-free-firmware", "universe", "restricted", "multiverse"}
)
# What a script is called with.
_FOLDER = "/etc/apt/sources.list.d"


def _apt(call: Invocation) -> ProgramResult:
    shell = call.shell
    if shell.walk.trace is not None:
        return ProgramResult()
    program = call.name if call.name in ("apt", "aptitude") else "apt-get"
    texts = call.words
    parsed = command_line.parse(
        program, [Argument(each.partition(UNKNOWN)[0], UNKNOWN not in each) for each in texts]
    )
    verb, operands = parsed.subcommand, [texts[at] for at in parsed.arguments]
    if verb == "update" or {"-U", "--update"} & set(texts):
        shell.state.update(parsed.settings)
    if verb in ("install", "reinstall", "satisfy", "build-dep", "upgrade", "dist-upgrade", "full-upgrade"):
        lists = tuple(dict.fromkeys(name for each in call.args for name in each.lists if "://" not in name))
        words = tuple(each.text for each in call.args if each.lists)
        ends = any(each.endswith("\r") for each in words)
        start, end = shell.span
        settings = (*shell.state.past_time, *parsed.settings)
        shell.walk.seen.append(
            SeenInstall(shell.file, start, end, shell.state.copy(), lists, ends, False, settings, words)
        )
        if shell.wrapper:
            shell.walk.ran.setdefault(shell.wrapper, "")
        _answer(call, parsed.arguments, settings)
        files = [
            word for word in operands if word.startswith(("/", "./", "../", "~/")) or word.endswith(".deb")
        ]
        if files:
            from pinner.shell.programs.system import installed

            installed(call, files)
    if verb in command_line.CHANGING and not parsed.boolean("APT::Get::Simulate"):
        shell.command(program, call.words)
    return ProgramResult()


def _answer(call: Invocation, arguments: Sequence[int], settings: tuple[Setting, ...]) -> None:
    """Take note of the calls that this command has packages from."""
    shell, walk, args = call.shell, call.shell.walk, call.args
    place, caller = (shell.file, *shell.span), shell.called_from
    while caller is not None and caller.given:
        whole = args[-len(caller.given) :] == caller.given
        count = len(caller.given) if whole else int(args[-1] in caller.given)  # in one turn of a loop
        own = args[: len(args) - count]
        if not (count and caller.once) or any(UNKNOWN in each.text or each in caller.given for each in own):
            break
        words = (each.text for at, each in enumerate(own) if at not in arguments)
        command = " ".join((call.name, *words))
        known = walk.ran.get(caller.name) or command
        walk.ran[caller.name] = known if known == command else "?"
        walk.seen.append(SeenInstall(*caller.place, shell.state.copy(), settings=settings))
        walk.answered.setdefault(place, True)
        walk.adding.add(caller.place)
        place, caller = caller.place, caller.outer
    if caller is None or caller.given:
        walk.answered[place] = False


def _apt_mark(call: Invocation) -> ProgramResult:
    verb = next((word for word in call.words if not word.startswith("-")), "")
    number = call.shell.command(call.name, call.words)
    if verb == "showmanual" and call.words == [verb]:
        return ProgramResult("done", Content(f"{marks_at(number)}\n"))
    return ProgramResult("done", Content(UNKNOWN if verb.startswith("show") else ""))


def _line(call: Invocation, words: list[str]) -> str | None:
    """The line of sources.list(5) that add-apt-repository makes of its argument; None if it is not followed."""
    found = call.shell.state.read("/etc/os-release")
    release = dict(each.partition("=")[::2] for each in ((found.text if found else "") or "").splitlines())
    codename = release.get("VERSION_CODENAME", "")
    line = " ".join(words)
    match = _PPA.fullmatch(line)
    if match and codename and release.get("ID") == "ubuntu":
        from pinner.shell.programs.keys import TRUSTED

        owner, archive = match[1], match[2] or "ppa"
        key = f"{_LAUNCHPAD}/~{owner}/+archive/ubuntu/{archive}?ws.op=getSigningKeyData"
        call.shell.write(f"{TRUSTED}.d/{owner}-ubuntu-{archive}.gpg", Content(origins=(KeyOrigin(key),)))
        return f"deb {PPA}/{owner}/{archive}/ubuntu {codename} main"
    if codename and re.fullmatch(r"https?://\S+", line):
        return f"deb {line} {codename} main"
    if codename and re.fullmatch(r"https?://\S+ \S+ \S.*", line):
        return f"deb {line}"
    return line if line.startswith("deb ") else None


def _add_apt_repository(call: Invocation) -> ProgramResult:
    said: list[str] = []
    quiet = removes = False
    # `--ppa=X` is `--ppa X`.
    split = ([*word.split("=", 1)] if re.match(r"--\w+=", word) else [word] for word in call.words)
    words = iter([each for parts in split for each in parts])
    for word in words:
        if word in ("-P", "--ppa"):
            said.append(f"ppa:{next(words, '').removeprefix('ppa:')}")
        elif word in ("-c", "--component", "-S", "--sourceslist", "-U", "--uri"):
            said.append(next(words, ""))
        elif word in ("-p", "--pocket"):
            said.append(UNKNOWN)
        elif word.startswith("-"):
            quiet |= word in ("-n", "--no-update")
            removes |= word in ("-r", "--remove")
        else:
            said.append(word)
    shell = call.shell
    if said and all(word in _COMPONENTS for word in said):
        if not removes:
            _enable(call, said)
    elif removes:
        shell.unknown(f"{call.name} {' '.join(call.words)}")
    elif (line := _line(call, said)) is not None and "\n" not in line:
        shell.write(f"{_FOLDER}/archive_uri.list", Content(f"{line}\n"), append=True)
    elif said:
        shell.write(f"{_FOLDER}/{call.name}.list", Content(by=call.name))
    if not quiet:
        shell.state.update()
    return ProgramResult()


def _enable(call: Invocation, components: list[str]) -> None:
    """More components of the distribution's own sources."""
    state = call.shell.state
    for path, content in state.sources().items():
        if content.text is None or content.others:
            continue
        lines = []
        for line in content.text.splitlines():
            parts = line.split()
            if (parts[:1] == ["deb"] and "main" in parts) or (
                parts[:1] == ["Components:"] and parts[1:2] == ["main"]
            ):
                line = " ".join((line.rstrip(), *(each for each in components if each not in parts)))
            lines.append(f"{line}\n")
        if "".join(lines) != content.text:
            call.shell.write(path, content._replace(text="".join(lines)))


def _extrepo(call: Invocation) -> ProgramResult:
    words = [word for word in call.words if not word.startswith("-")]
    if words[:1] == ["enable"]:
        for name in words[1:]:
            call.shell.write(f"{_FOLDER}/extrepo_{name}.sources", Content(by=f"extrepo enable {name}"))
    elif words[:1] == ["disable"]:
        for name in words[1:]:
            call.shell.state.remove(f"{_FOLDER}/extrepo_{name}.sources")
    return ProgramResult()


def _other(call: Invocation) -> ProgramResult:
    """A distribution's own program that changes the sources."""
    if call.name not in ("pro", "ua") or {"enable", "attach"} & set(call.words):
        call.shell.fetched(call.name)
    return ProgramResult()


ROWS = {
    **dict.fromkeys(("apt-get", "apt", "aptitude", "nala", "apt-fast"), _apt),
    "add-apt-repository": _add_apt_repository,
    "apt-add-repository": _add_apt_repository,
    "apt-mark": _apt_mark,
    "extrepo": _extrepo,
    **dict.fromkeys(("pro", "ua", "netselect-apt", "apt.postgresql.org.sh", "apt-setup"), _other),
}
