"""Keys of the repositories that files add, by fingerprint: of known owners, trusted on first use, of the context.

The keys of a repository that is known come from an address of its owner's, and count if their fingerprints are known.
What is trusted on first use is what its address gives then; from there on the lock says which keys these are. Asked is
over https alone (over http only of this machine itself), without any login, and a redirection leads to no less.

The lock names who signs each repository, so that every command, and every other machine, checks the same keys. Keys of
the build context, and those that a base image holds for its own sources, are trusted as these are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from pinner.apt.sources import Keys
from pinner.archive import trust
from pinner.archive.fetch import Fetcher
from pinner.archive.network import Network
from pinner.distributions.repositories import KnownRepository
from pinner.errors import FetchError, InputError, TrustError
from pinner.lock.schema import LockedKey
from pinner.regex import later

LARGEST = 1 << 20
_MOST_REDIRECTIONS = 5
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_STILL_RIGHT = "is the key's address still right?"
_SEARCHED = later(r"/pks/lookup\?\S*&search=0x([0-9A-F]{40})$")
_OF_LAUNCHPAD = "?ws.op=getSigningKeyData"
_MOVED = frozenset({301, 302, 303, 307, 308})


def is_secure(url: str) -> bool:
    """Whether what comes from an address cannot be changed on the way."""
    try:
        place = urlsplit(url)
    except ValueError:
        return False
    return place.scheme == "https" or (place.scheme == "http" and place.hostname in _LOOPBACK)


class Keyring:
    """The keys of the repositories that files add, as the lock knows them or as they are seen for the first time.

    `new` tells that an address may be trusted on first use. `used` is what the lock is to hold.
    """

    def __init__(self, network: Network, locked: Iterable[LockedKey], *, new: bool = False) -> None:
        self._cache = network.cache
        self._locked = {(key.uri, key.origin): key for key in locked}
        self._new = new
        self._offline = network.offline
        self._fetcher = Fetcher(network)
        self._contents: dict[str, bytes] = {}
        self.used: dict[tuple[str, str], LockedKey] = {}

    def from_address(self, uri: str, url: str) -> Keys | None:
        """The keys at `url` for the repository at `uri`, None if they may not be trusted.

        Raises FetchError, TrustError for other keys than the locked ones or none.
        """
        known = self._locked.get((uri, url))
        if known is None and not self._new:
            return None
        content = self._content(url)
        if content is None:  # what is asked of nobody is not verified either
            return Keys(url, known.fingerprints) if known is not None else None
        if url.endswith(_OF_LAUNCHPAD):
            content = _from_json(content)
        try:
            found = _fingerprints(content, url)
        except InputError as error:
            raise TrustError(f"{url}: {error.message}", hint=_STILL_RIGHT) from None
        wanted = _SEARCHED.search(url)
        if wanted:  # a keyserver may answer with others
            if wanted[1] not in found:
                raise TrustError(f"{url}: the key is not there")
            found = (wanted[1],)
        if known is not None and found != known.fingerprints:
            raise TrustError(
                f"{url}: these are the keys {', '.join(found)}, and {', '.join(known.fingerprints)} in the lock",
                hint="if the repository's owner has announced new keys, take their lines out of `keys` in pinner.lock "
                "and lock again with --trust-new-keys",
            )
        return self._kept(content, LockedKey(uri, url, found))

    def from_owner(self, owner: KnownRepository, urls: Iterable[str]) -> Keys:
        """The keys of a known repository, from the first address that has one of them.

        Raises `TrustError` where only others are found, else the FetchError of the first that does not answer.
        """
        unasked, failure = "", FetchError(f"{owner.name}: no address of its key is known", url=owner.uri)
        changed: TrustError | None = None
        for at, url in enumerate(dict.fromkeys(urls)):
            try:
                content = self._content(url)
                if content is None:
                    unasked = unasked or url
                    continue
                found = _fingerprints(_from_json(content) if url.endswith(_OF_LAUNCHPAD) else content, url)
            except FetchError as error:
                failure = failure if at else error
                continue
            except InputError as error:
                changed = changed or TrustError(f"{url}: {error.message}", hint=_STILL_RIGHT)
                continue
            except TrustError as error:
                changed = changed or error
                continue
            accepted = tuple(each for each in found if each in owner.fingerprints)
            if accepted:
                return self._kept(content, LockedKey(owner.uri, url, accepted))
            withdrawn = ", withdrawn since" if set(found) & set(owner.retired) else ""
            changed = changed or TrustError(
                f"{url}: these are the keys {', '.join(found)}{withdrawn}, and {owner.uri} is signed by "
                f"{', '.join(owner.fingerprints)}",
                hint="a newer pinner may know a new key; or name its key under [[source]] in pinner.toml",
            )
        if unasked:  # what is asked of nobody is not verified either
            return Keys(unasked, owner.fingerprints)
        raise changed or failure

    def from_context(self, uri: str, content: bytes, name: str) -> Keys:
        """The keys in a file of the build context, which the lock calls `name`. Raises `InputError`."""
        try:
            return self._kept(content, LockedKey(uri, name, _fingerprints(content, name)))
        except InputError as error:
            raise InputError(f"{name}: {error.message}") from None

    def from_image(self, uri: str, name: str, content: bytes) -> Keys:
        """The keys that a base image trusts: `name` is the image's and the file's. Raises `InputError`."""
        try:
            keys = self._kept(content, LockedKey(uri, name, _fingerprints(content, name)))
        except InputError as error:
            raise InputError(f"{name}: {error.message}") from None
        if self._cache.kept(self._last(name)) != content:
            self._cache.keep(self._last(name), content)
        return keys

    def as_of_image(self, key: LockedKey) -> Keys:
        """The same, as it was read last. Raises `InputError` if it was not."""
        last = self._cache.kept(self._last(key.origin))
        if not last or _fingerprints(last, key.origin) != key.fingerprints:
            hint = "run `pinner lock`, which reads the image"
            raise InputError(f"{key.origin}: the key is not in the cache", hint=hint)
        return self._kept(last, key)

    def _last(self, origin: str) -> Path:
        return self._cache.keys / f"{sha256(origin.encode()).hexdigest()}.last"

    def joined(self, found: Sequence[Keys]) -> Keys:
        """All these keys as one; where some are not known, the first stand for them."""
        if len(found) == 1 or not all(Path(keys.keyring).is_file() for keys in found):
            return found[0]
        every = {
            certificate.fingerprint.upper(): bytes(certificate)
            for keys in found
            for certificate in trust.certificates(Path(keys.keyring).read_bytes(), keys.keyring)
            if certificate.fingerprint.upper() in keys.fingerprints
        }
        content = b"".join(every[fingerprint] for fingerprint in sorted(every))
        return Keys(self._file(content), tuple(sorted(every)))

    def _kept(self, content: bytes, key: LockedKey) -> Keys:
        self.used[key.uri, key.origin] = key
        return Keys(self._file(content), key.fingerprints)

    def _file(self, content: bytes) -> str:
        path = self._cache.keys / sha256(content).hexdigest()
        if not path.is_file() or path.read_bytes() != content:
            self._cache.write(path, content)
        return str(path)

    def _content(self, url: str) -> bytes | None:
        """What is at an address, asked once in a run; offline, what was there last, None if that is not known."""
        if url not in self._contents:
            last = self._last(url)
            if self._offline:
                content = self._cache.kept(last)
                if not content:
                    return None
                self._contents[url] = content
            else:
                try:
                    self._contents[url] = self._asked(url)
                finally:
                    self._fetcher.close()
                self._cache.keep(last, self._contents[url])
        return self._contents[url]

    def _asked(self, url: str) -> bytes:
        official, address = url, self._fetcher.address(url)
        secure = is_secure(url)
        for _ in range(_MOST_REDIRECTIONS + 1):
            if not secure:
                raise TrustError(
                    f"{official}: the way leads over {address.partition('://')[0]}, where anybody can change the key",
                    hint="name its key under [[source]] in pinner.toml",
                )
            try:
                with self._fetcher.ask(address, headers={}) as answer:
                    status, target = answer.status, answer.headers.get("Location", "")
                    if status == 200:
                        return answer.body(LARGEST)
            except (FetchError, TrustError) as error:  # messages name the official address
                error.message = error.message.replace(address, official)
                raise
            if status not in _MOVED:
                raise FetchError(
                    f"{official}: HTTP status {status}", url=official, status=status, hint=_STILL_RIGHT
                )
            try:
                address = urljoin(address, target)
                secure = is_secure(address)
            except ValueError:
                raise FetchError(f"{official}: it redirects to what is no address", url=official) from None
        raise FetchError(f"{official}: too many redirections", url=official)


def _from_json(content: bytes) -> bytes:
    """The text that is a string of JSON, nothing for all else."""
    try:
        text = json.loads(content)
    except ValueError:
        return b""
    return text.encode() if isinstance(text, str) else b""


def _fingerprints(content: bytes, what: str) -> tuple[str, ...]:
    return tuple(sorted(certificate.fingerprint.upper() for certificate in trust.certificates(content, what)))
