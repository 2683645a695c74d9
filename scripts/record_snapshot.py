"""Cuts a small archive: real stanzas of a suite, without descriptions, signed anew by a key of its own.

    scripts/record_snapshot snapshots/bookworm bookworm curl jq

What is kept is the minimal image's packages, the named ones, and all that these may bring along: the first choice and
the providers of each Depends, Pre-Depends and Recommends. Beside the archive go the Dockerfile that asks for the names
and what real apt would do about it, on each architecture (`apt/ARCH`). The directory is one for `--archive`. Its key is
made for it and thrown away.
"""

from __future__ import annotations

import argparse
import lzma
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from pysequoia import Profile, SignatureMode, Tsk, sign

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pinner.apt import relations
from pinner.apt.packages import Package
from pinner.apt.release import Release
from pinner.archive.cache import Cache
from pinner.archive.load import Archive
from pinner.archive.network import Network
from pinner.archive.snapshot import Snapshots
from pinner.distributions import minbase, moments
from pinner.distributions.catalogue import DEFAULT_PLATFORMS, PLATFORMS
from pinner.resolve.universe import Index, Universe
from pinner.session.access import cache_dir
from pinner.stages.image_names import Named, named
from pinner.stages.sources import sources_of
from pinner.workflow.export import stanza
from tests.apt_root import AptRoot

ARCHITECTURES = [PLATFORMS[platform] for platform in DEFAULT_PLATFORMS]


def wanted(universe: Universe, names: Iterable[str]) -> set[str]:
    """The names and what they may bring along."""
    found: set[str] = set()
    todo = list(names)
    while todo:
        name = todo.pop()
        if name in found:
            continue
        found.add(name)
        for offer in universe.versions(name):
            package = offer.package
            for field in (package.pre_depends, package.depends, package.recommends):
                for clause in relations.parse(field):
                    first = clause[0].name
                    todo.append(first)
                    if not universe.versions(first):
                        todo += [other.name for other in universe.providers(first)][:3]
    return found


def packages(index: Index, names: Iterable[str]) -> list[Package]:
    """The stanzas of an index to keep, in the order of names."""
    return [package for name in sorted(names) for package in index.packages(name)]


def release(index: Index, files: dict[str, bytes]) -> str:
    """The suite's Release over what was kept, without an end to its validity."""
    told: Release = index.release
    fields = {
        "Origin": told.origin,
        "Label": told.label,
        "Suite": told.suite,
        "Codename": told.codename,
        "Version": told.version,
        "Date": told.date.strftime("%a, %d %b %Y %H:%M:%S UTC"),
        "NotAutomatic": "yes" if told.not_automatic else "",
        "ButAutomaticUpgrades": "yes" if told.but_automatic_upgrades else "",
        "Architectures": " ".join(ARCHITECTURES),
        "Components": "main",
        "No-Support-for-Architecture-all": "Packages",
    }
    lines = [f"{name}: {value}\n" for name, value in fields.items() if value]
    lines.append("SHA256:\n")
    lines += (f" {sha256(body).hexdigest()} {len(body)} {path}\n" for path, body in sorted(files.items()))
    return "".join(lines)


def record(folder: Path, where: Named, names: Sequence[str], archive: Archive) -> None:
    """Write the archive."""
    key = Tsk.generate(user_id="A recorded archive", profile=Profile.RFC4880)
    folder.mkdir(parents=True)
    (folder / "key.pgp").write_bytes(bytes(key.extract_certificate()))
    kept: dict[tuple[str, str], dict[str, bytes]] = {}
    of: dict[tuple[str, str], Index] = {}
    for arch in ARCHITECTURES:
        indexes, _ = archive.load(sources_of(where, arch))
        universe = Universe(indexes, arch=arch)
        keep = wanted(universe, [*minbase.names(where.suite.codename, arch), *names])
        for index, live in zip(indexes, sources_of(where._replace(at=None), arch), strict=True):
            place = (live.uri, live.suite)
            text = "\n".join(map(stanza, packages(index, keep))).encode()
            path = f"main/binary-{arch}/Packages"
            kept.setdefault(place, {})[path] = text
            kept[place][f"{path}.xz"] = lzma.compress(text)
            of[place] = index
    for (uri, suite), files in kept.items():
        root = folder / uri.partition("://")[2] / "dists" / suite
        for path, body in files.items():
            if path.endswith(".xz"):
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_bytes(body)
        text = release(of[uri, suite], files).encode()
        (root / "InRelease").write_bytes(sign(key.signer(), text, mode=SignatureMode.CLEAR))


def answers(folder: Path, where: Named, names: Sequence[str]) -> None:
    """Write what real apt, with the minimal image's packages installed, would do about the Dockerfile."""
    for arch in ARCHITECTURES:
        with tempfile.TemporaryDirectory() as place:
            lines = [
                f"deb [signed-by={folder}/key.pgp] file:{folder}/{source.uri.partition('://')[2]} "
                f"{source.suite} main\n"
                for source in sources_of(where, arch)
            ]
            root = AptRoot(Path(place, "root"), arch, {"sources.list": "".join(lines)})
            root.update()
            status = []
            for name in minbase.names(where.suite.codename, arch):
                shown = root.run("apt-cache", "show", "--no-all-versions", name)
                fields = [
                    line
                    for line in shown.splitlines()
                    if line and not line.startswith(("Filename:", "Size:", "SHA256:"))
                ]
                status.append("\n".join([fields[0], "Status: install ok installed", *fields[1:]]) + "\n")
            (root.folder / "var/lib/dpkg/status").write_text("\n".join(status))
            printed = root.run("apt-get", "-s", "-qq", "-y", "install", *names)
            done = [line for line in printed.splitlines() if line.startswith(("Inst ", "Remv "))]
            out = folder / "apt" / arch
            out.parent.mkdir(exist_ok=True)
            version = subprocess.run(["apt-get", "--version"], capture_output=True, text=True, check=True)
            head = " ".join(version.stdout.split()[:2])
            out.write_text("\n".join([f"# {head}: apt-get -s install {' '.join(names)}", *done]) + "\n")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--snapshot", metavar="WHEN", help="of that moment, not of today")
    parser.add_argument("folder", type=Path)
    parser.add_argument("suite")
    parser.add_argument("names", nargs="+")
    given = parser.parse_args()
    where = named(given.suite)
    if not isinstance(where, Named):
        parser.error(f"{given.suite} is not a suite")
    now = datetime.now(UTC)
    service = Snapshots(Network(Cache(cache_dir()), now))
    if given.snapshot:
        archives = [name for pocket in where.suite.pockets if (name := moments.archive_of(pocket.uri))]
        at = moments.moment(archives, moments.when(given.snapshot, now), service.timestamps)
        where = where._replace(at=at)
    folder = given.folder.resolve()
    record(folder, where, given.names, Archive(Network(Cache(cache_dir()), now), snapshots=lambda: service))
    words = " ".join(given.names)
    text = f"FROM debian:{where.suite.codename}\nRUN apt-get update && apt-get install -y {words}\n"
    (folder / "Dockerfile").write_text(text)
    answers(folder, where._replace(at=None), given.names)


if __name__ == "__main__":
    main()
