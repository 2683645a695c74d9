"""What tells about the system: the architecture, the release; and dpkg."""

from __future__ import annotations

from pinner.distributions import programs
from pinner.shell.content import UNKNOWN, Content, KeyOrigin
from pinner.shell.outcomes import Invocation, ProgramResult
from pinner.shell.programs.options import read_options

_MACHINES = {
    "amd64": "x86_64",
    "arm64": "aarch64",
    "armhf": "armv7l",
    "i386": "i686",
    "ppc64el": "ppc64le",
    "s390x": "s390x",
    "riscv64": "riscv64",
}
_LSB = {
    "c": "VERSION_CODENAME",
    "r": "VERSION_ID",
    "i": "ID",
    "codename": "VERSION_CODENAME",
    "release": "VERSION_ID",
    "id": "ID",
}
_LSB_LABEL = {
    "i": "Distributor ID",
    "r": "Release",
    "c": "Codename",
}  # in the order in which they are printed
_NAMES = {"debian": "Debian", "ubuntu": "Ubuntu"}


def _said(text: str) -> ProgramResult:
    return ProgramResult("done", Content(f"{text}\n"))


def _arch(call: Invocation) -> ProgramResult:
    call.shell.walk.asked = True
    return _said(call.shell.walk.arch)


def _machine(call: Invocation) -> ProgramResult:
    options = read_options(call.words)
    letters = {name for name, _ in options.options}
    if call.name == "arch" or letters in ({"m"}, {"machine"}, {"p"}, {"i"}):
        call.shell.walk.asked = True
        return _said(_MACHINES.get(call.shell.walk.arch, UNKNOWN))
    return _said("Linux" if letters <= {"s"} else UNKNOWN)


def installed(call: Invocation, names: list[str]) -> None:
    """Packages from files: what they do to apt's sources holds from the next update on."""
    state = call.shell.state
    for name in names:
        for path in state.glob(state.path(name)):
            content = state.read(path)
            if content is None:
                if path.endswith(".deb") and not any(char in path for char in f"*?[{UNKNOWN}"):
                    unseen = programs.effect(f"https://localhost{path}")
                    if unseen.kind != "none":
                        call.shell.unknown(path.rpartition("/")[2], unseen.serves, live=False)
                continue
            if not path.endswith((".deb", UNKNOWN)) and not content.origins:
                continue
            if (deb := call.shell.deb(path)) is not None and deb.quiet:
                continue
            for origin in content.origins or (KeyOrigin(context=path),):
                if origin.url:
                    call.shell.fetched(origin.url, live=False)
                else:
                    call.shell.unknown(path.rpartition("/")[2], live=False)


def _dpkg(call: Invocation) -> ProgramResult:
    options = read_options(call.words)
    if options.has("print-architecture"):
        return _arch(call)
    if options.has("add-architecture"):
        own = call.shell.state
        own.architectures = tuple(dict.fromkeys((*own.architectures, *options.operands)))
    elif options.has("i", "install", "unpack"):
        installed(call, list(options.operands))
        call.shell.command("dpkg", ("--install", *options.operands))
    elif options.has("P", "purge", "r", "remove"):
        call.shell.command("dpkg", ("--purge", *options.operands))
    elif options.has("set-selections"):
        for line in ((call.input and call.input.text) or f"{UNKNOWN} hold").splitlines():
            name, _, wanted = line.strip().partition(" ")
            wanted = {"hold": "hold", "install": "unhold"}.get(wanted.strip(), "")
            if name and wanted:
                call.shell.command("apt-mark", (wanted, name))
    elif options.has("s", "status", "l", "list", "L", "compare-versions", "W", "S"):
        return ProgramResult("maybe", Content(UNKNOWN))
    return ProgramResult()


def _dpkg_architecture(call: Invocation) -> ProgramResult:
    asked = " ".join(call.words)
    return _arch(call) if "_ARCH" in asked and "-q" in asked else _said(UNKNOWN)


def _lsb_release(call: Invocation) -> ProgramResult:
    options = read_options(call.words)
    letters = [name[0] for name, _ in options.options]
    short = "s" in letters
    if "a" in letters:
        letters = [*_LSB_LABEL]
    found = call.shell.state.read("/etc/os-release")
    values = dict(line.partition("=")[::2] for line in (found.text or "").splitlines()) if found else {}
    wanted = [letter for letter in letters if letter in _LSB_LABEL]
    said = []
    for letter in _LSB_LABEL:
        if letter in wanted:
            value = values.get(_LSB[letter], UNKNOWN).strip('"')
            value = _NAMES.get(value, value) if letter == "i" else value
            said.append(value if short else f"{_LSB_LABEL[letter]}:\t{value}")
    return _said("\n".join(said) or UNKNOWN)


def _gdebi(call: Invocation) -> ProgramResult:
    installed(call, list(read_options(call.words).operands))
    return ProgramResult()


ROWS = {
    "dpkg": _dpkg,
    "dpkg-architecture": _dpkg_architecture,
    "uname": _machine,
    "arch": _machine,
    "lsb_release": _lsb_release,
    "gdebi": _gdebi,
    "whoami": lambda call: _said("root"),
    "id": lambda call: _said("0" if "-u" in call.words else UNKNOWN),
    **dict.fromkeys(
        (
            "date",
            "nproc",
            "hostname",
            "getconf",
            "realpath",
            "readlink",
            "seq",
            "jq",
            "envsubst",
        ),
        lambda call: _said(UNKNOWN),
    ),
}
