"""CircleCI's configuration → jobs (CircleCI docs, "Configuration reference", "Reusing config")."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pinner.edit.span import Span
from pinner.recipe import scripts
from pinner.recipe.dockerfile import Dockerfile
from pinner.recipe.formats import yamltext
from pinner.recipe.formats.yamltext import Node
from pinner.recipe.scripts import Job, Step
from pinner.regex import later

if TYPE_CHECKING:
    from pinner.recipe.kinds import Around

_EXPRESSION = later(r"<<\s*(?:parameters|pipeline|matrix)\.[\w.-]+\s*>>")
_DEEPEST = 8


def read(text: str, around: Around) -> Dockerfile:
    """The jobs and commands of the file. Raises `InputError`."""
    root = yamltext.parse(text)
    return scripts.jobs(text, _jobs(root, text) if root is not None else iter(()), root)


def _jobs(root: Node, text: str) -> Iterator[Job]:
    executors = root.get("executors")
    seen: set[int] = set()  # an alias is the node that it means, whose words stand in one place
    for section in ("jobs", "commands"):
        found = root.get(section)
        for name, node in (found.entries if found is not None else None) or ():
            image, runner = _base(node, executors)
            variables = [
                each for holder in (node,) if (own := holder.get("environment")) for each in own.entries or ()
            ]
            job = Job(name.text, Span(name.span.start, node.span.end), image, image or "of this job")
            job.variables, job.runner = variables, runner
            steps = (each for each in _steps(node.get("steps"), 0) if each.text.source == text)
            job.steps = [each for each in steps if id(each.text) not in seen]
            seen.update(id(each.text) for each in job.steps)
            yield job


def _base(job: Node, executors: Node | None) -> tuple[str, str]:
    """The image of a job ("" if it is not known), and the machine that it runs on instead."""
    node = job
    executor = job.get("executor")
    if executor is not None and executors is not None:
        named = executor.get("name") if executor.entries is not None else executor
        node = (executors.get(named.text) if named is not None else None) or job
    docker = node.get("docker")
    if docker is not None and docker.items:
        image = docker.items[0].get("image")
        text = image.text if image is not None else ""
        return "" if "<<" in text or "$" in text else text, ""
    machine = node.get("machine")
    if machine is not None:
        image = machine.get("image") if machine.entries is not None else None
        return "", image.text if image is not None and image.text else "machine"
    return "", ""


def _steps(steps: Node | None, depth: int) -> Iterator[Step]:
    for step in (steps.items if steps is not None else None) or ():
        if step.items is not None and depth < _DEEPEST:
            yield from _steps(step, depth + 1)
            continue
        for key in ("when", "unless"):
            if (own := step.get(key)) is not None and depth < _DEEPEST:
                yield from _steps(own.get("steps"), depth + 1)
        run = step.get("run")
        if run is None:
            continue
        command = run.get("command") if run.entries is not None else run
        if command is None or command.items is not None or command.entries is not None:
            continue
        shell = run.get("shell")
        program = shell.text.partition(" ")[0].rpartition("/")[2] if shell is not None else "bash"
        own = run.get("environment")
        variables = tuple(own.entries or ()) if own is not None else ()
        yield Step(command, program, variables, hidden=_EXPRESSION)
