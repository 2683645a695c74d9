"""GitLab CI files → jobs (GitLab docs, "CI/CD YAML syntax reference", "Optimize GitLab CI/CD configuration files").

A job's keywords come, the strongest first, from itself, from what it extends, and from `default` or the top. Files that
are included stand below the file that includes them. References are resolved after `extends`. What comes from elsewhere
makes unknown what it may decide.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from pinner.edit.span import Span
from pinner.errors import InputError
from pinner.recipe import scripts
from pinner.recipe.dockerfile import Dockerfile
from pinner.recipe.formats import yamltext
from pinner.recipe.formats.yamltext import Node
from pinner.recipe.scripts import Job, Step
from pinner.regex import later

if TYPE_CHECKING:
    from pinner.recipe.kinds import Around

_NOT_JOBS = frozenset(
    ["default", "include", "stages", "variables", "workflow", "image", "services", "cache", "types", "spec"]
)
_SCRIPTS = ("before_script", "script", "after_script")
_NAME = later(r"\$(?:\{(\w+)\}|(\w+))")
# Names of files that are not local, or not one file.
_ELSEWHERE = later(r"://|[$*]")
# GitLab allows eleven and ten.
_DEEPEST = 20
_MOST_MERGED = 200


class _UnknownError(Exception):
    """Something from elsewhere decides."""


def read(text: str, around: Around) -> Dockerfile:
    """A file of GitLab's in its configuration. Raises `InputError`."""
    root = yamltext.parse(text)
    if root is None:
        return Dockerfile(text, "\\", (), ())
    before, after = _roots(around.before), _roots(around.after)
    files = [*before, root, *after]
    complete = around.complete and len(files) > len(around.before) + len(around.after)
    return scripts.jobs(text, jobs(root, files, complete=complete), root)


def _roots(texts: Sequence[str]) -> list[Node]:
    """The texts as YAML; what is wrong with one is said where that file itself is read."""
    found = []
    for text in texts:
        with suppress(InputError):
            root = yamltext.parse(text)
            found += [root] if root is not None else []
    return found


def jobs(root: Node, others: Sequence[Node] = (), *, complete: bool | None = None) -> Iterator[Job]:
    """The jobs whose scripts are written in the file `root`.

    `others` are the files that make up a configuration with it, `root` among them, in the order in which they are
    merged; `complete` tells that no more belong to it. Without them `root` is one by itself. A template (`.name`)
    counts as a job if no job uses its scripts.
    """
    whole = root.get("include") is None if complete is None else complete
    found = _Configuration(others or [root], complete=whole)
    used: set[int] = set()
    for templates in (False, True):
        for name in found.entries:
            if name in _NOT_JOBS or name.startswith(".") is not templates:
                continue
            job = found.job(name, root)
            if templates and all(id(step.text) in used for step in job.steps):
                continue
            used.update(id(step.text) for step in job.steps)
            yield job


def included(root: Node) -> tuple[list[str], bool]:
    """The local files that a file includes, as it names them, and whether these are all that it includes."""
    found = root.get("include")
    if found is None:
        return [], True
    every = found.items if found.items is not None else [found]
    names = []
    for each in every:
        own = each.get("local")
        name = own.text if own is not None else each.text
        if each.get("rules") is None and name and not _ELSEWHERE.search(name):
            names.append(name)
    return names, len(names) == len(every)


def _own(node: Node, key: str) -> Node | None:
    """The value of a key of a mapping, or of those that are merged into it (YAML 1.1, "Merge Key")."""
    found = _entry(node, key)
    return found[1] if found else None


def _entry(node: Node | None, key: str) -> tuple[Node, Node] | None:
    """The same, with the key as it is written there."""
    mappings = _merged(node) if node is not None else ()
    return next((found for each in mappings if (found := each.named().get(key)) is not None), None)


def _merged(node: Node) -> Iterator[Node]:
    """A mapping and those that are merged into it, each once: the first that has a key counts.

    Raises `InputError` for more of them than anybody writes.
    """
    todo, seen = [node], set[int]()
    while todo:
        node = todo.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if len(seen) > _MOST_MERGED:
            raise InputError(f"more than {_MOST_MERGED} mappings are merged into one")
        yield node
        todo += reversed(node.merges())


def _dictionary(node: Node | None) -> dict[str, tuple[Node, Node]]:
    """The keys of a mapping, by name, with their values."""
    found: dict[str, tuple[Node, Node]] = {}
    for each in _merged(node) if node is not None else ():
        found = each.named() | found
    found.pop("<<", None)
    return found


class _Configuration:
    """Files as one configuration."""

    def __init__(self, files: Sequence[Node], *, complete: bool) -> None:
        self._tops = [_dictionary(file) for file in reversed(files)]
        self._variables = [
            _dictionary(top["variables"][1]) if "variables" in top else {} for top in self._tops
        ]
        self._complete = complete
        self.entries: dict[str, list[Node]] = {}
        self._starts: dict[int, int] = {}
        for file in files:
            own = {name.text: (name, node) for name, node in file.entries or () if node.entries is not None}
            for key, (name, node) in own.items():
                self.entries.setdefault(key, []).append(node)
                self._starts[id(node)] = name.span.start

    def job(self, name: str, file: Node) -> Job:
        """A job with those of its steps that are written in `file`."""
        own = self.entries[name][-1]
        span = Span(self._starts[id(own)], own.span.end) if own.source is file.source else Span(0, 0)
        try:
            written = self._image(name)
            base = _NAME.sub(lambda match: self._value(name, match[1] or match[2]), written)
        except _UnknownError:
            written = base = ""
        job = Job(name, span, "" if "$" in base else base, written or "the runner's image")
        for key in _SCRIPTS:
            try:
                found = self._keyword(name, key)
            except _UnknownError:
                continue
            texts = self._texts(found) if found is not None else ()
            job.steps += (Step(text) for text in texts if text.source is file.source)
        used = {match[1] or match[2] for step in job.steps for match in _NAME.finditer(step.text.value)}
        for each in sorted(used):
            key_node, value = self._variable(name, each)
            if key_node is not None:
                known = value is not None and value.source is file.source
                job.variables.append((key_node, value if known and value is not None else Node(span)))
        return job

    def _value(self, name: str, variable: str) -> str:
        """The value of a job's variable. Raises `_UnknownError`."""
        _, value = self._variable(name, variable)
        if value is None or not value.text:
            raise _UnknownError
        return value.text

    def _image(self, name: str) -> str:
        """The image that a job is said to run on, "" if nothing says it."""
        if name.startswith(".") and self._of_entry(name, "image", 0) is None:
            raise _UnknownError  # the job that uses it may say it
        found = self._keyword(name, "image")
        if found is not None and found.entries is not None:
            found = self._resolved(_own(found, "name"), 0)
        return found.text if found is not None else ""

    def _keyword(self, name: str, key: str) -> Node | None:
        """What holds for `key` in a job, None if nothing is said. Raises `_UnknownError`."""
        found = self._of_entry(name, key, 0)
        if found is None and key != "script" and self._inherits(name, "default", key):
            if key == "image" and not self._complete:
                raise _UnknownError  # a file that is not known may say more of the job
            for top in self._tops:
                default = top.get("default")
                found = (_own(default[1], key) if default else None) or (top[key][1] if key in top else None)
                if found is not None:
                    break
        return self._resolved(found, 0)

    def _of_entry(self, name: str, key: str, depth: int) -> Node | None:
        """What an entry says of `key`, or else what it extends, the last first."""
        nodes = self.entries.get(name)
        if nodes is None or depth > _DEEPEST:
            raise _UnknownError
        for node in reversed(nodes):
            if (found := _own(node, key)) is not None:
                return found
        for base in reversed(self._extends(name)):
            if (found := self._of_entry(base, key, depth + 1)) is not None:
                return found
        return None

    def _extends(self, name: str) -> list[str]:
        for node in reversed(self.entries[name]):
            found = _own(node, "extends")
            if found is not None:
                return [each.text for each in found.texts()]
        return []

    def _inherits(self, name: str, kind: str, key: str) -> bool:
        """Whether a job takes a keyword of `default`, or a variable of the top."""
        found = self._of_entry(name, "inherit", 0)
        told = _own(found, kind) if found is not None else None
        if told is None:
            return True
        return key in [each.text for each in told.items] if told.items is not None else told.text != "false"

    def _variable(self, name: str, key: str) -> tuple[Node | None, Node | None]:
        """Where a job's variable is named, and its value: None, where that may be another when the job runs."""
        try:
            found = self._variable_of(name, key, 0)
            if found is None and self._inherits(name, "variables", key):
                found = next((each[key] for each in self._variables if key in each), None)
            if found is None:
                return None, None
            if any(_own(each, key) is not None for each in self._varied(name)):
                return found[0], None
            described = found[1].get("value")
            return found[0], self._resolved(found[1] if described is None else described, 0)
        except _UnknownError:
            return Node(Span(0, 0), key), None

    def _variable_of(self, name: str, key: str, depth: int) -> tuple[Node, Node] | None:
        if name not in self.entries or depth > _DEEPEST:
            raise _UnknownError
        for node in reversed(self.entries[name]):
            found = _entry(self._resolved(_own(node, "variables"), 0), key)
            if found is not None:
                return found
        for base in reversed(self._extends(name)):
            if (found := self._variable_of(base, key, depth + 1)) is not None:
                return found
        return None

    def _varied(self, name: str) -> Iterator[Node]:
        """Mappings whose keys are variables that rules set, or of which a job is run with several values."""
        told = [top["workflow"][1].get("rules") for top in self._tops if "workflow" in top]
        for rule in (
            each for found in (self._of_entry(name, "rules", 0), *told) if found for each in found.items or ()
        ):
            if (own := rule.get("variables")) is not None:
                yield own
        parallel = self._of_entry(name, "parallel", 0)
        matrix = parallel.get("matrix") if parallel is not None else None
        yield from (matrix.items if matrix is not None else None) or ()

    def _resolved(self, node: Node | None, depth: int) -> Node | None:
        """What a reference names, anything else as it is. Raises `_UnknownError`."""
        if node is None or node.tag != "!reference":
            return node
        path = [each.text for each in node.items or ()]
        if len(path) < 2 or depth > _DEEPEST:
            raise _UnknownError
        found = self._of_entry(path[0], path[1], 0)
        for key in path[2:]:
            found = _own(found, key) if found is not None else None
        if found is None:
            raise _UnknownError
        return self._resolved(found, depth + 1)

    def _texts(self, node: Node) -> Iterator[Node]:
        """The lines of a script, in order, each once; one that is from elsewhere is left out."""
        todo = [node]
        seen: set[int] = set()
        while todo:
            try:
                each = self._resolved(todo.pop(), 0)
            except _UnknownError:
                continue
            if each is None or id(each) in seen:
                continue
            seen.add(id(each))
            if each.items is not None:
                todo += reversed(each.items)
            elif each.entries is None:
                yield each
