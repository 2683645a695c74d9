"""Under which official address an archive is known whose mirror a file names.

Public mirrors and those of cloud providers are known by their names (https://www.debian.org/mirror/list,
https://launchpad.net/ubuntu/+archivemirrors), a company's by its configuration, a cache in between (apt-cacher-ng) by
the official address in its path. All this only finds the address: what is read there must be signed by its keys.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pinner.regex import later

_DEBIAN, _UBUNTU = "http://deb.debian.org", "http://archive.ubuntu.com"
# Hosts that are called after what they do, and others, with the folders that mirrors keep several archives in.
_MIRROR = (
    r"(?:(?:mirrors?|ftp)[a-z0-9-]*(?:\.[a-z0-9-]+)+|repo\.huaweicloud\.com)"
    r"(?:/pub|/linux|/mirrors?|/distributions)*"
)
_CACHER_PORT = 3142  # of apt-cacher and apt-cacher-ng, with the paths that it maps as it is delivered
_CACHER_PATHS: Mapping[str, str] = {
    "debian": f"{_DEBIAN}/debian",
    "debian-security": f"{_DEBIAN}/debian-security",
    "ubuntu": f"{_UBUNTU}/ubuntu",
}

#: Patterns of hosts with paths, and the official address that they mirror, which is a template of the groups.
_KNOWN = (
    # Debian: itself, its countries, its old redirectors and CDNs, and security's names
    (
        r"(?:deb|ftp\d?|(?:ftp\d?|http)\.(?:[a-z]{2}|us|uk)|httpredir|http|cdn-aws\.deb|cdn-fastly\.deb|debian\.map)"
        r"\.debian\.(?:org|net)/(debian|debian-security)",
        rf"{_DEBIAN}/\1",
    ),
    (r"security(?:-cdn)?\.debian\.org(?:/debian-security)?", f"{_DEBIAN}/debian-security"),
    (r"(?:cloudfront\.debian\.net|debian-archive\.trafficmanager\.net)/(debian|debian-security)", rf"{_DEBIAN}/\1"),
    (r"mirror\.hetzner\.(?:com|de)/debian/packages", f"{_DEBIAN}/debian"),
    (r"mirror\.hetzner\.(?:com|de)/debian/security", f"{_DEBIAN}/debian-security"),
    (r"archive\.debian\.org/(debian|debian-security)", r"http://archive.debian.org/\1"),
    # Ubuntu: itself, its countries, and clouds (eu-west-1.ec2.archive, azure.archive, us-east1.gce.archive …)
    (r"(?:[a-z0-9-]+\.){0,3}archive\.ubuntu\.com/ubuntu", f"{_UBUNTU}/ubuntu"),
    (r"(?:[a-z0-9-]+\.){0,2}security\.ubuntu\.com/ubuntu", "http://security.ubuntu.com/ubuntu"),
    (r"(?:[a-z0-9-]+\.){0,3}ports\.ubuntu\.com(?:/ubuntu-ports)?", "http://ports.ubuntu.com/ubuntu-ports"),
    (r"old-releases\.ubuntu\.com/ubuntu", "http://old-releases.ubuntu.com/ubuntu"),
    (rf"{_MIRROR}/(debian|debian-security)", rf"{_DEBIAN}/\1"),
    (rf"{_MIRROR}/ubuntu", f"{_UBUNTU}/ubuntu"),
    (rf"{_MIRROR}/ubuntu-ports", "http://ports.ubuntu.com/ubuntu-ports"),
)  # fmt: skip
_ADDRESSES = frozenset(
    [
        *(
            f"{host}/{path}"
            for host in (_DEBIAN, "http://archive.debian.org")
            for path in ("debian", "debian-security")
        ),
        *(f"http://{host}.ubuntu.com/ubuntu" for host in ("archive", "security", "old-releases")),
        "http://ports.ubuntu.com/ubuntu-ports",
    ]
)
_OWN_HOST = later(r"(?:^|\.)(?:debian\.org|ubuntu\.com)$|^(?:mirrors?|ftp)")
_CACHED = later(r"/(?:(HTTPS)///)?([a-z0-9-]+(?:\.[a-z0-9-]+)+(?:/.*)?)", re.IGNORECASE)


def official(uri: str, mirrors: Mapping[str, str]) -> str:
    """The address that stands for `uri` in a lock, without a trailing slash; `uri` where it mirrors nothing known.

    `mirrors` is a configuration's: official prefixes and what is asked in their place. A login in `uri` is left out
    where it is a mirror's.
    """
    plain = _plain(uri)
    found: dict[str, None] = {}
    for prefix, mirror in sorted(mirrors.items(), key=lambda pair: -len(pair[1])):
        beginning = _plain(mirror)
        if f"{plain}/".startswith(f"{beginning}/"):
            found[official(prefix.rstrip("/") + plain[len(beginning) :], {})] = None
    for each in found:  # one mirror may stand for several hosts, and have what none of them has
        if each in _ADDRESSES or (len(found) == 1 and not is_own_host(_host(each))):
            return each
    _, _, place = plain.partition("://")
    for pattern, address in _KNOWN if plain.startswith("http") else ():
        if match := re.fullmatch(pattern, place):
            return match.expand(address)
    host, slash, path = place.partition("/")
    cacher = host.endswith(f":{_CACHER_PORT}")
    if match := _CACHED.fullmatch(slash + path):
        behind = f"{'https' if match[1] else 'http'}://{match[2]}"
        meant = official(behind, {})
        if cacher or meant in _ADDRESSES:
            return meant
    if cacher and path in _CACHER_PATHS:
        return _CACHER_PATHS[path]
    return uri.rstrip("/")


def is_own_host(host: str) -> bool:
    """Whether a host may serve a distribution's own archive."""
    return bool(_OWN_HOST.search(host))


def _host(uri: str) -> str:
    return uri.partition("://")[2].partition("/")[0]


def _plain(uri: str) -> str:
    """The address with its host in lower case, without login, default port and slashes that mean nothing."""
    scheme, _, rest = uri.partition("://")
    place, slash, path = rest.partition("/")
    host = (
        place.rpartition("@")[2]
        .lower()
        .removesuffix({"http": ":80", "https": ":443"}.get(scheme.lower(), "\0"))
    )
    return f"{scheme.lower()}://{host}{slash}{re.sub('//+', '/', path)}".rstrip("/").replace(
        "/HTTPS/", "/HTTPS///"
    )
