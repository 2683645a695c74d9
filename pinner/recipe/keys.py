"""Where the keys come from that a stage lets apt trust, as far as that can be seen in its text; nothing is run.

Followed are downloads (curl, wget, ADD), keys of the build context (COPY), keys asked of a keyserver by their whole
fingerprint, and what gpg, apt-key, tee, cat, cp, mv and install do with the files; and Launchpad's keys of PPAs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pinner.errors import without_login
from pinner.recipe import statements
from pinner.recipe.dockerfile import Dockerfile, Instruction
from pinner.recipe.sourcefiles import PPA_NAME
from pinner.recipe.statements import Asked
from pinner.regex import later

_URL = later(r"https?://[^\s'\"$`\\<>]+")
_OUTPUT = {
    "curl": re.compile(r"(?:-[a-zA-Z]*o|--output=?)(.*)"),
    "wget": re.compile(r"(?:-[a-zA-Z]*O|--output-document=?)(.*)"),
    "gpg": re.compile(r"(?:-[a-zA-Z]*o|--output=?)(.*)"),
}
_FINGERPRINT = later(r"(?:0x)?([0-9A-Fa-f]{40})")
_SERVER = later(r"(?:(?:hkps?|https?)://)?([\w.-]+)(?::\d+)?/?")
#: Where add-apt-repository(1) asks for the keys of PPAs; the answer is a string of JSON.
_LAUNCHPAD = "https://api.launchpad.net/devel"
_TRUSTED = "/etc/apt/trusted.gpg"  # and trusted.gpg.d: keys for each source that names none
#: Where gpg keeps what it imports.
_RING = "~/.gnupg"


class Origin(NamedTuple):
    """A key file at an address, in the build context (`context`), or in the base image, with its `content`."""

    url: str = ""
    context: str = ""
    image: str = ""
    content: bytes = b""


#: The origins of files in the stage, by path.
Held = Mapping[str, tuple[Origin, ...]]


def mentions(text: str) -> bool:
    """Whether a text may be about keys."""
    return re.search(r"gpg|apt-key|\bppa:|/keyrings/|\.asc\b|\.key\b|\.pgp\b", text) is not None


def signers(held: Held, signed_by: str) -> tuple[Origin, ...]:
    """Where the keys come from that apt accepts for a source with this Signed-By (sources.list(5))."""
    if signed_by:
        return held.get(signed_by, ())
    found = (origins for path, origins in held.items() if path.startswith(_TRUSTED))
    return tuple(dict.fromkeys(origin for origins in found for origin in origins))


def follow(held: Held, dockerfile: Dockerfile, instruction: Instruction, asked: Asked, until: int) -> Held:
    """The origins after an instruction, as far as it stands before the offset `until` of the file."""
    found = dict(held)
    if instruction.keyword in {"COPY", "ADD"}:
        _copied(found, instruction)
    elif instruction.keyword == "RUN" and instruction.form == "shell":
        try:
            for statement in statements.read(dockerfile, instruction, asked, until):
                _statement(found, list(statement.words))
        except ValueError:
            return held
    return found


def _copied(held: dict[str, tuple[Origin, ...]], instruction: Instruction) -> None:
    words = list(instruction.argv) or instruction.text.text.split()
    if len(words) < 2 or instruction.heredocs or any(flag.startswith("--from") for flag in instruction.flags):
        return
    *sources, target = words
    for source in sources:
        path = target + source.rpartition("/")[2] if target.endswith("/") else target
        if _URL.fullmatch(source):
            held[path] = (Origin(url=without_login(source)),)
        elif not re.search(r"[$*?\[]", source):
            held[path] = (Origin(context=source),)


def _statement(held: dict[str, tuple[Origin, ...]], words: list[str]) -> None:
    piped: tuple[Origin, ...] = ()
    for command in _split(words, "|"):
        while command and (command[0] == "sudo" or re.match(r"\w+=", command[0])):
            command = command[1:]
        if not command:
            return
        name = command[0].rpartition("/")[2]
        if name in {"sh", "bash"} and len(command) == 3 and re.fullmatch(r"-e?u?x?c", command[1]):
            for inner in statements.split(command[2]):
                _statement(held, list(inner.words))
            return
        plain, target, source = _redirected(command[1:])
        if source:
            piped = _of(held, source)
        piped = _through(held, name, plain, piped)
        if target and piped:
            held[target] = piped


def _through(
    held: dict[str, tuple[Origin, ...]], name: str, words: list[str], piped: tuple[Origin, ...]
) -> tuple[Origin, ...]:
    """What a command prints, given what it reads; the files that it writes are noted."""
    if name in {"curl", "wget"}:
        urls = [word for word in words if _URL.fullmatch(word)]
        if len(urls) != 1:
            return ()
        origins: tuple[Origin, ...] = (Origin(url=without_login(urls[0])),)
        file = _option(_OUTPUT[name], words)
        remote = name == "wget" or any(re.fullmatch(r"-[a-zA-Z]*O|--remote-name", word) for word in words)
        if not file and remote:
            file = urls[0].rpartition("/")[2]
        if not file or file == "-":
            return origins
        held[file] = origins
        return ()
    if name in {"add-apt-repository", "apt-add-repository"}:
        for match in filter(None, (re.fullmatch(PPA_NAME, word) for word in words)):
            owner, archive = match[1], match[2] or "ppa"
            url = f"{_LAUNCHPAD}/~{owner}/+archive/ubuntu/{archive}?ws.op=getSigningKeyData"
            held[f"{_TRUSTED}.d/{owner}-ubuntu-{archive}.gpg"] = (Origin(url),)
        return ()
    if name in {"gpg", "gpg2", "apt-key"}:
        return _gpg(held, name, words, piped)
    files = [word for word in words if not word.startswith("-")]
    if name == "tee":
        held |= dict.fromkeys(files, piped)
        return piped
    if name == "cat":
        return tuple(origin for file in files for origin in _of(held, file)) if files else piped
    if name in {"cp", "mv", "install", "ln"} and len(files) > 1:
        for file in files[:-1]:
            if origins := _of(held, file):
                whole = files[-1].endswith("/")
                held[files[-1] + file.rpartition("/")[2] if whole else files[-1]] = origins
    return ()


def _gpg(
    held: dict[str, tuple[Origin, ...]], name: str, words: list[str], piped: tuple[Origin, ...]
) -> tuple[Origin, ...]:
    ring = next(
        (words[at + 1] for at, word in enumerate(words[:-1]) if word in {"--keyring", "--primary-keyring"}),
        _TRUSTED if name == "apt-key" else _RING,
    ).removeprefix("gnupg-ring:")
    if any(word in {"--recv-keys", "--recv-key", "--recv", "--receive-keys"} for word in words):
        server = next((words[at + 1] for at, word in enumerate(words[:-1]) if word == "--keyserver"), "")
        server = server or next(
            (word.partition("=")[2] for word in words if word.startswith("--keyserver=")), ""
        )
        host = _SERVER.fullmatch(server)
        if host:
            held[ring] = (
                *held.get(ring, ()),
                *(
                    Origin(f"https://{host[1]}/pks/lookup?op=get&options=mr&search=0x{match[1].upper()}")
                    for word in words
                    if (match := _FINGERPRINT.fullmatch(word))
                ),
            )
        return ()
    given = tuple(origin for word in words for origin in _of(held, word)) or piped
    if "add" in words or "--import" in words:
        held[ring] = (*held.get(ring, ()), *given)
        return ()
    file = _option(_OUTPUT["gpg"], words)
    found = held.get(ring, ()) if {"--export", "export"} & set(words) else given
    if file and file != "-":
        held[file] = found
        return ()
    return found


def _of(held: Held, file: str) -> tuple[Origin, ...]:
    """The origins of a file, which may be named from its folder."""
    return held.get(file) or held.get(file.rpartition("/")[2], ())


def _option(pattern: re.Pattern[str], words: list[str]) -> str:
    for at, word in enumerate(words):
        if match := pattern.fullmatch(word):
            return match[1] or (words[at + 1] if at + 1 < len(words) else "")
    return ""


def _split(words: list[str], mark: str) -> Iterator[list[str]]:
    begin = 0
    for at, word in enumerate([*words, mark]):
        if word == mark:
            yield words[begin:at]
            begin = at + 1


def _redirected(words: list[str]) -> tuple[list[str], str, str]:
    """The words without redirections, the file that is written, and the one that is read."""
    plain, files = list[str](), {">": "", "<": ""}
    at = 0
    while at < len(words):
        if words[at] in {">", ">>", "<", "<<", ">&", "&>"}:
            number = plain[-1:] if words[at - 1 : at] == plain[-1:] and plain[-1:] in (["1"], ["2"]) else []
            if words[at] in {">", ">>", "<"} and number != ["2"] and at + 1 < len(words):
                files[words[at][0]] = words[at + 1]
            plain = plain[: len(plain) - len(number)]
            at += 2
        else:
            plain.append(words[at])
            at += 1
    return plain, files[">"].replace("/dev/null", ""), files["<"]
