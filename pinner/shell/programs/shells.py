"""Shells, what the shell does itself, and programs that run others."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pinner.regex import is_slow, later
from pinner.shell import nested
from pinner.shell.content import UNKNOWN, Content, Value
from pinner.shell.expand import Piece, Unknown, Variable, Ways
from pinner.shell.outcomes import Invocation, ProgramResult, ProgramStatus, value_of
from pinner.shell.process import Process
from pinner.shell.programs.options import read_options
from pinner.shell.trace import MOST_VALUES, parted, printed, united

_MOST = 2_000
_LINE = later(r"\n")
# What a program prints for `eval` sets variables, but for what another text is made of.
_PRINTED = later(
    r"\$\((?!.*\b(?:base64|xxd|openssl|gpg|cat|curl|wget)\b)|`(?!.*\b(?:base64|xxd|openssl|gpg|cat)\b)",
    re.DOTALL,
)
# Files that a shell reads, and the variables that these set; one of ROS is named after the release that it sets.
_SET_BY = (
    (
        later(r"/etc/(?:os|lsb)-release|/usr/lib/os-release"),
        later(r"(?:ID|NAME|PRETTY_NAME|BUILD_ID|VARIANT|DISTRIB|HOME|BUG|SUPPORT|UBUNTU|VERSION)(?:_\w+)?"),
    ),
    (
        later(r"/opt/ros/[\w.]+/(?:local_)?setup\.(?:ba)?sh"),
        later(r"(?:ROS_(?!DISTRO)|AMENT_|CMAKE_|\w*PATH)\w*"),
    ),
    (later(r".*/(?:bin/activate|conda\.sh)"), later(r"(?:VIRTUAL_ENV|CONDA|_CE|PS1|PATH)\w*")),
    (later(r".*/nvm\.sh"), later(r"(?:NVM|NODE|npm)_\w+|PATH")),
    (later(r".*/\.cargo/env"), later(r"PATH|CARGO_\w+")),
)


def _sh(call: Invocation) -> ProgramResult:
    shell, args = call.shell, list(call.args)
    errexit = False
    while args and args[0].text[:1] in "-+" and args[0].text not in ("-", "--"):
        word = args.pop(0).text
        if word.startswith("--"):
            if word in ("--rcfile", "--init-file") and args:
                args.pop(0)
            continue
        letters = word[1:]
        errexit |= word[0] == "-" and "e" in letters
        if letters[-1:] in ("o", "O") and args:
            errexit |= args.pop(0).text == "errexit"
        if "c" in letters and word[0] == "-":
            return _string(call, args, errexit)
        if "s" in letters and word[0] == "-":
            return _input(call, args)
    if args and args[0].text in ("-", "--"):
        args.pop(0)
    if not args or args[0].text == "/dev/stdin":
        return _input(call, args)
    content = shell.state.read(shell.state.path(args[0].text))
    if content is None:
        shell.unseen(args[0].text)
        return ProgramResult("done", Content(UNKNOWN))
    if not content.origins and not content.others:
        shell.blind(content.text, args[0].text)
    return ProgramResult(shell.script(content, args[1:], call.name, path=shell.state.path(args[0].text)))


def _string(call: Invocation, args: list[Value], errexit: bool) -> ProgramResult:
    while args and args[0].text[:1] in "-+" and len(args) > 1:
        args.pop(0)
    if not args:
        return ProgramResult("done", Content(UNKNOWN))
    if not args[0].lists:
        call.shell.blind(args[0].text, call.name)
    _from_afar(call, args[:1])
    own = call.shell.child(call.name, args[2:])
    own.errexit = errexit

    def run(shell: Process) -> ProgramStatus:
        return shell.string(args[0])

    return ProgramResult(call.shell.process(run, own))


def _from_afar(call: Invocation, args: Sequence[Value]) -> None:
    """Text that is fetched and run: `bash -c "$(curl …)"`."""
    for each in args:
        for name in each.lists:
            if "://" in name:
                call.shell.fetched(name)


def _input(call: Invocation, args: list[Value]) -> ProgramResult:
    while args and args[0].text in ("-", "--"):
        args.pop(0)
    content = call.input
    if content is None:
        return ProgramResult("done", Content(UNKNOWN))
    if not content.origins and not content.others:
        call.shell.blind(content.text, call.name)
    for each in (content, *content.others):
        call.shell.script(each._replace(others=()), args, call.name)
    return ProgramResult("done")


def _source(call: Invocation) -> ProgramResult:
    state = call.shell.state
    for name in call.words[:1]:
        content = state.read(state.path(name))
        if content is None:
            call.shell.unseen(name)
            if call.shell.walk.trace is not None:
                _may_set(call, name)
            return ProgramResult()
        if content.text is None:
            for origin in content.origins:
                if origin.url:
                    call.shell.fetched(origin.url)
            return ProgramResult()
        return ProgramResult(call.shell.sourced(state.path(name), content, call.args[1:]))
    return ProgramResult()


def _may_set(call: Invocation, file: str) -> None:
    """A file that is not seen may set any variable; what some files set is known by name."""
    variables = call.shell.state.variables
    own = next((names for files, names in _SET_BY if files.fullmatch(file)), None)
    for name in variables:
        if own is None or own.fullmatch(name):
            why = Unknown("variable-unknown", f"a file that is read may set {name}")
            variables[name] = Value(UNKNOWN, ways=((Piece(why, ()),),))


def _eval(call: Invocation) -> ProgramResult:
    _from_afar(call, call.args)
    text = call.args[0] if len(call.args) == 1 else Value(" ".join(call.words))
    own = call.shell.source[slice(*call.shell.span)]
    if not text.lists and not _PRINTED.search(own):
        call.shell.blind(text.text, call.name)
    return ProgramResult(call.shell.string(text))


def _su(call: Invocation) -> ProgramResult:
    """su, runuser, script: a text that a shell runs, or the command itself."""
    words = list(call.args)
    for at, word in enumerate(words[:-1]):
        if word.text == "--command" or re.fullmatch("-[a-z]*c", word.text):
            return _string(call._replace(name="sh"), [words[at + 1]], errexit=False)
    if call.name == "runuser" and any(each.text in ("-u", "--user") for each in words):
        at = next((at + 1 for at, each in enumerate(words) if each.text == "--"), 2)
        return ProgramResult(call.shell.execute(words[at:]))
    return ProgramResult()


def _chroot(call: Invocation) -> ProgramResult:
    """chroot: another root has apt's files of its own."""
    words = [each for each in call.args if not each.text.startswith("-")]
    if words and call.shell.state.path(words[0].text) == "/":
        return ProgramResult(call.shell.execute(call.args[call.args.index(words[0]) + 1 :]))
    return ProgramResult("done", None)


def _trap(call: Invocation) -> ProgramResult:
    words = [each for each in call.args if each.text != "--"]
    if {each.text.upper() for each in words[1:]} & {"EXIT", "0"}:
        call.shell.trap = (words[0], call.shell.span) if words[0].text not in ("-", "") else None
    return ProgramResult("yes")


def _exec(call: Invocation) -> ProgramResult:
    return ProgramResult(call.shell.execute(call.args)) if call.args else ProgramResult()


def _xargs(call: Invocation) -> ProgramResult:
    words = call.words
    at, file, places, most = 0, "", "", _MOST
    while at < len(words) and words[at].startswith("-"):
        word = words[at]
        at += 1
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            if name == "arg-file":
                file = value if equals else words[at]
                at += not equals
            elif name in ("max-args", "max-procs", "delimiter", "max-lines", "max-chars") and not equals:
                at += 1
            continue
        letter, rest = word[1:2], word[2:]
        if letter in "adEILnPs" and letter:
            value = rest
            if not rest and at < len(words):
                value, at = words[at], at + 1
            file = value if letter == "a" else file
            places = value if letter == "I" else places
            most = int(value) if letter == "n" and value.isdecimal() and int(value) else most
    content = call.shell.state.read(call.shell.state.path(file)) if file else call.input
    given = value_of(content)
    own = [Value(each.strip("\"'"), given.lists) for each in re.split(r"[ \t\n]+", given.text) if each][
        :_MOST
    ]
    command = list(call.args[at:]) or [Value("echo")]
    if (trace := call.shell.walk.trace) is not None:
        ways = () if file else _fed(call, "|")
        known = trace.inputs.setdefault(call.shell.span[1], {})
        fed = parted(ways, _LINE) if places else parted(ways)
        known.update(dict.fromkeys(fed if ways else [Value(UNKNOWN)]))
    if places:
        for line in given.text.splitlines()[:64]:
            filled = [Value(each.text.replace(places, line), (*each.lists, *given.lists)) for each in command]
            call.shell.execute(filled)
        return ProgramResult("done")
    own = own or [Value(UNKNOWN, given.lists)]
    for begin in range(0, len(own), most):
        call.shell.execute([*command, *own[begin : begin + most]])
    return ProgramResult()


def _fed(call: Invocation, name: str) -> Ways:
    """What a program reads, as what a variable of a name gets, if it is traced."""
    content, walk = call.input, call.shell.walk
    if walk.trace is None or content is None or call.shell.tracer() is None:
        return ()
    return printed(walk.trace, content.ways, Variable(name, call.shell.span[1], *walk.reach))


def _run_parts(call: Invocation) -> ProgramResult:
    options = read_options(call.words, "au", ("arg", "umask", "regex"))
    if options.has("test", "list"):
        return ProgramResult("done", Content(UNKNOWN))
    own = options.value("regex") or r"\A[\w-]+\Z"  # run-parts(8)
    if is_slow(own, 255):
        return ProgramResult("done", None)
    names = re.compile(own)
    for folder in options.operands[-1:]:
        for name in call.shell.state.names(call.shell.state.path(folder)):
            if names.search(name):
                call.shell.execute(
                    [Value(f"{folder.rstrip('/')}/{name}"), *map(Value, options.values("a", "arg"))]
                )
    return ProgramResult("done", None)


def _set(call: Invocation) -> ProgramResult:
    words = call.words
    for at, word in enumerate(words):
        if word == "--":
            call.shell.args, call.shell.uncalled = call.args[at + 1 :], False
            break
        if word.startswith("-") and "e" in word[1:] and not word.startswith("--"):
            call.shell.errexit = True
        elif word.startswith("+") and "e" in word[1:]:
            call.shell.errexit = False
        elif word == "errexit" and words[at - 1].startswith("-"):
            call.shell.errexit = True
    return ProgramResult("yes")


def _shift(call: Invocation) -> ProgramResult:
    count = int(call.words[0]) if call.words and call.words[0].isdecimal() else 1
    call.shell.args = call.shell.args[count:]
    return ProgramResult("yes")


def _exit(call: Invocation) -> ProgramResult:
    status: ProgramStatus = "done"
    if call.words:
        status = "yes" if call.words[0] == "0" else "maybe" if UNKNOWN in call.words[0] else "no"
    call.shell.leave(call.name, status)
    return ProgramResult(status)


def _read(call: Invocation) -> ProgramResult:
    options = read_options(call.words, "apdntNu")
    value = value_of(call.input)
    line = value.text.partition("\n")[0] if call.input is not None else UNKNOWN
    array = options.value("a")
    names = (array,) if array else options.operands or ("REPLY",)
    mark = call.shell.variable("IFS")
    between = (
        mark.text if isinstance(mark, Value) and mark.text.strip() and UNKNOWN not in mark.text else None
    )
    if len(names) == 1 and between is None and (ways := _fed(call, names[0])):
        own = tuple(parted(ways) if array else parted(ways, _LINE))
        call.shell.state.variables[names[0]] = own if array else united(own, MOST_VALUES)
        return ProgramResult("maybe")
    if array:
        words = [Value(each, value.lists) for each in line.split(between)]
        call.shell.state.variables[array] = tuple(words) if UNKNOWN not in line else Value(UNKNOWN)
        return ProgramResult("maybe")
    parts = line.split(between, maxsplit=len(names) - 1) if UNKNOWN not in line else [UNKNOWN] * len(names)
    for at, name in enumerate(names):
        call.shell.state.variables[name] = Value(parts[at] if at < len(parts) else "", value.lists)
    return ProgramResult("maybe")


def _mapfile(call: Invocation) -> ProgramResult:
    options = read_options(call.words, "dnOsuCc")
    value = value_of(call.input)
    name = options.operands[0] if options.operands else "MAPFILE"
    lines = [Value(line, value.lists) for line in value.text.splitlines()[:_MOST]]
    call.shell.state.variables[name] = tuple(parted(_fed(call, name), _LINE) or lines)
    return ProgramResult()


ROWS = {
    **dict.fromkeys(nested.POSIX_SHELLS, _sh),
    ".": _source,
    "source": _source,
    "eval": _eval,
    "exec": _exec,
    "su": _su,
    "runuser": _su,
    "script": _su,
    "chroot": _chroot,
    "trap": _trap,
    "xargs": _xargs,
    "run-parts": _run_parts,
    "set": _set,
    "shift": _shift,
    "read": _read,
    "mapfile": _mapfile,
    "readarray": _mapfile,
    **dict.fromkeys(("exit", "return", "break", "continue"), _exit),
}
