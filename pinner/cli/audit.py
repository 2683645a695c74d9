"""`pinner audit`."""

from __future__ import annotations

from pathlib import Path

import click

from pinner.archive.network import MAX_AGE
from pinner.cli import document, flags, locked
from pinner.distributions.catalogue import PLATFORMS
from pinner.errors import InputError, printable
from pinner.lock.schema import Target
from pinner.project import files
from pinner.session.installed import configured, read_installed
from pinner.session.run import Asked, Run
from pinner.stages.starting_set import Root
from pinner.workflow.audit import Audit, audit
from pinner.workflow.export import named as name_of


@click.command("audit")
@click.option(
    "--installed",
    required=True,
    metavar="FILE",
    help="What the built image holds: dpkg's status file, or the output of dpkg-query -W; - is standard input.",
)
@click.option(
    "--base", default="", metavar="FILE", help="What the base image held: the --installed of pinner lock."
)
@flags.options(locked.BUILT, flags.IMAGES, flags.JSON)
@click.option("-q", "--quiet", is_flag=True, help="Print only what differs.")
@flags.into("asked", Asked, ("images", "image_archives", "insecure"))
def command(
    installed: str, base: str, loaded: locked.LoadedLock, asked: Asked, as_json: bool, quiet: bool
) -> int:
    """Compare what a built image holds with the lock; exits 1 if anything differs.

    The platform is that of the image. Where the lock has several stages, --stage says which one was built.
    """
    image = read_installed(installed)
    targets = [target for target in loaded.targets if PLATFORMS[target.platform] == image.arch]
    if not targets:
        raise InputError(
            f"lists packages of {image.arch}, and the lock has no such platform there",
            path=installed,
            hint=f"it has {'; '.join(map(name_of, loaded.targets))}",
        )
    if len(targets) > 1:
        hint = f"choose with --file and --stage: {'; '.join(map(name_of, targets))}"
        raise InputError("which one was built? The lock has several that may be meant", hint=hint)
    result = audit(loaded.lock, targets[0], image, _base(base, loaded, targets[0], asked))
    if as_json:
        path = files.relative(loaded.path.parent / result.target.file, Path.cwd())
        document.show(int(result.fails), _json(result, path))
    else:
        for line in _lines(result, quiet=quiet):
            click.echo(printable(line))
    return int(result.fails)


def _base(path: str, loaded: locked.LoadedLock, target: Target, asked: Asked) -> Root | None:
    """The starting set that the lock names: as given, or that of the configuration, or that of the image itself,
    which is read as it is `asked`."""
    if path:
        return read_installed(path)
    target = loaded.lock.chain(target)[-1]
    paths = dict.fromkeys(name for names in loaded.config.installed.values() for name in names)
    found_root = next(
        (root for root in map(configured, paths) if root.label == target.closure.installed), None
    )
    if found_root or not (target.closure.digest or asked.image_archives):
        return found_root
    run = Run(asked, access=flags.access(quiet=False, max_age=MAX_AGE))
    content = run.look(loaded.config, loaded.lock)(target.closure.image, target.platform)
    flags.tell(run.notes, quiet=False)
    return None if run.notes or content is None else content.root


def _json(result: Audit, path: str) -> dict[str, object]:
    target = result.target
    return {
        "file": path,
        "stage": target.stage,
        "platform": target.platform,
        "equal": result.equal,
        "differing": [each._asdict() for each in result.differing],
        "missing": [{"name": name, "locked": version} for name, version in result.missing],
        "extra": [{"name": name, "found": version} for name, version in result.extra],
        "incomplete": list(result.gaps),
    }


def _lines(result: Audit, *, quiet: bool) -> list[str]:
    lines = [f"differs  {each.name}  {each.found} instead of {each.locked}" for each in result.differing]
    lines += [f"missing  {name}  {version}" for name, version in result.missing]
    lines += [f"extra    {name}  {version}" for name, version in result.extra]
    if not quiet:
        lines.append(
            f"{name_of(result.target)}: {result.equal} equal, {len(result.differing)} differing, "
            f"{len(result.missing)} missing, {len(result.extra)} extra"
        )
    return lines
