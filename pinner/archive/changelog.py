"""What changed between two versions, by the changelog that the .deb itself brings (Debian Policy 4.4 and 12.7).

Nothing of it is unpacked to the disk.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from pinner.apt.changelog import ChangelogEntry, entries
from pinner.apt.packages import Package
from pinner.apt.release import FileEntry
from pinner.apt.version import compare
from pinner.archive import trust
from pinner.archive.deb import member
from pinner.archive.fetch import Fetcher
from pinner.archive.network import Network
from pinner.archive.tar import Tar
from pinner.archive.unpack import Torn, UnpackedStream, plain
from pinner.errors import InputError, TrustError

LARGEST = 32_000_000  # bytes of a .deb that is fetched for its changelog
_LARGEST_TREE = 512_000_000  # bytes that are unpacked on the way to the changelog
_LARGEST_TEXT = 4_000_000


class Changelogs:
    """Fetches .debs and reads their changelogs."""

    def __init__(self, network: Network) -> None:
        self._fetcher = Fetcher(network)

    def since(
        self, package: Package, uri: str, old: str, named: Callable[[str], Iterable[Package]] = lambda _: ()
    ) -> tuple[ChangelogEntry, ...]:
        """The entries newer than `old`, newest first; none if the .deb is too large or brings no changelog.

        Where its documentation is that of another package of the same source (Debian Policy 12.3), that one is read;
        `named` are the packages of a name. Raises `FetchError` and `TrustError`: a .deb must be the one that the index
        vouches for.
        """
        read, other = self._read(package, uri)
        if not read and other:
            same = (package.source, package.source_version)
            linked = (each for each in named(other) if (each.source, each.source_version) == same)
            read = next((self._read(each, uri)[0] for each in linked), [])
        found: dict[str, ChangelogEntry] = {}
        for text in read:
            for entry in entries(text):
                if compare(entry.version, old) <= 0:
                    break
                found.setdefault(entry.version, entry)
        return tuple(found.values())

    def _read(self, package: Package, uri: str) -> tuple[list[str], str]:
        """The changelogs of a package, and the other package whose they are if it has none."""
        if package.size > LARGEST:
            return [], ""
        url = f"{uri}/{package.filename}"
        try:
            deb = bytes(self._fetcher.get(url, limit=package.size))
        finally:
            self._fetcher.close()
        trust.check(deb, FileEntry(package.size, package.digest), url=url)
        return texts(deb, package.name, url)


def texts(deb: bytes, name: str, url: str) -> tuple[list[str], str]:
    """The changelogs of the package in a .deb: that of its binary rebuild first, then Debian's, or the native one; and
    the package whose they are if its changelog, or all of its documentation, is a link to that one's, "" if it is none.

    Raises `TrustError` for a file that is no .deb.
    """
    found: dict[str, str] = {}
    other = ""
    folder = f"usr/share/doc/{name}/"
    try:
        tar = Tar(UnpackedStream(member(deb, "data", url), _LARGEST_TREE, "data.tar"), "data.tar")
        while each := tar.next():
            path = each.name.removeprefix("./")
            if each.kind == "symlink" and f"{path}/" == folder:
                other = each.target.rpartition("/")[2]
            elif each.kind == "symlink" and path == f"{folder}changelog.Debian.gz":
                other = each.target.rpartition("/")[0].rpartition("/")[2]
            if each.kind != "file" or not path.startswith(folder) or each.size > _LARGEST_TEXT:
                continue
            if re.fullmatch(r"changelog(\.Debian(\.\w+)?)?\.gz", path.removeprefix(folder)):
                found[path] = _text(tar.content(each))
    except (InputError, Torn) as error:
        raise TrustError(f"{url}: cannot be read as a .deb: {error}") from None
    debian = [found[path] for path in sorted(found, key=len, reverse=True) if ".Debian" in path]
    return debian or list(found.values()), other


def _text(packed: bytes) -> str:
    """The newest entries of a changelog. Raises `Torn`."""
    text = b""
    for piece in plain(iter([packed]), ".gz"):
        text += piece
        if len(text) >= _LARGEST_TEXT:
            break
    return text[:_LARGEST_TEXT].decode("utf-8", "replace")
