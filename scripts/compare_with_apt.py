"""Compares the resolver with real apt: `apt-get install` of the suite's own apt, in a root made by debootstrap.

    scripts/compare_with_apt --suite resolute --seed 7 --count 300 --sets 100 --pairs 200

Draws names, sets of 2 to 15 names in random order, and pairs of packages that conflict (`--seed`), asks both, each with
and without Recommends, and prints every difference and the agreement. Same means: the same exit status and the same
set of name=version, old version and removal. apt prints what it would do and stops (`--print-uris`), which is ten times
as fast as `-s` where there is much to install. The indices are apt's own lists files, the starting set is what
debootstrap installed. `--option` is one of apt's, say APT::AutoRemove::SuggestsImportant=false. With `--states` each
call is made in a root of its own that holds more packages, some of them held or in an older or newer version.

A root is made as `--roots`/SUITE if it is not there, which needs debootstrap, root and the network.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from itertools import product
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pinner.apt import installed, preferences
from pinner.apt import release as releases
from pinner.apt.packages import Package
from pinner.apt.sources import Source
from pinner.archive.cache import Cache
from pinner.archive.index import SqliteIndex
from pinner.archive.store import build
from pinner.distributions.catalogue import suite_named
from pinner.distributions.suite import Distribution, Suite
from pinner.errors import PinnerError, Unsatisfiable
from pinner.resolve.marks import Marks
from pinner.resolve.resolution import ResolvedArgument
from pinner.resolve.solver import solve
from pinner.resolve.universe import Universe

KEYRINGS = Path(__file__).resolve().parent.parent / "pinner" / "distributions"
SCRIPTS = Path("/usr/share/debootstrap/scripts")
HELD = 0.05  # of the packages of a state
IMPORTANT = "APT::AutoRemove::SuggestsImportant=false"

# A heading of apt's summary, then `   name (new)`, `   name (old => new)` or, for what is removed, `   name (old)`.
HEADING = re.compile(r"^The following.* packages will be (installed|upgraded|DOWNGRADED|REMOVED):$")
LINE = re.compile(r"^   (\S+?)\*? \((?:(\S+) => )?(\S+)\)$")

#: The exit status, and each name with its old and its new version, "" where there is none.
Outcome = tuple[int, frozenset[tuple[str, str, str]]]


@dataclass(frozen=True)
class Root:
    """A root for apt's own configuration and lists (apt.conf(5)) within the debootstrapped `chroot`."""

    chroot: Path
    options: tuple[str, ...]
    inside: Path

    @property
    def path(self) -> Path:
        """From outside."""
        return self.chroot / self.inside.relative_to("/")

    def apt(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of apt in the root."""
        return subprocess.run(
            ["chroot", str(self.chroot), "env", f"APT_CONFIG={self.inside}/apt.conf", "LC_ALL=C", *arguments],
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    def simulate(self, words: Sequence[str], state: str, *, recommends: bool) -> Outcome:
        """What `apt-get install` of these words would do, in the root's own or another `state`."""
        option = "--install-recommends" if recommends else "--no-install-recommends"
        told = [f"-o{each}" for each in self.options]
        if state:
            told += [f"--allow-{each}" for each in ("downgrades", "change-held-packages", "remove-essential")]
            place = f"{self.inside}/states/{state}"
            told += [
                f"-oDir::State::status={place}/status",
                f"-oDir::State::extended_states={place}/automatic",
            ]
            told.append("-oDir::Cache::pkgcache=")
        ran = self.apt("apt-get", "-y", "-V", "--print-uris", option, *told, "install", *words)
        steps, heading = set(), ""
        for line in ran.stdout.splitlines() if ran.returncode == 0 else ():
            if not line.startswith(" "):
                found = HEADING.match(line)
                heading = found[1] if found and "additional" not in line else ""
            elif heading:
                entry = LINE.match(line)
                assert entry is not None, line
                name, old, new = entry.groups(default="")
                steps.add((name, "", "") if heading == "REMOVED" else (name, old, new))
        return ran.returncode, frozenset(steps)


def sources(distribution: Distribution, suite: Suite, arch: str) -> list[Source]:
    """Those of the official images, in their order."""
    return [
        Source(pocket.address(arch), pocket.suite, distribution.components, arch, suite.signed_by)
        for pocket in suite.pockets
    ]


def other_state(universe: Universe, names: Sequence[str], dice: random.Random) -> Universe:
    """A root with some more packages, where nothing is broken; some are held, some have another version."""
    packages = universe.packages
    try:
        wanted = [universe.select(name) for name in dice.sample(names, dice.randint(2, 8))]
        packages = solve(universe, [ResolvedArgument(offer) for offer in wanted], recommends=False).after
    except Unsatisfiable:
        pass
    for place in dice.sample(range(len(packages)), 8):
        package = packages[place]
        others = [offer.package for offer in universe.versions(package.name)]
        others.append(package._replace(version=f"{package.version}+newer"))
        other = dice.choice(others)._replace(automatic=package.automatic)
        changed = (*packages[:place], other, *packages[place + 1 :])
        marks = Marks(universe.with_installed(changed), recommends=False, suggests=False)
        packages = packages if marks.all_broken() else changed
    return universe.with_installed(each._replace(held=dice.random() < HELD) for each in packages)


def write_state(folder: Path, packages: Sequence[Package]) -> None:
    """dpkg's status and apt's extended states of a root that holds these packages."""
    folder.mkdir(parents=True, exist_ok=True)
    stanzas = []
    for each in packages:
        fields = {
            "Package": each.name,
            "Status": f"{'hold' if each.held else 'install'} ok installed",
            "Source": f"{each.source} ({each.source_version})",
            "Essential": "yes" if each.essential else "",
            "Important": "yes" if each.important else "",
            "Multi-Arch": each.multi_arch if each.multi_arch != "no" else "",
        }
        for name in ("Version", "Architecture", "Priority", "Installed-Size", "Pre-Depends", "Depends", "Recommends",
                     "Suggests", "Conflicts", "Breaks", "Replaces", "Provides"):  # fmt: skip
            fields[name] = getattr(each, name.lower().replace("-", "_"))
        stanzas.append("".join(f"{name}: {value}\n" for name, value in fields.items() if value))
    (folder / "status").write_text("\n".join(stanzas) + "\n")
    (folder / "automatic").write_text(
        "".join(
            f"Package: {each.name}\nArchitecture: {each.architecture}\nAuto-Installed: 1\n\n"
            for each in packages
            if each.automatic
        )
    )


def make_root(root: Root, listed: Sequence[Source], architectures: Sequence[str]) -> None:
    """Make the root with its sources and apt's lists, where it is not there."""
    arch, inside = architectures[0], root.inside
    keyring = KEYRINGS / f"{listed[0].signed_by.keyring}.pgp"
    if not (root.chroot / "usr/bin/apt-get").exists():
        script = next(name for name in (listed[0].suite, "gutsy" if "ubuntu" in keyring.name else "sid")
                      if (SCRIPTS / name).exists())  # fmt: skip
        with tempfile.TemporaryDirectory() as scratch:
            key = binary(keyring, Path(scratch, "key.gpg"))
            run(
                "debootstrap", "--variant=minbase", f"--arch={arch}", f"--keyring={key}", listed[0].suite,
                str(root.chroot), listed[0].uri, str(SCRIPTS / script),
            )  # fmt: skip
    path = root.path
    if (path / "apt.conf").exists():
        return
    for folder in ("etc/apt/apt.conf.d", "etc/apt/preferences.d", "var/lib/apt/lists/partial",
                   "var/cache/apt/archives/partial", "var/lib/dpkg"):  # fmt: skip
        (path / folder).mkdir(parents=True, exist_ok=True)
    status = (root.chroot / "var/lib/dpkg/status").read_bytes()
    (path / "var/lib/dpkg/status").write_bytes(status)
    binary(keyring, path / "key.gpg")
    (path / "etc/apt/sources.list").write_text(
        "".join(
            f"deb [signed-by={inside}/key.gpg] {each.uri} {each.suite} {' '.join(each.components)}\n"
            for each in listed
        )
    )
    (path / "apt.conf").write_text(
        f'Dir "{inside}"; Dir::State::status "{inside}/var/lib/dpkg/status";\n'
        'Dir::Etc::main "/dev/null"; Dir::Etc::parts "/dev/null"; APT::Sandbox::User "root";\n'
        f'APT::Architecture "{arch}"; Acquire::Languages "none";\n'
        f"APT::Architectures {{ {' '.join(f'{chr(34)}{each}{chr(34)};' for each in architectures)} }};\n"
        'APT::Get::List-Cleanup "0"; Debug::NoLocking "1"; Acquire::Check-Valid-Until "false";\n'
    )
    for name in ("etc/resolv.conf", "etc/hosts"):
        Path(root.chroot, name).write_bytes(Path("/", name).read_bytes())
    updated = root.apt("apt-get", "update", "-qq", "-oAPT::Update::Error-Mode=any")
    if updated.returncode:
        (path / "apt.conf").unlink()
        sys.exit(updated.stderr)


def binary(keyring: Path, path: Path) -> Path:
    """Write a keyring without armour, as debootstrap and apt take it."""
    run("gpg", "--yes", "--output", str(path), "--dearmor", str(keyring))
    return path


def run(*command: str) -> str:
    """The standard output of a command that must succeed."""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def load_indexes(
    root: Root, work: Path, listed: Sequence[Source], architectures: Sequence[str]
) -> list[SqliteIndex]:
    """apt's lists files in the order of the sources."""
    indexes = []
    for source in listed:
        place = source.uri.partition("://")[2].rstrip("/").replace("/", "_")
        stem = root.path / "var/lib/apt/lists" / f"{place}_dists_{source.suite}_"
        signed = Path(f"{stem}InRelease").read_bytes()
        body = signed.partition(b"\n\n")[2].partition(b"\n-----BEGIN PGP SIGNATURE")[0]
        for component, arch in product(source.components, architectures):
            packages = Path(f"{stem}{component}_binary-{arch}_Packages")
            text = packages.read_bytes() if packages.exists() else b""
            digest = sha256(text).hexdigest()
            store = work / f"{digest}.sqlite"

            def rebuild(text: bytes = text, digest: str = digest, store: Path = store) -> None:
                store.unlink(missing_ok=True)
                build([text], digest, store)

            if not store.exists():
                rebuild()
            indexes.append(
                SqliteIndex(
                    store,
                    source=source._replace(components=(component,), arch=arch),
                    component=component,
                    release=releases.parse(body.decode()),
                    release_sha256=sha256(signed).hexdigest(),
                    rebuild=rebuild,
                    cache=Cache(work),
                )
            )
    return indexes


def resolve(
    universe: Universe, words: Sequence[str], *, recommends: bool, important: bool
) -> tuple[Outcome, str]:
    """Our outcome in apt's words, and the message if there is one."""
    try:
        asked = [asked_for(universe, word) for word in words]
        resolution = solve(universe, asked, recommends=recommends, suggests_important=important)
    except Unsatisfiable as error:
        return (100, frozenset()), str(error)
    steps = {
        (one.offer.name, one.replaces.version if one.replaces else "", one.offer.version)
        for one in resolution.chosen
    }
    steps |= {(gone.name, "", "") for gone in resolution.removed}
    return (0, frozenset(steps)), ""


def asked_for(universe: Universe, word: str) -> ResolvedArgument:
    """`name`, `name=version`, `name/release` or `name-` as apt takes it."""
    if word.endswith("-") and not universe.versions(word):
        name = word[:-1]
        return ResolvedArgument(universe.installed(name) or universe.select(name), remove=True)
    name, _, text = word.partition("=")
    name, _, release = name.partition("/")
    return ResolvedArgument(universe.select(name, version_text=text, release=release), release=release)


def show(words: Sequence[str], recommends: bool, theirs: Outcome, ours: Outcome, message: str) -> None:
    """Print one difference."""
    print(f"\n{'recommends' if recommends else 'bare'}: {' '.join(words)}")
    print(f"  exit status: apt {theirs[0]}, pinner {ours[0]} {message}")
    for title, steps in (("apt only", theirs[1] - ours[1]), ("pinner only", ours[1] - theirs[1])):
        texts = [f"{name}={new}" if new else f"{name} (removed)" for name, _, new in steps]
        if texts:
            print(
                f"  {title}: {' '.join(sorted(texts)[:12])}{f' … {len(texts)} in all' if len(texts) > 12 else ''}"
            )


def draw(names: Sequence[str], dice: random.Random, count: int, sets: int) -> list[tuple[str, ...]]:
    """The calls to compare: single names, then sets."""
    singles = [(name,) for name in dice.sample(names, min(count, len(names)))]
    return singles + [tuple(dice.sample(names, dice.randint(2, 15))) for _ in range(sets)]


def conflicts(
    universe: Universe, names: Sequence[str], dice: random.Random, count: int
) -> Iterator[tuple[str, str]]:
    """Pairs of packages one of which excludes the other, in either order."""
    while count > 0:
        offer = universe.candidate(dice.choice(names))
        needs = universe.needs(offer) if offer is not None else ()
        enemies = {
            other.name
            for need in needs
            if need.negative
            for options in need.options
            for other in options
            if universe.candidate(other.name) is other
        }
        if offer is not None and enemies:
            pair = [offer.name, dice.choice(sorted(enemies))]
            dice.shuffle(pair)
            yield pair[0], pair[1]
            count -= 1


def main() -> int:
    """Compare, print, and return 1 if there was a difference."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--suite", default="bookworm")
    parser.add_argument("--arch", default="amd64")
    parser.add_argument(
        "--foreign", action="append", default=[], metavar="ARCH", help="a second architecture"
    )
    parser.add_argument("--release-alone", action="store_true", help="without -updates and -security")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=200, help="single names")
    parser.add_argument("--sets", type=int, default=50, help="sets of 2 to 15 names")
    parser.add_argument("--pairs", type=int, default=0, help="pairs that conflict")
    parser.add_argument(
        "--recommends", action=argparse.BooleanOptionalAction, help="default: with and without"
    )
    parser.add_argument("--option", action="append", default=[], metavar="KEY=VALUE", help="of apt's")
    parser.add_argument("--states", action="store_true", help="another root for each call")
    parser.add_argument("--target-release", default="", metavar="SUITE", help="apt's -t; one more source")
    parser.add_argument("--preferences", type=Path, metavar="FILE", help="of apt_preferences(5)")
    parser.add_argument("--roots", type=Path, default=Path(tempfile.gettempdir()) / "pinner-roots")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "pinner-compare")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("words", nargs="*", help="compare this one call instead")
    options = parser.parse_args()

    known = suite_named(options.suite)
    if known is None:
        parser.error(f"{options.suite} is no suite that pinner knows")
    options.work.mkdir(parents=True, exist_ok=True)
    options.roots.mkdir(parents=True, exist_ok=True)
    architectures = [options.arch, *options.foreign]
    listed = sources(*known, options.arch)
    if options.release_alone:
        listed = listed[:1]
    target = options.target_release
    listed = [
        Source(
            pocket.address(options.arch), pocket.suite, known[0].components, options.arch, known[1].signed_by
        )
        for pocket in known[1].variants.values()
        if pocket.suite == target
    ] + listed
    inside = Path(
        f"/compare-{'-'.join(architectures)}{'-release' * options.release_alone}{target and f'-{target}'}"
    )
    pins = options.preferences.read_text() if options.preferences else ""
    if target:
        options.option.append(f"APT::Default-Release={target}")
    root = Root(options.roots.resolve() / options.suite, tuple(options.option), inside)
    make_root(root, listed, architectures)
    if pins:
        (root.path / "pins").write_text(pins)
        options.option.append(f"Dir::Etc::preferences={inside}/pins")
        root = Root(root.chroot, tuple(options.option), inside)
    indexes = load_indexes(root, options.work, listed, architectures)
    status = (root.path / "var/lib/dpkg/status").read_text()
    universe = Universe(
        indexes,
        arch=options.arch,
        foreign=options.foreign,
        installed=installed.packages(status),
        target_release=target,
        preferences=preferences.read("preferences", pins),
    )
    print(
        root.apt("apt-get", "--version").stdout.splitlines()[0],
        f"{len(universe.packages)} packages installed",
    )
    if options.words:
        calls: list[tuple[str, ...]] = [tuple(options.words)]
    else:
        names, dice = (
            sorted({name for index in indexes for name in index.names()}),
            random.Random(options.seed),
        )
        if options.foreign:
            names += [
                f"{name}:{arch}"
                for arch in options.foreign
                for name in names
                if universe.versions(f"{name}:{arch}")
            ]
        calls = draw(names, dice, options.count, options.sets)
        calls += conflicts(universe, names, dice, options.pairs)
    modes = (True, False) if options.recommends is None else (options.recommends,)
    jobs = []
    for number, words in enumerate(calls):
        here, state = universe, ""
        if options.states:
            here, state = other_state(universe, names, dice), f"{options.seed}-{number}"
            there = dice.sample([each.name for each in here.packages], 2)
            words = dice.choice([words, (*words, there[0]), (*words, there[0], f"{there[1]}-")])
            write_state(root.path / "states" / state, here.packages)
        jobs += [(here, state, words, recommends) for recommends in modes]
    same, refused, spent = 0, 0, timedelta()
    with ThreadPoolExecutor(options.jobs) as pool:
        outcomes = pool.map(lambda job: root.simulate(job[2], job[1], recommends=job[3]), jobs)
        for (here, _, words, recommends), theirs in zip(jobs, outcomes, strict=True):
            started = time.perf_counter()
            ours, message = resolve(
                here, words, recommends=recommends, important=IMPORTANT not in options.option
            )
            spent += timedelta(seconds=time.perf_counter() - started)
            if ours == theirs:
                same += 1
            else:
                refused += ours[0] != 0
                show(words, recommends, theirs, ours, message)
                sys.stdout.flush()
    wrong = len(jobs) - same - refused  # fine where apt fails, or another set
    print(f"\n{same} of {len(jobs)} identical ({same / len(jobs):.2%}), {refused} refused, {wrong} wrong")
    print(f"pinner {spent / len(jobs) / timedelta(milliseconds=1):.1f} ms a call")
    return int(same != len(jobs))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except PinnerError as error:
        sys.exit(str(error))
