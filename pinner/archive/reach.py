"""Which addresses may be asked. In CI others' pull requests name hosts: none of the runner's own network, unless the
user allows it.

What a name means is looked up before anything is sent, and whom the connection has reached is looked at again: a name
may mean something else the second time. A proxy of the environment is the user's own.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pinner.errors import FetchError

if TYPE_CHECKING:
    import socket
    from ipaddress import IPv4Address, IPv6Address

_NAT64 = 0x0064_FF9B << 96

_private = False
_hosts: frozenset[str] = frozenset()


class Private(FetchError):
    """The address is one of a private network, of this machine itself, or no address of the Internet at all."""


def allow(*, private: bool | None = None, hosts: Iterable[str] | None = None) -> None:
    """Says for all of this process what the user allows: every address, or these hosts (`HOST[:PORT]`)."""
    global _private, _hosts
    if private is not None:
        _private = private
    if hosts is not None:
        _hosts = frozenset(host.rpartition(":")[0] or host for host in hosts)


def is_guarded() -> bool:
    """Whether private addresses are refused: in CI (which sets `CI`), unless they are allowed."""
    return not _private and os.environ.get("CI", "").lower() in {"true", "1", "yes"}


def check(url: str) -> None:
    """Raises `Private` for an address that names such a host by number, or this machine; or a file."""
    if not is_guarded():
        return
    parts = urlsplit(url)
    host = (parts.hostname or "").lower().rstrip(".")
    if host in _hosts:
        return
    if parts.scheme == "file" or host == "localhost" or host.endswith(".localhost"):
        raise _refusal(host or url, url)
    if (address := _literal(host)) is not None:
        _check(address, host, url)


class Guarded:
    """A connection of urllib3's that reaches no private address (a mixin)."""

    host: str
    port: int
    proxy: Any

    def _new_conn(self) -> socket.socket:
        import socket

        guarded = is_guarded() and self.proxy is None and self.host not in _hosts | known()
        url = f"{self.host}:{self.port}"
        if guarded:
            for found in socket.getaddrinfo(self.host.strip("[]"), self.port, type=socket.SOCK_STREAM):
                _check(_address(str(found[4][0])), self.host, url)
        reached: socket.socket = super()._new_conn()  # type: ignore[misc]
        if guarded:
            try:
                _check(_address(reached.getpeername()[0]), self.host, url)
            except BaseException:
                reached.close()
                raise
        return reached


@cache
def known() -> frozenset[str]:
    """The hosts of the distributions: no file names them, and who answers there is the network's own affair."""
    from pinner.distributions.catalogue import DISTRIBUTIONS

    pockets = (pocket for each in DISTRIBUTIONS for suite in each.suites for pocket in suite.pockets)
    return frozenset(urlsplit(pocket.uri).hostname or "" for pocket in pockets)


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    """The address that a host is written as: also `127.1`, `0x7f000001` and the like."""
    import socket
    from ipaddress import IPv4Address

    try:
        return _address(host)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host))
    except OSError:
        return None


def _address(text: str) -> IPv4Address | IPv6Address:
    from ipaddress import IPv4Address, IPv6Address, ip_address

    found = ip_address(text.partition("%")[0])
    if isinstance(found, IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour
        if int(found) >> 32 == _NAT64 >> 32:
            inner = IPv4Address(int(found) & 0xFFFF_FFFF)
        return inner or found
    return found


def _check(address: IPv4Address | IPv6Address, host: str, url: str) -> None:
    if not address.is_global or address.is_multicast:
        raise _refusal(host if host == str(address) else f"{host} ({address})", url)


def _refusal(host: str, url: str) -> Private:
    return Private(
        f"{host}: not asked, since it is an address of the runner's own network, and files of the checkout name it",
        url=url,
        hint="--allow-private, or PINNER_ALLOW_PRIVATE=1 in the environment, allows it",
    )
