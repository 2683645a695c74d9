"""A repository of what is locked: the suites of its sources, each with a Release that says of itself what theirs does.

    dists/trixie-backports/Release, dists/trixie-backports/main/binary-amd64/Packages
    dists/download.docker.com/bookworm/Release     where another repository has a suite of this name

So `-t`, `name/suite` and preferences mean in it what they mean for the archive, and an image's own sources do with
another address. Packages and Release at its top list everything once more, for a line that ends in `./`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256

from pinner.apt.sources import Source
from pinner.distributions.catalogue import PLATFORMS
from pinner.errors import InputError
from pinner.lock.schema import Lock, LockedPackage, Target
from pinner.resolve.universe import Index
from pinner.stages.repositories import VouchedRepository
from pinner.workflow.export import date_of, described, source_of, sources, stanza

# apt knows no release, as for `-t`, of which it has read no package.
_EMPTY = (
    "Package: pinner-nothing-is-locked-from-here\nVersion: 0\nArchitecture: all\nDescription: marks an empty suite\n"
    f"Filename: none.deb\nSize: 0\nSHA256: {sha256(b'').hexdigest()}\n"
)

WantedPackages = Mapping[Source, Sequence[LockedPackage]]


def wanted(
    lock: Lock, targets: Sequence[Target], known: Sequence[VouchedRepository] = ()
) -> dict[Source, Sequence[LockedPackage]]:
    """As `export.sources`, and the other suites that targets were resolved from, of which nothing is wanted."""
    found: dict[Source, Sequence[LockedPackage]] = dict(sources(lock, targets, known))
    for target in targets:
        for each in lock.releases:
            try:
                own = LockedPackage("", "", PLATFORMS[target.platform], each.suite, each.uri, "", 0, "")
                found.setdefault(source_of(own, target, lock, known), ())
            except InputError:
                continue  # of another distribution, or architecture
    return found


def suites(wanted: WantedPackages, indexes: Sequence[Index]) -> dict[str, str]:
    """The files below `dists`, by path. Raises what `export.index` raises."""
    folders: dict[tuple[str, str], str] = {}
    for source in wanted:
        if not source.flat:
            taken = source.suite in folders.values()
            host = source.uri.partition("://")[2].strip("/")
            folders.setdefault(
                (source.uri, source.suite), f"{host}/{source.suite}" if taken else source.suite
            )
    made: dict[str, dict[str, str]] = {folder: {} for folder in folders.values()}
    releases: dict[str, Index] = {}
    for source, packages in wanted.items():
        if source.flat:
            continue
        folder = folders[source.uri, source.suite]
        for index in indexes:
            if index.source == source:
                releases.setdefault(folder, index)
                own = [each for each in packages if _has(index, each)]
                path = f"{index.component}/binary-{source.arch}/Packages"
                made[folder][path] = (
                    "\n".join(sorted(stanza(described(each, [index])) for each in own)) or _EMPTY
                )
    found: dict[str, str] = {}
    for folder, files in made.items():
        if folder in releases:
            found |= {f"dists/{folder}/{path}": text for path, text in files.items()}
            found[f"dists/{folder}/Release"] = "".join(_release(releases[folder], files))
    return found


def _has(index: Index, wanted: LockedPackage) -> bool:
    return any(
        (package.version, package.architecture) == (wanted.version, wanted.arch)
        for package in index.packages(wanted.name)
    )


def _release(index: Index, files: Mapping[str, str]) -> Iterator[str]:
    own = index.release
    parts = [path.split("/") for path in sorted(files)]
    fields = {
        "Origin": own.origin,
        "Label": own.label,
        "Suite": own.suite,
        "Codename": own.codename,
        "Version": own.version,
        "Date": date_of(own.date),
        "NotAutomatic": "yes" if own.not_automatic else "",
        "ButAutomaticUpgrades": "yes" if own.but_automatic_upgrades else "",
        "Architectures": " ".join(dict.fromkeys(part[-2].removeprefix("binary-") for part in parts)),
        "Components": " ".join(dict.fromkeys("/".join(part[:-2]) for part in parts)),
        "Description": "what a pinner.lock holds",
    }
    yield from (f"{name}: {value}\n" for name, value in fields.items() if value)
    yield "SHA256:\n"
    for path, text in sorted(files.items()):
        content = text.encode()
        yield f" {sha256(content).hexdigest()} {len(content)} {path}\n"
