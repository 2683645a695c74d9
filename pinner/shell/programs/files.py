"""Programs that move files about: rm, cp, mv, ln, install, mkdir, find, dd, cd."""

from __future__ import annotations

from fnmatch import fnmatchcase
from posixpath import basename, join

from pinner.shell.content import UNKNOWN, Content, Value
from pinner.shell.outcomes import Invocation, ProgramResult
from pinner.shell.programs.options import read_options

_APT = "/etc/apt"


def _removed(call: Invocation, path: str) -> None:
    call.shell.state.remove(path)
    call.shell.changed(path)


def _rm(call: Invocation) -> ProgramResult:
    state = call.shell.state
    for name in read_options(call.words).operands:
        if UNKNOWN not in name and state.path(name) != "/":
            for path in state.glob(state.path(name)):
                if path.startswith(_APT) or not any(char in path for char in "*?["):
                    _removed(call, path)  # else the pattern itself: it matches nothing that is seen
    return ProgramResult()


def _place(call: Invocation, source: str, target: str, *, into: bool) -> None:
    """Copy a file, or a folder with all in it, to a path or into a folder."""
    state = call.shell.state
    if source == "/dev/null":
        call.shell.write(target, Content(""))
        return
    for path in state.glob(state.path(source)):
        place = join(target, basename(path.rstrip("/"))) if into else target
        content = state.read(path)
        if content is not None:
            call.shell.write(place, content)
        elif state.is_dir(path):
            inner = source.endswith("/." if call.name != "rsync" else ("/.", "/")) or not into
            folder = target if inner else place
            for each in list(state.below(path)):
                found = state.read(each)
                if found is not None:
                    call.shell.write(join(folder, each[len(path.rstrip("/")) + 1 :]), found)
        elif state.path(place).startswith(
            (f"{_APT}/sources.list", f"{_APT}/preferences", f"{_APT}/apt.conf")
        ):
            if not any(char in path for char in "*?["):
                call.shell.write(place, Content())
            else:
                call.shell.unknown(f"{call.name} {source}", live=False)


def _copied(call: Invocation, valued: str, long: tuple[str, ...] = ()) -> list[str]:
    """Copy what a command names; what was copied."""
    options = read_options(call.words, f"{valued}tS", ("target-directory", "suffix", *long))
    state = call.shell.state
    target = options.value("t", "target-directory")
    sources = list(options.operands)
    into = bool(target)
    if not target and len(sources) > 1:
        target = sources.pop()
        into = target.endswith(("/", "/.")) or len(sources) > 1 or state.is_dir(state.path(target))
        into = into or target in (".", "..") or _known_folder(state.path(target))
    if options.has("T"):
        into = False
    for source in sources if target else ():
        _place(call, source, target, into=into)
    return sources


def _known_folder(path: str) -> bool:
    return path in (
        _APT,
        f"{_APT}/sources.list.d",
        f"{_APT}/preferences.d",
        f"{_APT}/apt.conf.d",
        "/tmp",
        "/",
    ) or (
        path
        in (f"{_APT}/trusted.gpg.d", f"{_APT}/keyrings", "/usr/share/keyrings", "/usr/local/bin", "/usr/bin")
    )


def _cp(call: Invocation) -> ProgramResult:
    _copied(call, "")
    return ProgramResult()


def _mv(call: Invocation) -> ProgramResult:
    state = call.shell.state
    for source in _copied(call, ""):
        if UNKNOWN not in source:
            for path in state.glob(state.path(source)):
                _removed(call, path)
    return ProgramResult()


def _install(call: Invocation) -> ProgramResult:
    if not read_options(call.words, "mogtS", ("mode", "owner", "group")).has("d", "directory"):
        _copied(call, "mog", ("mode", "owner", "group"))
    return ProgramResult()


def _ln(call: Invocation) -> ProgramResult:
    options = read_options(call.words, "tS")
    state = call.shell.state
    if len(options.operands) == 2:
        target, name = options.operands
        path = state.path(name)
        if state.is_dir(path):
            path = join(path, basename(target))
        if not target.startswith("/"):
            target = join(path.rpartition("/")[0], target)
        content = state.read(state.path(target))
        if content is not None:
            call.shell.write(path, content)
        elif target == "/dev/null":
            call.shell.write(path, Content(""))
        elif path.startswith(f"{_APT}/"):
            call.shell.write(path, Content())
    return ProgramResult()


def _cd(call: Invocation) -> ProgramResult:
    words = [word for word in call.words if not word.startswith("-")]
    state = call.shell.state
    name = words[0] if words else "/root"
    state.cwd = f"/{UNKNOWN}" if UNKNOWN in name else state.path(name)
    return ProgramResult()


def _find(call: Invocation) -> ProgramResult:
    """find, where it deletes, prints or hands on files by their names."""
    words = call.words
    at = next((number for number, word in enumerate(words) if word.startswith(("-", "(", "!"))), len(words))
    state = call.shell.state
    names = [
        words[number + 1] for number in range(at, len(words) - 1) if words[number] in ("-name", "-iname")
    ]
    found = [
        path
        for folder in words[:at]
        for start in state.glob(state.path(folder))
        for path in state.below(start)
        if not names or any(fnmatchcase(basename(path), pattern) for pattern in names)
    ]
    if "!" in words or "-not" in words:
        return ProgramResult("done", Content(UNKNOWN))
    if "-delete" in words:
        for path in found:
            _removed(call, path)
    elif "-exec" in words or "-execdir" in words:
        begin = next(number for number, word in enumerate(words) if word.startswith("-exec")) + 1
        command = words[begin:]
        end = next((number for number, word in enumerate(command) if word in (";", "+")), len(command))
        for path in found:
            call.shell.execute([Value(word.replace("{}", path)) for word in command[:end]])
    return ProgramResult("done", Content("".join(f"{path}\n" for path in found)))


def _dd(call: Invocation) -> ProgramResult:
    for word in call.words:
        if word.startswith("of="):
            call.shell.write(word[3:], call.input or Content())
    return ProgramResult()


def _truncate(call: Invocation) -> ProgramResult:
    options = read_options(call.words, "s", ("size",))
    for name in options.operands if options.value("s", "size") == "0" else ():
        call.shell.write(name, Content(""))
    return ProgramResult()


def _ls(call: Invocation) -> ProgramResult:
    """ls, where it lists the names of files and folders that are seen."""
    options = read_options(call.words, "ITw")
    state = call.shell.state
    if {name for name, _ in options.options} - {"1", "a", "A", "d", "r"}:
        return ProgramResult("done", Content(UNKNOWN))
    found: list[str] = []
    for name in options.operands or (".",):
        for path in state.glob(state.path(name)):
            if state.read(path) is not None or options.has("d"):
                found.append(path)
            elif state.is_dir(path):
                found += state.names(path)
            else:
                return ProgramResult("maybe", Content(UNKNOWN))
    return ProgramResult("done", Content("".join(f"{each}\n" for each in found)))


ROWS = {
    "ls": _ls,
    "rm": _rm,
    "unlink": _rm,
    "cp": _cp,
    "rsync": _cp,
    "mv": _mv,
    "install": _install,
    "ln": _ln,
    "cd": _cd,
    "pushd": _cd,
    "find": _find,
    "dd": _dd,
    "truncate": _truncate,
    "mktemp": lambda call: ProgramResult("done", Content(f"/tmp/{UNKNOWN}")),
    "pwd": lambda call: ProgramResult("done", Content(call.shell.state.cwd)),
}
