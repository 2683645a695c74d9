"""Logins to archives: from ~/.netrc, apt's auth.conf and the environment, in the syntax of apt_auth.conf(5).

`machine [PROTOCOL://]HOST[:PORT][/PATH] login USER password SECRET`. An entry without a protocol is for https alone,
one without a port for every port; a path is the beginning of what it is for. The first entry that fits counts.
`default` would give a login to whatever host a file names, and is passed over.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import requests
from requests.auth import HTTPBasicAuth

from pinner.values import NamedTuple

_APT = Path("/etc/apt/auth.conf")
_LARGEST = 1 << 20


class Credential(NamedTuple):
    """A login and what it is for: `place` is a host with or without a port and a path."""

    scheme: str
    place: str
    user: str = ""
    secret: str = ""


def parse(text: str) -> tuple[Credential, ...]:
    """The entries of a text. What is no part of one is passed over, as apt does it."""
    text = re.sub(r"(?m)^\s*#.*", "", text)
    text = re.sub(r"(?ms)^\s*macdef\s.*?(?:\n\s*\n|\Z)", "\n", text)
    words = iter([word.strip('"') for word in re.findall(r'"[^"]*"|\S+', text)])
    found: list[Credential] = []
    for key in words:
        value = next(words, "") if key in {"machine", "login", "password", "account"} else ""
        if key == "machine":
            scheme, _, place = value.rpartition("://")
            found.append(Credential(scheme or "https", place))
        elif key == "default":
            found.append(Credential("", ""))
        elif found and key == "login" and not found[-1].user:
            found[-1] = found[-1]._replace(user=value)
        elif found and key == "password" and not found[-1].secret:
            found[-1] = found[-1]._replace(secret=value)
    return tuple(entry for entry in found if entry.place and entry.user)


def find(entries: Iterable[Credential], url: str) -> Credential | None:
    """The entry for an address."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    port = f":{parts.port}" if parts.port else ""
    for entry in entries:
        name, slash, path = entry.place.partition("/")
        if (
            entry.scheme == parts.scheme
            and name.lower() in ((host, host + port) if not slash else (host + port,))
            and parts.path.startswith(f"{slash}{path}")
        ):
            return entry
    return None


@cache
def own() -> tuple[Credential, ...]:
    """Those of this user: of PINNER_AUTH, which holds the text, of NETRC or ~/.netrc, of apt's files if readable."""
    files = [Path(os.environ.get("NETRC") or "~/.netrc"), _APT]
    files += sorted(Path(f"{_APT}.d").glob("*.conf"))
    texts = [os.environ.get("PINNER_AUTH", "")]
    for path in files:
        try:
            with path.expanduser().open("rb") as file:
                texts.append(file.read(_LARGEST).decode("utf-8", "replace"))
        except (OSError, RuntimeError):  # there is none, it is not for us, or there is no home
            continue
    return tuple(entry for text in texts for entry in parse(text))


def attach(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """The request with the login for its address: the address's own, or that of this user's files."""
    url = request.url or ""
    parts = urlsplit(url)
    if parts.username:
        login = HTTPBasicAuth(unquote(parts.username), unquote(parts.password or ""))
    elif entry := find(own(), url):
        login = HTTPBasicAuth(entry.user.encode(), entry.secret.encode())
    else:
        return request
    login(request)
    return request


class Session(requests.Session):
    """A session whose logins are these and no others, after a redirection, too."""

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        """Each address has its own login, or none."""
        prepared_request.headers.pop("Authorization", None)
        attach(prepared_request)
