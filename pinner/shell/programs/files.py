"""Programs that move files about: rm, cp, mv, ln, install, mkdir, dd, cd."""

from __future__ import annotations

import re
from posixpath import basename, dirname, join

from pinner.shell.content import UNKNOWN, Content, Value
from pinner.shell.outcomes import Invocation, ProgramResult
from pinner.shell.programs.options import read_options
from pinner.shell.state import UNDECIDED, State

_APT = "/etc/apt"
_FOLDERS = {
    *("/", "/tmp", "/usr/local/bin", "/usr/bin", "/usr/share/keyrings", _APT),
    *(
        f"{_APT}/{name}"
        for name in ("sources.list.d", "preferences.d", "apt.conf.d", "trusted.gpg.d", "keyrings")
    ),
}


def _removed(call: Invocation, path: str) -> None:
    call.shell.state.remove(path)
    call.shell.changed(path)


def _rm(call: Invocation) -> ProgramResult:
    state = call.shell.state
    for name in read_options(call.words).operands:
        own = state.path(name)
        if UNKNOWN not in name and own != "/":
            # With a slash behind it a link is followed: what it leads to is emptied, the link stays.
            for path in state.glob(state.real(own) if name.endswith("/") else own):
                if path.startswith(_APT) or not any(char in path for char in "*?["):
                    _removed(call, path)  # else the pattern itself: it matches nothing that is seen
    return ProgramResult()


def _letters(call: Invocation) -> set[str]:
    return {letter for word in call.words if re.match(r"-\w", word) for letter in word}


def _put(call: Invocation, place: str, content: Content) -> None:
    """Copy a file to a path, perhaps only if there is none or an older one."""
    keeps = _letters(call) & set("nu") or {"--no-clobber", "--update", "--ignore-existing"} & {*call.words}
    there = call.shell.state.read(call.shell.state.path(place)) if keeps else None
    call.shell.write(place, content if there is None or there.text == content.text else Content())


def _place(call: Invocation, source: str, target: str, *, into: bool) -> None:
    """Copy a file, or a folder with all in it, to a path or into a folder."""
    state = call.shell.state
    if source in ("/dev/null", "/dev/stdin"):
        call.shell.write(target, Content("") if source == "/dev/null" else call.input or Content())
        return
    for path in state.glob(state.path(source)):
        place = join(target, basename(path.rstrip("/"))) if into else target
        content = state.read(path)
        if content is not None:
            _put(call, place, content)
        elif state.is_dir(path):
            inner = source.endswith("/." if call.name != "rsync" else ("/.", "/")) or not into
            folder = target if inner else place
            if any(content.link and each.startswith(f"{path}/") for each, content in state.files.items()):
                call.shell.unknown(f"{call.name} {source}", live=False)  # links are not copied as such
            for each in list(state.below(path)):
                found = state.read(each)
                if found is not None:
                    _put(call, join(folder, each[len(path.rstrip("/")) + 1 :]), found)
        else:
            _unseen(call, source, state.real(state.path(place)), any(char in path for char in "*?["))


def _unseen(call: Invocation, source: str, place: str, several: bool) -> None:
    """What is not seen comes to a place: a file, `several`, or a folder."""
    shell = call.shell
    if place.startswith(UNDECIDED):
        shell.unknown(f"{call.name} {source}", live=False)
    if re.match(rf"{_APT}/(?:sources\.list|preferences|apt\.conf)", place):
        if several or place in _FOLDERS:
            shell.unknown(f"{call.name} {source}", live=False)
        else:
            shell.write(place, Content())
        return
    if call.name == "mv" or _letters(call) & set("raR") or "--recursive" in call.words:
        from pinner.shell.programs import archives

        over = dirname(place) if several or source.endswith("/.") else place
        if archives.reaches(over):
            archives.comes_unseen(shell, over, source)


def _copied(call: Invocation, valued: str, long: tuple[str, ...] = ()) -> list[str]:
    """Copy what a command names; what was copied."""
    options = read_options(call.words, f"{valued}tS", ("target-directory", "suffix", *long))
    state = call.shell.state
    target = options.value("t", "target-directory")
    sources = list(options.operands)
    into = bool(target)
    if not target and len(sources) > 1:
        target = sources.pop()
        into = target.endswith(("/", "/.")) or len(sources) > 1 or target in (".", "..")
        into = into or _is_folder(state, state.path(target))
    if options.has("T"):
        into = False
    if options.has("parents") or (call.name == "rsync" and options.has("R", "relative")):
        for source in sources:
            for path in state.glob(state.path(source)):
                own = path if source.startswith("/") else path.removeprefix(state.cwd)
                _place(call, path, join(target, own.rpartition("/")[0].lstrip("/")), into=True)
        return sources
    for source in sources if target else ():
        _place(call, source, target, into=into)
    return sources


def _is_folder(state: State, path: str) -> bool:
    """Whether a folder is seen at a path, or is in each image and was not removed."""
    return state.is_dir(path) or (path in _FOLDERS and not state.files.get(path, Content()).gone)


def _mkdir(call: Invocation) -> ProgramResult:
    options = read_options(call.words, "mog", ("mode", "owner", "group"))
    for name in options.operands:
        call.shell.state.make(call.shell.state.path(name))
    return ProgramResult()


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
    valued = ("mode", "owner", "group")
    if read_options(call.words, "mogtS", valued).has("d", "directory"):
        return _mkdir(call)
    _copied(call, "mog", valued)
    return ProgramResult()


def _ln(call: Invocation) -> ProgramResult:
    options = read_options(call.words, "tS", ("target-directory", "suffix"))
    state, at = call.shell.state, call.shell.walk.at
    folder = options.value("t", "target-directory")
    targets = list(options.operands)
    name = folder or (targets.pop() if len(targets) > 1 else ".")
    symbolic = options.has("s", "symbolic")
    for target in targets:
        path = state.path(name)
        follows = not options.has("n", "no-dereference") or state.real(path) == path
        if not options.has("T", "no-target-directory") and follows and _is_folder(state, path):
            path = join(state.real(path), basename(target.rstrip("/")))
        own = symbolic and not options.has("r", "relative") and not target.startswith("/")
        there = state.path(join(path.rpartition("/")[0], target) if own else target)
        content = state.read(there)
        known = content is not None or _is_folder(state, there)
        if there == "/dev/null":
            call.shell.write(path, Content(""))
        elif not symbolic:
            if content is not None or path.startswith(f"{_APT}/"):
                call.shell.write(path, content or Content())
        elif not known and path in _FOLDERS:
            call.shell.unknown(path, live=False)
        else:
            if not known and path.startswith(f"{_APT}/"):
                call.shell.write(there, Content())
            state.link(path, there, Content(at=at, by=path))
            call.shell.changed(path)
    return ProgramResult()


def _cd(call: Invocation) -> ProgramResult:
    shell, state = call.shell, call.shell.state
    name = next((word for word in call.words if not word.startswith("-") or word == "-"), "~")
    before = state.variables.get("OLDPWD")
    if call.name == "popd":
        name = shell.folders.pop() if shell.folders else UNKNOWN
    elif call.name == "pushd":
        shell.folders.append(state.cwd)
    if name == "-":
        name = before.text if isinstance(before, Value) else UNKNOWN
    state.variables["OLDPWD"] = Value(state.cwd)
    found = state.glob(state.path(name))
    state.cwd = f"/{UNKNOWN}" if UNKNOWN in name or len(found) != 1 else state.real(found[0])
    return ProgramResult()


def _touch(call: Invocation) -> ProgramResult:
    state = call.shell.state
    for path in map(state.path, read_options(call.words, "drt", ("date", "reference")).operands):
        if path.startswith(f"{_APT}/") and state.read(path) is None and not state.is_dir(path):
            call.shell.write(path, Content(""))
    return ProgramResult()


def _dd(call: Invocation) -> ProgramResult:
    state = call.shell.state
    told = dict(word.partition("=")[::2] for word in call.words)
    content = state.read(state.path(told["if"])) if "if" in told else call.input
    if "of" in told:
        whole = told.keys() <= {"if", "of", "bs", "status"}
        call.shell.write(told["of"], content if content is not None and whole else Content())
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
    "mkdir": _mkdir,
    "cp": _cp,
    "rsync": _cp,
    "mv": _mv,
    "install": _install,
    "ln": _ln,
    "cd": _cd,
    "pushd": _cd,
    "popd": _cd,
    "touch": _touch,
    "dd": _dd,
    "truncate": _truncate,
    "mktemp": lambda call: ProgramResult("done", Content(f"/tmp/{UNKNOWN}")),
    "pwd": lambda call: ProgramResult("done", Content(call.shell.state.cwd)),
}
