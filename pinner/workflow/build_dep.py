"""`apt-get build-dep`: what source packages need to be built, as `apt-get satisfy` takes it (apt-get(8))."""

from __future__ import annotations

from pinner.apt.source_packages import SourcePackage
from pinner.apt.version import key
from pinner.errors import InputError, Refused, Unsatisfiable
from pinner.resolve.universe import Universe
from pinner.shell.content import UNKNOWN
from pinner.stages.archives import Archives
from pinner.stages.image_names import Named
from pinner.stages.steps import LockedCommand, option, value

# What is always there where packages are built (APT::Build-Essential).
_ESSENTIAL = "build-essential"


def as_satisfy(step: LockedCommand, universe: Universe, archives: Archives, where: Named) -> LockedCommand:
    """The command as one that satisfies what the source packages need. Raises `Unsatisfiable`, where there are no
    sources of source packages too, and `Refused` for what is not followed."""
    if not where.source_packages:
        raise Unsatisfiable("apt has no sources of source packages (deb-src) here")
    if value(step.settings, "APT::Get::Host-Architecture"):
        raise Refused("building for another architecture is not followed")
    parts = [
        part
        for part, other in (("arch", "Indep"), ("indep", "Arch"))
        if not option(step.settings, f"APT::Get::{other}-Only")
    ]
    profiles = value(step.settings, "APT::Build-Profiles").split(",")
    words = [_ESSENTIAL]
    for word in step.words:
        if UNKNOWN in word or word.startswith((".", "/")) or word.endswith(".dsc"):
            raise Refused(f"what {word.replace(UNKNOWN, '…')} needs to be built is not read")
        found = _package(word, value(step.settings, "APT::Default-Release"), universe, archives, where)
        try:
            depends, conflicts = found.needs(universe.arch, parts, profiles)
        except InputError as error:
            raise Refused(f"{found.name} {found.version}: {error.message}") from None
        words += filter(None, (depends, conflicts and f"Conflicts: {conflicts}"))
    return step._replace(verb="satisfy", words=tuple(words))


def _package(word: str, release: str, universe: Universe, archives: Archives, where: Named) -> SourcePackage:
    """The source package that a word means: its highest version, as far as the word and `-t` leave a choice."""
    name, _, version = word.partition("=")
    name, slash, said = name.partition("/")
    release = said if slash else release
    found = list(archives.source_packages(where, name))
    if not found and (candidate := universe.candidate(name)):  # a binary package means its source
        found = list(archives.source_packages(where, candidate.package.source or name))
    wanted = [each for each in found if release in (each[1].release.suite, each[1].release.codename)]
    wanted = wanted if release and not version else []
    if wanted or slash:
        found = wanted
    fitting = [package for package, _ in found if version in ("", package.version)]
    if not fitting:
        raise Unsatisfiable(f"there is no source package {word}")
    return max(fitting, key=lambda package: key(package.version))
