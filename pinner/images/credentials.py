"""Logins to registries, as `docker login` and `podman login` keep them in files or in credential helpers.

The files: https://docs.docker.com/reference/cli/docker/login/#credential-stores and containers-auth.json(5), which is
the same with keys that may go on with a path; the helpers' protocol:
https://github.com/docker/docker-credential-helpers#development
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pinner import program
from pinner.errors import InputError
from pinner.images.reference import HUB

_HUB_KEY = "https://index.docker.io/v1/"
_HUB_KEYS = (_HUB_KEY, "index.docker.io", "docker.io", HUB)
_TOKEN_USER = "<token>"  # by which a helper says that the secret is an identity token
_PATIENCE = 60.0  # seconds; a helper may ask its user


@dataclass(frozen=True, slots=True)
class Login:
    """A user and a secret: a password, or with `identity` a token that buys access tokens (OAuth 2 refresh token)."""

    user: str
    secret: str = field(repr=False)
    identity: bool = False


def login(files: Iterable[Path], registry: str, repository: str) -> Login | None:
    """The login for a repository at the host `registry` by the first of `files` that has one; None if there is none.

    Raises InputError for a file that cannot be read, or whose helper fails.
    """
    found = (_login(path, registry, repository) for path in files if path.is_file())
    return next(filter(None, found), None)


def _login(path: Path, registry: str, repository: str) -> Login | None:
    settings = _settings(path)
    keys = _HUB_KEYS if registry == HUB else (registry,)
    helpers = _mapping(settings, "credHelpers", path)
    helper = next((helpers[key] for key in keys if key in helpers), settings.get("credsStore") or "")
    if not isinstance(helper, str):
        raise InputError("the name of a credential helper is not text", path=str(path))
    if helper and (found := _ask(helper, keys[0], registry, path)):
        return found
    entries = _mapping(settings, "auths", path)
    parts = repository.split("/")
    paths = ("/".join((key, *parts[:end])) for end in range(len(parts), -1, -1) for key in keys)
    # Older files have keys like https://ghcr.io/v2/
    older = (name for name in entries if re.sub(r"^https?://|/v[12]/?$|/$", "", name) in keys)
    name = next((name for name in (*paths, *older) if name in entries), None)
    return _entry(entries[name], name, path) if name else None


def _settings(path: Path) -> dict[str, Any]:
    import json

    try:
        settings = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        raise InputError("the logins cannot be read as JSON", path=str(path)) from None
    if not isinstance(settings, dict):
        raise InputError("the logins are not a JSON object", path=str(path))
    return settings


def _mapping(settings: dict[str, Any], name: str, path: Path) -> dict[str, Any]:
    value = settings.get(name) or {}
    if not isinstance(value, dict):
        raise InputError(f"{name} is not a JSON object", path=str(path))
    return value


def _entry(entry: Any, name: str, path: Path) -> Login | None:
    fields = entry if isinstance(entry, dict) else {}
    texts = {key: value for key, value in fields.items() if isinstance(value, str)}
    user, secret = texts.get("username", ""), texts.get("password", "")
    if texts.get("auth"):
        try:
            user, colon, secret = base64.b64decode(texts["auth"], validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            colon = ""
        if not colon:
            hint = f"docker logout {name}; docker login {name}"
            raise InputError(f"the login for {name} cannot be read", path=str(path), hint=hint)
        secret = secret.rstrip("\0")
    try:
        "".join(texts.values()).encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can hold
        raise InputError("a login is not text", path=str(path)) from None
    if texts.get("identitytoken"):
        return Login(user, texts["identitytoken"], identity=True)
    return Login(user, secret) if user and secret else None


def _ask(helper: str, key: str, registry: str, path: Path) -> Login | None:
    import json
    import subprocess

    def failed(why: str) -> InputError:
        hint = "see credsStore and credHelpers in it"
        return InputError(f"no login for {registry}: {why}", path=str(path), hint=hint)

    name = f"docker-credential-{helper}"
    if not re.fullmatch(r"[A-Za-z0-9._-]+", helper):
        raise failed(f"{helper[:100]} is not the name of a credential helper")
    path_of = program.find(name)
    if path_of is None:
        raise failed(f"{name} is not installed")
    try:
        done = subprocess.run(
            [path_of, "get"], input=key.encode(), capture_output=True, timeout=_PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        raise failed(f"{name} does not answer") from None
    if done.returncode:
        message = (done.stdout or done.stderr).decode("utf-8", "replace").strip()
        if "credentials not found" in message:
            return None
        raise failed(f"{name}: {message[:200]}")
    try:
        answer = json.loads(done.stdout)
        user, secret = answer["Username"], answer["Secret"]
        (user + secret).encode()  # both are text, and no half of a surrogate pair
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise failed(f"{name} gives an invalid answer") from None
    if user == _TOKEN_USER:
        return Login("", secret, identity=True)
    return Login(user, secret) if user and secret else None
