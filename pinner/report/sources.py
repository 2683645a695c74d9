"""What apt reads at the install commands of files, from where that is known, and who signs it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pinner.apt.sources import Keys
from pinner.distributions import repositories
from pinner.distributions.catalogue import PLATFORMS
from pinner.errors import printable, without_login
from pinner.report.diagnostic import fields
from pinner.report.terminal import Style
from pinner.stages.image_names import Alias, Named
from pinner.stages.install_commands import File, InstallCommand
from pinner.stages.repositories import default, in_order
from pinner.stages.sources import at_moment
from pinner.values import NamedTuple

_FEW = 6  # globs of names that a line shows


class Read(NamedTuple):
    """A source that apt reads: `path` is the file that names it, `known` its name in the catalogue, if it has one."""

    uri: str
    suite: str
    components: tuple[str, ...]
    path: str
    signed_by: Keys
    known: str


def of_call(call: InstallCommand) -> dict[Read, list[str]]:
    """The sources of a call's stage in apt's order, each with the architectures that it is read for."""
    where = call.base.where
    found: dict[Read, list[str]] = {}
    if not isinstance(where, Named):
        return found
    for arch in dict.fromkeys((*(PLATFORMS[name] for name in call.base.platforms), *call.architectures)):
        listed = where.listed
        for each in (
            default(where.suite, where.distribution, arch, where.variant)
            if listed is None
            else in_order(listed)
        ):
            source = each.source(arch)
            source = source and at_moment(source, where.at)
            if source is not None:
                row = repositories.find(each.entry.uri, each.entry.suite)
                uri = without_login(source.uri)
                read = Read(
                    uri, source.suite, source.components, each.path, source.signed_by, row.name if row else ""
                )
                found.setdefault(read, []).append(arch)
    return found


def signers(keys: Keys) -> str:
    """Who may sign, for people: the whole fingerprints, or a keyring."""
    return ", ".join(keys.fingerprints) or keys.keyring.rpartition("/")[2]


def lines(files: Sequence[File], style: Style) -> Iterator[str]:
    """A line for each call, one for each source, and one for what apt may read beside these."""
    for file in files:
        for call in file.calls():
            line, column = file.lines.position(call.install.span.start)
            stage = printable(file.stage_name(call.install.stage))
            yield f"{printable(file.path)}:{line}:{column}  stage {stage}  {call.install.command}"
            where = call.base.where
            if not isinstance(where, Named):
                unknown = f"the archive's {where.name}" if isinstance(where, Alias) else where.why
                yield f"  {style.paint('not known', '33')}: {printable(unknown)}"
            for read, archs in of_call(call).items():
                words = (read.uri, read.suite, *read.components, f"[{','.join(archs)}]")
                named = f"  in {read.path}" if read.path else ""
                known = f" ({read.known})" if read.known else ""
                yield f"  {printable(' '.join(words))}{printable(named)}  signed by {signers(read.signed_by)}{known}"
            for doubt in call.doubts:
                names = ", ".join(doubt.serves[:_FEW]) + ("…" if len(doubt.serves) > _FEW else "")
                about = f" ({printable(names)})" if names else ""
                yield f"  {style.paint('not read', '33')}: {printable(doubt.why)}{about}"


def to_dicts(call: InstallCommand) -> Iterable[dict[str, Any]]:
    """The sources of a call for JSON."""
    for read, archs in of_call(call).items():
        yield {
            **fields(read, "uri suite"),
            "components": list(read.components),
            "architectures": archs,
            "path": read.path,
            "keyring": "" if read.signed_by.fingerprints else read.signed_by.keyring,
            "fingerprints": list(read.signed_by.fingerprints),
            "known": read.known,
        }
