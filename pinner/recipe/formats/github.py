"""GitHub workflows and composite actions → jobs (GitHub docs, "Workflow syntax" and "Metadata syntax")."""

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

_RUNNER = later(r"ubuntu-(?:(\d\d\.\d\d)|latest)(-arm)?\Z")
# Actions that install packages, and the inputs that name these.
_APT_ACTION = later(r"\bapt(?![a-z])")
_OF_APT = r"apt(?:[-_](?:get|install|packages?|pkgs|dependencies|deps))?"
_APT_INPUT, _INPUT = later(_OF_APT), later(rf"packages?|pkgs|tools|install|dependencies|{_OF_APT}")
_MATRIX = later(r"\$\{\{\s*matrix\.([\w-]+)\s*\}\}")


def read(text: str, around: Around) -> Dockerfile:
    """A workflow or an action. Raises `InputError`."""
    root = yamltext.parse(text)
    return scripts.jobs(text, _jobs(root) if root is not None else iter(()), root)


def _jobs(root: Node) -> Iterator[Job]:
    """The jobs of a workflow, or the steps of a composite action."""
    shell = _default_shell(root)
    runs = root.get("runs")
    if runs is not None:
        yield _with_steps(Job("runs", runs.span, raw="of this action"), runs.get("steps"), shell)
        return
    for name, job in (root.get("jobs") or Node(root.span)).entries or ():
        base, raw, platform = _base(job)
        runner = _runner(job, raw) if job.get("container") is None else ""
        variables = [*_variables(root, "env"), *_variables(job, "env")]
        own = Job(name.text, Span(name.span.start, job.span.end), base, raw, platform)
        own.variables += variables
        own.runner = runner
        # Without a container GitHub's runners have bash, which is what they use then.
        usual = "bash" if runner else ""
        yield _with_steps(own, job.get("steps"), _default_shell(job) or shell or usual)


def _default_shell(node: Node) -> str:
    for key in ("defaults", "run", "shell"):
        found = node.get(key)
        if found is None:
            return ""
        node = found
    return node.text


def _variables(node: Node, key: str) -> tuple[tuple[Node, Node], ...]:
    found = node.get(key)
    return tuple(found.entries or ()) if found is not None else ()


def _with_steps(job: Job, steps: Node | None, shell: str) -> Job:
    for step in (steps.items if steps is not None else None) or ():
        run = step.get("run")
        if run is not None and run.items is None and run.entries is None:
            own = step.get("shell")
            program = (own.text if own is not None else shell).partition(" ")[0]
            job.steps.append(Step(run, program, _variables(step, "env")))
        action = uses.text if (uses := step.get("uses")) is not None else ""
        lists = _INPUT if _APT_ACTION.search(action) else _APT_INPUT
        for key, value in _variables(step, "with") if action else ():
            if value.text and lists.fullmatch(key.text):
                why = f"{action} installs the packages under {key.text}"
                job.steps.append(Step(value, unread=("other-key", why)))
    return job


def _base(job: Node) -> tuple[str, str, str]:
    """The image that a job runs on ("" if it has none, or it is unknown), what it is called, and its platform.

    A hosted runner is no image: it holds newer packages than that of its Ubuntu, from repositories of its own.
    """
    runner = job.get("runs-on")
    written = runner.text if runner is not None else ""
    if runner is not None and runner.items is not None and len(runner.items) == 1:
        written = runner.items[0].text
    name = _resolved(job, written)
    match = _RUNNER.match(name)
    platform = "" if match is None or not match[1] else "linux/arm64" if match[2] else "linux/amd64"
    container = job.get("container")
    if container is not None:
        image = container if container.entries is None else container.get("image")
        text = image.text if image is not None else ""
        return _resolved(job, text), text or "container", platform
    return "", name if match else written or "runs-on", platform


def _runner(job: Node, written: str) -> str:
    """The hosted machine that a job runs on, or one of them, if it has an Ubuntu; "" for any other."""
    match = _MATRIX.fullmatch(written)
    names = sorted(_matrix(job, match[1])) if match else [written]
    return next((name for name in names if _RUNNER.match(name)), "")


def _resolved(job: Node, text: str) -> str:
    """`text`, its `${{ matrix.x }}` replaced where all of the matrix agree; "" if something in it is not known."""
    for match in _MATRIX.finditer(text):
        values = _matrix(job, match[1])
        if len(values) != 1:
            return ""
        text = text.replace(match[0], values.pop())
    return "" if "${{" in text else text


def _matrix(job: Node, key: str) -> set[str]:
    strategy = job.get("strategy")
    matrix = strategy.get("matrix") if strategy is not None else None
    values: set[str] = set()
    if matrix is None:
        return values
    own = matrix.get(key)
    if own is not None:
        values |= {node.text for node in own.items or [own]}
    include = matrix.get("include")
    for entry in (include.items if include is not None else None) or ():
        if (value := entry.get(key)) is not None:
            values.add(value.text)
    return values
