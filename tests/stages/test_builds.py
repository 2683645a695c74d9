"""How Dockerfiles are built by what Compose, Bake and Dev Containers files say."""

from __future__ import annotations

import pytest

from pinner.recipe import dockerfile, installs
from pinner.recipe.installs import Install
from pinner.recipe.kinds import Around
from pinner.stages import builds

FILE = "ARG V=11\nFROM debian:${V} AS base\nARG P=b\nRUN apt-get install a $P lib$P\nFROM base AS dev\nFROM tools\n"


def read(texts: dict[str, str], variables: dict[str, str | None] | None = None) -> dockerfile.Dockerfile:
    says = {path: text for path, text in texts.items() if builds.says(path)}
    found = builds.around(
        says, {"": variables or {}}, lambda path: path == "app/Dockerfile", lambda path: texts.get(path, "")
    )
    return dockerfile.parse(FILE, builds=found.get("app/Dockerfile", Around()).builds)


def compose(*parts: str) -> str:
    """Services that build the file, each with a part of its own."""
    head = "services:\n"
    return head + "".join(f"  s{at}: {{build: {{context: app, {own}}}}}\n" for at, own in enumerate(parts))


def bake(*parts: str) -> str:
    """Targets that build the file, each with a part of its own."""
    return "".join(f'target "t{at}" {{\n context = "app"\n {own}\n}}\n' for at, own in enumerate(parts))


@pytest.mark.parametrize(
    ("texts", "base"),
    [
        ({}, "debian:11"),
        ({"compose.yaml": compose("target: base, args: {V: 12}")}, "debian:12"),
        ({"compose.yaml": compose("target: dev, args: [V=12]")}, "debian:12"),
        ({"compose.yaml": compose("target: base, args: {V: 11}", "target: base")}, "debian:11"),
        ({"compose.yaml": compose("target: base, args: {V: 11}", "target: base, args: {V: 12}")}, ""),
        # Only the last stage is built where no other is named.
        ({"compose.yaml": compose("args: {V: 12}")}, "debian:11"),
        ({"compose.yaml": compose('target: base, args: {V: "${X:-12}"}')}, "debian:12"),
        ({"compose.yaml": compose('target: base, args: {V: "${SET:-12}"}')}, "debian:13"),
        ({"compose.yaml": compose('target: base, args: {V: "$SET$$"}')}, "debian:13$"),
        ({"compose.yaml": compose("target: base, args: {V: $X}")}, ""),
        ({"compose.yaml": compose("target: base, args: [SET, V]")}, ""),
        ({"compose.yaml": "services:\n  a: {build: ./app}\n"}, "debian:11"),
        (
            {
                "compose.yaml": "x-a: &a {args: {V: 12}}\n"
                "services: {a: {build: {<<: *a, target: base, context: app}}}\n"
            },
            "debian:12",
        ),
        (
            {"compose.yaml": compose("target: base") + "  b: {extends: s0, build: {args: {V: 12}}}\n"},
            "",
        ),
        (
            {
                "compose.yaml": compose("target: dev, args: {V: 12}"),
                "compose.override.yaml": "services:\n  s0: {build: {args: {V: 12}}}\n",
            },
            "debian:12",
        ),
        ({"docker-bake.hcl": bake('target = "base"\n args = {V = "12"}')}, "debian:12"),
        (
            {
                "docker-bake.hcl": 'variable "X" {\n default = 12\n}\n'
                + bake('target = "base"\nargs = {V = X}')
            },
            "debian:12",
        ),
        ({"docker-bake.hcl": bake('target = "base"\n matrix = {v = ["11", "12"]}\n args = {V = v}')}, ""),
        ({"docker-bake.hcl": bake('target = "base"\n matrix = {v = ["12"]}\n args = {V = v}')}, "debian:12"),
        (
            {"docker-bake.hcl": bake('target = "base"\n matrix = {v = [{n = "12"}]}\n args = {V = v.n}')},
            "debian:12",
        ),
        ({"docker-bake.hcl": bake('target = "base"\n args = {V = upper("a")}')}, ""),
        ({"docker-bake.hcl": bake('target = "base"\n args = {V = null}')}, "debian:11"),
        (
            {"docker-bake.hcl": bake('target = "base"\n contexts = {"debian:11" = "docker-image://x:1"}')},
            "x:1",
        ),
        (
            {
                "docker-bake.hcl": bake('target = "base"', 'inherits = ["t0"]\n args = {V = "12"}'),
            },
            "debian:12",
        ),
        (
            {
                "docker-bake.json": '{"target": {"a": {"context": "app", "target": "base", "args": {"V": "12"}}}}',
                "docker-bake.override.json": '{"target": {"a": {"args": {"V": "13"}}}}',
            },
            "debian:13",
        ),
        (
            {
                ".devcontainer/devcontainer.json": '{"build": {"dockerfile": "../app/Dockerfile", "target": "base",'
                ' "args": {"V": "1${localEnv:X:2}", /* no */ }}}'
            },
            "debian:12",
        ),
        (
            {
                "x/c.yaml": "services: {s: {build: {context: ../app, target: base, args: {V: 12}}}}",
                ".devcontainer/devcontainer.json": '{"dockerComposeFile": ["../x/c.yaml"], "service": "s"}',
            },
            "debian:12",
        ),
        (
            {
                "compose.yaml": "services: {w: {extends: {file: x/base.yml, service: b}, build: {args: {V: 13}}}}",
                "x/base.yml": "services:\n  b: {extends: {file: y/c.yml, service: c}}\n",
                "x/y/c.yml": "services:\n  c: {build: {context: ../../app, target: base}}\n",
            },
            "debian:13",
        ),
        (
            {
                "compose.yaml": "services: {w: {extends: {file: x/base.yml, service: b}, build: ./app}}",
                "x/base.yml": "services: {b: {build: {context: /else, target: base, args: {V: 12}}}}\n",
            },
            "debian:12",
        ),
        (
            {
                "compose.yaml": "services: {w: {extends: {file: no.yml, service: b}, build: {args: {V: 13}}}}",
            },
            "debian:11",
        ),
        # What is put over others, brings others in or extends them counts as Compose merges it.
        *(
            ({"compose.yaml": own, "x/b.yml": "services: {b: {build: {target: base, args: {V: 12}}}}"}, base)
            for own, base in [
                ("services: {w: {extends: {file: x/b.yml, service: b}, build: app}}", "debian:12"),
                (
                    "services: {w: {extends: {file: x/b.yml, service: b}, build: {context: app, args: {V: 13}}}}",
                    "debian:13",
                ),
                (
                    "services: {w: {extends: {file: x/b.yml, service: b}, build: {context: app, args: !reset null}}}",
                    "debian:11",
                ),
                (
                    "services: {w: {extends: {file: x/b.yml, service: b}, build: !override {context: app}}}",
                    "debian:11",
                ),
                (
                    "services: {w: {extends: {file: x/b.yml, service: b}, build: {dockerfile: app/N}}}",
                    "debian:11",
                ),
                ("include: [{path: x/b.yml, project_directory: app}]", "debian:12"),
                ("include: [{path: [x/b.yml, x/c.yml], project_directory: .}]", "debian:11"),
                ("include: [compose.yaml, ./x/../compose.yaml, ../../etc/passwd, /etc/passwd]", "debian:11"),
            ]
        ),
        (
            {
                "compose.yaml": "include: [{path: [x/b.yml, x/c.yml], env_file: x/env}]",
                "x/b.yml": "services: {b: {build: {context: ../app, target: base}}}",
                "x/c.yml": "services: {b: {build: {args: {V: '${SET-0}${OWN-0}'}}}}",
                "x/env": "OWN=4\nSET=5\n",
            },
            "debian:134",
        ),
        (
            {
                "compose.yaml": "include: [x/b.yml]",
                "compose.override.yaml": "services: {b: {build: {args: {V: 13}}}}",
                "x/b.yml": "services: {b: {build: {context: ../app, target: base}}}",
            },
            "",
        ),
        ({"docker-bake.hcl": "= no"}, "debian:11"),
    ],
)
def test_base_image(texts: dict[str, str], base: str) -> None:
    found = read(texts, {"SET": "13"}).stages[0]
    assert found.base == base
    assert bool(found.why) == (not base)


def test_contexts_that_are_no_images() -> None:
    found = read({"compose.yaml": compose("additional_contexts: {tools: ./x}")}).stages[2]
    assert (found.base, found.why) == ("", "compose.yaml (s0) puts another build context in its place")


def test_words_that_another_file_gives() -> None:
    (call,) = installs.find(read({"compose.yaml": compose("target: dev, args: {P: x}")}))
    assert isinstance(call, Install)
    assert [(each.name, each.action, each.detail) for each in call.requests] == [
        ("a", "pin", ""),
        ("", "skip", "another file gives P its value"),
        ("libx", "pin", ""),
    ]


def test_several_values_are_named() -> None:
    found = read({"compose.yaml": compose("target: dev, args: {P: x}", "target: dev, args: {P: y}")})
    (call,) = installs.find(found)
    assert isinstance(call, Install)
    assert call.requests[1].detail == "P is x in compose.yaml (s0), y in compose.yaml (s1)"
