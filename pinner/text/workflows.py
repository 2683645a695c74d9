"""GitHub workflows and composite actions, GitLab CI files → jobs.

GitHub docs, "Workflow syntax" and "Metadata syntax"; GitLab docs, "CI/CD YAML syntax reference".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pinner.text.scripts import Job, Step
from pinner.text.span import Span
from pinner.text.yamltext import Node

_RUNNER = re.compile(r"ubuntu-(\d\d\.\d\d)(-arm)?\Z")
_MATRIX = re.compile(r"\$\{\{\s*matrix\.([\w-]+)\s*\}\}")
_NOT_JOBS = frozenset(
    ["default", "include", "stages", "variables", "workflow", "image", "services", "cache", "types", "spec"]
)
_DEEPEST = 20


def github(root: Node) -> Iterator[Job]:
    """The jobs of a workflow, or the steps of a composite action."""
    shell = _default_shell(root)
    runs = root.get("runs")
    if runs is not None:
        yield _with_steps(Job("runs", runs.span, raw="of this action"), runs.get("steps"), shell)
        return
    for name, job in (root.get("jobs") or Node(root.span)).entries or ():
        base, raw, platform = _github_base(job)
        variables = [*_variables(root, "env"), *_variables(job, "env")]
        own = Job(name.text, Span(name.span.start, job.span.end), base, raw, platform, variables)
        # Without a container GitHub's runners have bash, which is what they use then.
        usual = "bash" if base.startswith("ubuntu:") and job.get("container") is None else ""
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
    return job


def _github_base(job: Node) -> tuple[str, str, str]:
    """The image that a job runs on ("" if unknown), as it is written, and its platform."""
    runner = job.get("runs-on")
    written = runner.text if runner is not None else ""
    if runner is not None and runner.items is not None and len(runner.items) == 1:
        written = runner.items[0].text
    name = _resolved(job, written)
    match = _RUNNER.match(name)
    platform = "" if match is None else "linux/arm64" if match[2] else "linux/amd64"
    container = job.get("container")
    if container is not None:
        image = container if container.entries is None else container.get("image")
        text = image.text if image is not None else ""
        return _resolved(job, text), text or "container", platform
    return f"ubuntu:{match[1]}" if match else "", written or "runs-on", platform


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


def gitlab(root: Node) -> Iterator[Job]:
    """The jobs of a GitLab CI file; a template (`.name`) that no job extends counts as one."""
    entries = {name.text: node for name, node in root.entries or () if node.entries is not None}
    starts = {name.text: name.span.start for name, _ in root.entries or ()}
    default = root.get("default") or Node(root.span)
    extended: set[str] = set()
    for node in entries.values():
        extended.update(_extends(node))
    for name, node in entries.items():
        if name in _NOT_JOBS or (name in extended and name.startswith(".")):
            continue
        image = _inherited(entries, node, "image") or root.get("image") or default.get("image")
        if image is not None and image.entries is not None:
            image = image.get("name")
        text = image.text if image is not None else ""
        job = Job(
            name, Span(starts[name], node.span.end), "" if "$" in text else text, text or "the runner's image"
        )
        job.variables = [*_variables(root, "variables"), *_variables(node, "variables")]
        for key in ("before_script", "script", "after_script"):
            found = _inherited(entries, node, key)
            if found is None and key != "script":
                found = default.get(key) or root.get(key)
            if found is not None:
                job.steps += map(Step, found.texts())
        yield job


def _extends(node: Node) -> list[str]:
    found = node.get("extends")
    return [each.text for each in found.texts()] if found is not None else []


def _inherited(entries: dict[str, Node], node: Node, key: str, depth: int = 0) -> Node | None:
    """What a job says of `key`, or what it extends says, the last first."""
    found = node.get(key)
    if found is not None or depth > _DEEPEST:
        return found
    merged = node.get("<<")
    if merged is not None:
        for each in merged.items or [merged]:
            if (own := each.get(key)) is not None:
                return own
    for name in reversed(_extends(node)):
        if name in entries and (own := _inherited(entries, entries[name], key, depth + 1)) is not None:
            return own
    return None
