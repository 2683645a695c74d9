"""Source packages as Sources files describe them, and what building one needs (Debian Policy 7.1 and 7.7). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pinner.apt.sources_list import stanzas
from pinner.errors import InputError
from pinner.regex import later
from pinner.values import NamedTuple

_RESTRICTED = later(r"(?P<relation>[^\[<]+)(?:\[(?P<archs>[^\]]*)\])?(?P<profiles>(?:\s*<[^<>]*>)*)\s*")
_FORMULA = later(r"<([^<>]*)>")
#: Debian's name of the CPU of an architecture, where that is not the architecture's own.
_CPUS = {"armhf": "arm", "armel": "arm"}


class SourcePackage(NamedTuple):
    """A version of a source package; `fields` are those of its stanza, names in lower case."""

    name: str
    version: str
    fields: Mapping[str, str]

    def needs(
        self, arch: str, parts: Iterable[str] = ("arch", "indep"), profiles: Iterable[str] = ()
    ) -> tuple[str, str]:
        """What has to be there on an architecture to build these parts, and what must not: relation fields.

        Raises `InputError` for a field that is none.
        """
        depends, conflicts = (
            ", ".join(
                filter(None, (_reduced(self.fields.get(f"{key}{part}", ""), arch, frozenset(profiles))
                for part in ("", *(f"-{each}" for each in parts))))
            )
            for key in ("build-depends", "build-conflicts")
        )  # fmt: skip
        return depends, conflicts


def read(text: str) -> Iterator[SourcePackage]:
    """The source packages of a text. Raises `InputError` for one that apt cannot read."""
    for _, fields in stanzas(text):
        if fields.get("package") and fields.get("version"):
            yield SourcePackage(fields["package"], fields["version"], fields)


def _reduced(field: str, arch: str, profiles: frozenset[str]) -> str:
    """A field without its restrictions, and without what they leave out."""
    clauses = (
        " | ".join(_kept(clause.split("|"), arch, profiles)) for clause in field.split(",") if clause.strip()
    )
    return ", ".join(filter(None, clauses))


def _kept(alternatives: Iterable[str], arch: str, profiles: frozenset[str]) -> Iterator[str]:
    for each in alternatives:
        match = _RESTRICTED.fullmatch(each.strip())
        if match is None:
            raise InputError(f"not a relation of a source package: {each.strip()!r}")
        archs, formulas = (match["archs"] or "").split(), _FORMULA.findall(match["profiles"])
        if (not archs or _is_for(arch, archs)) and (
            not formulas or any(_holds(formula.split(), profiles) for formula in formulas)
        ):
            yield match["relation"].strip()


def _is_for(arch: str, archs: Iterable[str]) -> bool:
    """Whether a list of architectures and wildcards, or of those that are left out, means one (Policy 11.1)."""
    own = {arch, "any", "linux-any", f"any-{_CPUS.get(arch, arch)}", f"linux-{_CPUS.get(arch, arch)}"}
    without = [each[1:] for each in archs if each.startswith("!")]
    return own.isdisjoint(without) if without else not own.isdisjoint(archs)


def _holds(terms: Iterable[str], profiles: frozenset[str]) -> bool:
    return all((term.removeprefix("!") in profiles) != term.startswith("!") for term in terms)
