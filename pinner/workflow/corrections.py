"""The smallest change that makes an install command work which apt could not carry out as it stands.

Tried in this order, each by the resolver: moving one pin to its candidate; moving them all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pinner.errors import Unsatisfiable
from pinner.recipe.installs import Request
from pinner.resolve.universe import Universe
from pinner.stages.archives import Archives
from pinner.stages.choice import Choice
from pinner.stages.install_commands import File, InstallCommand
from pinner.workflow.closure import Closures


def correct(
    file: File,
    call: InstallCommand,
    choices: Mapping[Request, Choice],
    platform: str,
    archives: Archives,
    closures: Closures,
) -> str:
    """What to do about a call that fails on a platform, as a hint; "" if no change of a pin helps."""
    try:
        universe = archives.universes(call)[platform]
    except Unsatisfiable:
        return ""
    for moved in _moves(call, choices, universe):
        changed = {**choices, **{request: choice for request, (choice, _) in moved.items()}}
        done = closures.of(file, changed, platform)[call.install.stage]
        if all(each.problem is None for each in done if each.call.install is call.install):
            names = " ".join(f"--package {request.name}" for request in moved)
            versions = (f"{choices[request].version} → {version}" for request, (_, version) in moved.items())
            return f"pinner refresh {names} fixes it ({', '.join(versions)})"
    return ""


def _moves(
    call: InstallCommand, choices: Mapping[Request, Choice], universe: Universe
) -> Iterator[dict[Request, tuple[Choice, str]]]:
    """Changes of pins to candidates, each with the candidate's version: one pin alone, then all."""
    each: dict[Request, tuple[Choice, str]] = {}
    for request in call.requests:
        candidate = universe.candidate(request.name) if choices[request].status == "kept" else None
        if candidate is not None and universe.match(request.name, choices[request].version) is not candidate:
            each[request] = Choice("kept", candidate.version), candidate.version
    for request, move in each.items():
        yield {request: move}
    if len(each) > 1:
        yield each
