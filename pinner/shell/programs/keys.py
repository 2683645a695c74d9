"""gpg and apt-key: which keys of which origin come into which file."""

from __future__ import annotations

from posixpath import join

from pinner.regex import later
from pinner.shell.content import UNKNOWN, Content, KeyOrigin, Value
from pinner.shell.outcomes import Invocation, ProgramResult, joined
from pinner.shell.programs.options import read_options
from pinner.shell.programs.texts import inputs

_FINGERPRINT = later(r"(?:0x)?([0-9A-Fa-f]{40})")
_SERVER = later(r"(?:(?:hkps?|https?)://)?([\w.-]+)(?::\d+)?/?")
_VALUED = (
    *("output", "keyring", "primary-keyring", "secret-keyring", "keyserver", "homedir", "keyserver-options"),
    *(
        "import-options",
        "export-options",
        "options",
        "pinentry-mode",
        "status-fd",
        "trust-model",
        "recipient",
    ),
)
_RECEIVE = ("recv-keys", "recv-key", "recv", "receive-keys")
#: Keys for each source that names none.
TRUSTED = "/etc/apt/trusted.gpg"


def _ring(call: Invocation, homedir: str) -> str:
    if call.name == "apt-key":
        return TRUSTED
    home = call.shell.variable("GNUPGHOME")
    return join(homedir or (home.text if isinstance(home, Value) else "/root/.gnupg"), "pubring.gpg")


def _add(call: Invocation, ring: str, content: Content) -> None:
    if content.origins:
        call.shell.write(ring, Content(origins=content.origins), append=True)
    else:
        call.shell.write(ring, Content())


def _gpg(call: Invocation) -> ProgramResult:
    words = call.words
    if call.name == "apt-key" and words[:1] == ["adv"]:
        words = words[1:]
    options = read_options(words, "or", _VALUED)
    ring = (
        options.value("keyring", "primary-keyring") or _ring(call, options.value("homedir"))
    ).removeprefix("gnupg-ring:")
    names = list(options.operands)
    if options.has(*_RECEIVE):
        server = _SERVER.fullmatch(options.value("keyserver") or "keyserver.ubuntu.com")
        keys = [*names, *options.values(*_RECEIVE)]
        found = [match[1].upper() for each in keys if (match := _FINGERPRINT.fullmatch(each))]
        if server and len(found) == len([each for each in keys if each]):
            address = f"https://{server[1]}/pks/lookup?op=get&options=mr&search=0x"
            _add(call, ring, Content(origins=tuple(KeyOrigin(f"{address}{each}") for each in found)))
        else:
            call.shell.write(ring, Content())
        return ProgramResult()
    verb = names.pop(0) if call.name == "apt-key" and names and names[0] in ("add", "export", "del") else ""
    if verb == "add" or options.has("import", "fetch-keys"):
        if options.has("fetch-keys"):
            content: Content | None = Content(origins=tuple(KeyOrigin(url=each) for each in names))
        else:
            content = inputs(call, names)
        _add(call, ring, content if content is not None else Content())
        return ProgramResult()
    if verb == "export" or options.has("export"):
        content = call.shell.state.read(call.shell.state.path(ring))
    else:
        content = inputs(call, names)
    if content is None:
        content = Content()
    output = options.value("o", "output")
    given = content._replace(text=None, file="") if content.origins else Content()
    if output and output != "-":
        call.shell.write(output, given)
        return ProgramResult()
    if options.has("dearmor", "dearmour", "enarmor", "export", "yes") or verb == "export":
        # Without an output `gpg --dearmor FILE` writes FILE.gpg.
        if options.has("dearmor", "dearmour") and names and not options.has("export"):
            call.shell.write(f"{names[0]}.gpg", given)
            return ProgramResult()
        return ProgramResult("done", given)
    return ProgramResult("done", Content(UNKNOWN))


ROWS = {
    "gpg": _gpg,
    "gpg2": _gpg,
    "gpg1": _gpg,
    "apt-key": _gpg,
    "sq": lambda call: ProgramResult("done", joined([])),
}
