"""curl and wget: what they fetch is known by its address alone."""

from __future__ import annotations

from posixpath import join

from pinner.shell.content import UNKNOWN, Content, KeyOrigin
from pinner.shell.outcomes import Invocation, ProgramResult
from pinner.shell.programs.options import ParsedOptions, read_options

_CURL = (
    *("output", "user-agent", "header", "data", "proto", "proto-redir", "retry", "retry-delay", "max-time"),
    *(
        "connect-timeout",
        "cacert",
        "capath",
        "user",
        "request",
        "output-dir",
        "url",
        "retry-max-time",
        "resolve",
    ),
    *(
        "data-raw",
        "form",
        "cookie",
        "referer",
        "range",
        "limit-rate",
        "write-out",
        "proxy",
        "tls-max",
        "ciphers",
    ),
)
_WGET = (
    *(
        "output-document",
        "directory-prefix",
        "user-agent",
        "header",
        "tries",
        "timeout",
        "waitretry",
        "output-file",
    ),
    *(
        "user",
        "password",
        "ca-certificate",
        "post-data",
        "secure-protocol",
        "connect-timeout",
        "read-timeout",
    ),
)


def _addresses(options: ParsedOptions) -> list[str]:
    named = [*options.values("url"), *options.operands]
    return [each if "://" in each else f"http://{each}" for each in named if "." in each or UNKNOWN in each]


def of(address: str) -> Content:
    """The bytes at an address."""
    return Content(origins=(KeyOrigin(url=address),), by=address)


def _curl(call: Invocation) -> ProgramResult:
    options = read_options(call.words, "oAbcdDeEFHKmPrTuUwxXyYzCQt", _CURL)
    files = options.values("o", "output")
    remote = sum(name in ("O", "remote-name", "remote-name-all") for name, _ in options.options)
    output: Content | None = Content("")
    folder = options.value("output-dir") or "."
    for number, address in enumerate(_addresses(options)):
        content = of(address)
        if number < len(files) and files[number] != "-":
            call.shell.write(join(folder, files[number]), content)
        elif remote:
            call.shell.write(join(folder, address.partition("?")[0].rpartition("/")[2] or UNKNOWN), content)
        else:
            output = Content() if output is None or output.origins else content
    return ProgramResult("done", output)


def _wget(call: Invocation) -> ProgramResult:
    options = read_options(call.words, "oOaPUtTiweQlARDIXB", _WGET)
    file = options.value("O", "output-document")
    folder = options.value("P", "directory-prefix") or "."
    output: Content | None = Content("")
    for address in (*_addresses(options), *options.values("i", "input-file")):
        content = of(address)
        if file in ("-", "/dev/stdout"):
            output = Content() if output is None or output.origins else content
        elif file:
            call.shell.write(file, content)
        else:
            call.shell.write(join(folder, address.rpartition("/")[2] or UNKNOWN), content)
    return ProgramResult("done", output)


ROWS = {"curl": _curl, "wget": _wget, "wget2": _wget}
