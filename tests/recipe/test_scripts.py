"""Shell scripts and CI files: what is pinned in them, that nothing else changes, and what apt then gets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from pinner.edit.span import Lines, apply
from pinner.errors import InputError
from pinner.recipe import kinds
from pinner.recipe.dockerfile import Dockerfile
from pinner.recipe.formats import yamltext
from pinner.recipe.installs import Install, Request, Skipped, find, pin
from tests.recipe.execution import Sandbox, assert_only_pinned

VERSION = "1:2-3*"
GITHUB = ".github/workflows/ci.yml"
GITLAB = ".gitlab-ci.yml"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    return Sandbox(tmp_path_factory.mktemp("sandbox"))


def parsed(path: str, text: str) -> Dockerfile:
    return kinds.parse(kinds.of(path, text), text)


def requests(path: str, text: str) -> list[Request]:
    calls = find(parsed(path, text))
    return [request for call in calls if isinstance(call, Install) for request in call.requests]


def pinned(path: str, text: str) -> str:
    chosen = {request: VERSION for request in requests(path, text) if request.action == "pin"}
    return apply(text, pin(text, chosen))


def bare(text: str) -> str:
    return text.replace('"', "").replace("\\", "").replace("'", "")


# What is pinned has a `^` behind it.
SCRIPTS = [
    "#!/bin/sh\nset -e\napt-get update\napt-get install -y a^ b^\n",
    "#!/bin/bash\napt-get install -y \\\n  a^ \\\n  b^ && x\n# apt-get install c\n",
    "\ufeffapt-get install a^\n",
    "p='a^\n  b^'\napt-get install $p\n",
    'p="a^ \\\n  b^"\nsudo apt-get install -y $p\n',
    '#!/usr/bin/env bash\np=(\n  a^\n  # c\n  b^ # d\n)\napt-get install "${p[@]}"\n',
    "if [[ $x == *'y'* && z || -n w ]]; then\n  apt-get install a^\nfi\n",
    'f() {\n  apt-get install "$@"\n}\n# f c\nf a^ b^\n',
    'f() {\n  n=$1\n  shift\n  until "$@"; do echo "$*"; done\n}\nf 3 $S apt-get install a^\n',
    'f() { if x; then sudo "$@"; else "$@"; fi; }\nf bash -c "apt-get install a^"; f apt-get update\n',
    'f() { echo "$@"; }\nf apt-get install a; f "apt-get install a"; apt-get install a^\n',
    "case x in\n  x) apt-get install a^ ;;\nesac\nwhile read -r l; do apt-get install b^; done < /dev/null\n",
    "cat > x <<EOF\napt-get install b\nEOF\napt-get install a^\n",
    "echo 'x\\\ny' # \\\napt-get install a^\n",
    "apt-get install a^ 2> >(grep -v 'b c' >&2) b^\n",
    'bash <<EOF\nbash -c "bash -c \\"apt-get install a^ b^\\""\nEOF\n',
    # What the grammar does not reach: tests, and lines with which all around is complete.
    "if [ $x \\> 1 ] && [ ! -w / ] || [ a = \\( ]; then\n  true\nfi\napt-get install a^\n",
    "apt-get install a^\nfor x\n in b; do\n  apt-get install b\ndone\napt-get install c^\n",
    "for x\n in b; do\n  P=b\ndone\nP=a\nQ=c^\napt-get install $P $Q\n",
    "f() {\n  apt-get install $@\n}\nfor x\n in b; do\n  f b\ndone\nf a\n",
    "for x\n in b; do\n  echo $P\ndone\nP=a\napt-get install $P\n",
    # Here-documents: a shell reads them, or they are left alone.
    "bash <<EOF\napt-get install a^\nEOF\napt-get install b^\n",
    "sudo -E bash -e <<'EOF'\nset -x\napt-get install \\\n  a^ b^\nEOF\n",
    "if true; then\n\tsh -s x <<-EOF && true\n\t\tapt-get install a^\n\tEOF\nfi\n",
    "cat <<EOF\napt-get install a\n\tEOF\napt-get install b\nEOF\napt-get install a^\n",
    "cat <<EOF\napt-get install a \\\nEOF\napt-get install b\nEOF\napt-get install a^\n",
    "cat <<'EOF'\napt-get install a \\\nEOF\napt-get install a^\n",
    'cat <<"E F"\nit\'s\nE F\napt-get install \\\n a^\n',
    "cat <<A <<B; apt-get install a^\napt-get install b\nA\napt-get install b\nB\napt-get install b^\n",
    "bash <<A <<B\napt-get install b\nA\napt-get install b^\nB\n",
    "bash 3<<A\napt-get install b\nA\n",
    "bash <<A < /dev/null\napt-get install b\nA\n",
    "x=$(cat <<EOF\napt-get install b)\nEOF\n)\napt-get install a^\n",
    "bash x <<EOF\napt-get install b\nEOF\nchroot d bash <<EOF\napt-get install b\nEOF\n",
    "ssh h <<EOF\napt-get install b\nEOF\nwhile read l; do bash; done <<EOF\napt-get install b\nEOF\n",
    "bash <<EOF\nread x\napt-get install b\nEOF\n",
    "bash <<EOF\ncat > x\napt-get install b\nEOF\nbash <<EOF\nsudo tee x | y\napt-get install b\nEOF\n",
    "bash <<EOF\ncat > x <<E\ny\nE\ncat x; y | tee z\napt-get install a^\nEOF\n",
    "bash <<EOF\n#!/usr/bin/python3\napt-get install b\nEOF\n",
    "bash <<EOF\nbash <<'E'\napt-get install a^\nE\nEOF\n",
    "echo $((1<<2)) $(( (3) << 1 ))\n(( x = 1 << 2 ))\napt-get install a^\n",
    "cat <<< x\necho '<<EOF'\n# <<EOF\napt-get install a^\n",
    "bash <<EOF\nbash -c 'apt-get install a^'\nEOF\n",
    # What the outer shell expands, and what the inner one does.
    "P='a^ b^'\nbash <<EOF\napt-get install $P\nEOF\n",
    "P='a b'\nbash <<'EOF'\napt-get install $P\nEOF\n",
    "bash <<EOF\nP=a^\napt-get install \\$P\nEOF\n",
    "bash <<EOF\nP=a\napt-get install $P\nEOF\n",
    "bash <<'EOF'\nP=a^\napt-get install $P\nEOF\n",
    'P=a^\nbash -c "apt-get install $P"\n',
    "P=a\nbash -c 'apt-get install $P'\nP=b^ bash -c 'apt-get install $P'\n",
    'bash -c "P=a; apt-get install $P"\nbash -c "P=a^; apt-get install \\$P"\n',
    "P='a ; b'\nbash -c \"apt-get install $P\"\n",
    'P=(a b)\nbash -c "apt-get install ${P[@]}"\n',
    'f() {\n  bash -c "apt-get install $@"\n}\nf a b\n',
]


@pytest.mark.parametrize("marked", SCRIPTS)
def test_scripts(marked: str, sandbox: Sandbox) -> None:
    text = marked.replace("^", "")
    new = pinned("x.sh", text)
    assert bare(new) == bare(marked.replace("^", f"={VERSION}"))
    assert pinned("x.sh", new) == new
    before, after = (
        sandbox.calls(["bash", "-c", each.lstrip("\ufeff").replace("\r", "")]) for each in (text, new)
    )
    assert_only_pinned(before, after, [VERSION])
    assert len(before) == len(after)


@pytest.mark.parametrize(
    ("text", "unread"),
    [
        ("apt-get install a\nfor x\n in b; do\n  apt-get install b\ndone\napt-get install c\n", (2, 1)),
        ("apt-get install a\nif x; then\nfor x\n in b; do\n  apt-get install b\ndone\nfi\nx\n", (2, 1)),
        # What bash does not take either.
        ("apt-get install a\necho 'b\napt-get install c\n", (1, 1)),
        ("apt-get install a\ncat <<E\napt-get install c\n", (1, 1)),
        ("if x; then\napt-get install a\n", (1, 1)),
        ("apt-get install a )\n", (1, 1)),
    ],
)
def test_what_is_not_understood(text: str, unread: tuple[int, int]) -> None:
    (skipped,) = (call for call in find(parsed("x.sh", text)) if isinstance(call, Skipped))
    assert skipped.reason == "unparsable"
    assert Lines(text).position(skipped.span.start) == unread


JOB = "jobs:\n  test:\n    runs-on: ubuntu-24.04\n    steps:\n"
WORKFLOWS = [
    "      - run: sudo apt-get install -y a^ b^\n",
    "      - run: apt-get install\n          a^ b^\n",
    '      - run: "apt-get install a^ \\"b^\\" \\\n          c^"\n',
    "      - run: 'apt-get install ''a^'' b^'\n",
    "      - run: |\n          apt-get update\n          apt-get install -y \\\n            a^ \\\n            b^\n",
    "      - run: |2\n            apt-get install a^\n          apt-get install b^\n",
    "      - run: |-\n\n          apt-get install a^\n      - run: |+\n          apt-get install b^\n\n\n",
    "      - run: >\n          apt-get install\n          a^\n          b^\n",
    "      - run: >-\n          apt-get install a^\n\n          apt-get install b^\n            c\n",
    "      - {name: x, run: apt-get install a^ b^}\n",
    "      - run: |\n          apt-get install a^ ${{ matrix.x }} b^\n",
    "      - run: |\n          p='a^ b^'\n          apt-get install $p\n",
    "      - run: apt-get install a^\n        shell: bash\n      - run: apt-get install b\n        shell: pwsh\n",
    "      - run: |\r\n          apt-get install a^ \\\r\n            b^\r\n",
    "      - uses: x\n        with:\n          run: apt-get install b\n      - run: apt-get install a^ # é\n",
    "      - env: {P: a^ b^}\n        run: apt-get install $P\n      - run: apt-get install $P\n",
    "      - env:\n          P: >-\n            a^\n            b^\n        run: apt-get install $P\n",
    "      - env: {V: 12}\n        run: apt-get install a-$V^\n",
    "      - env: {P: 'a'}\n        run: apt-get install $P; touch $P\n",
    "      - env: {P: '${{ x }}'}\n        run: apt-get install $P\n",
    "      - env: {P: a}\n        run: apt-get install $P ${{ env.P }}\n",
    "    env: {P: a^}\n",
    "      - &a\n        run: apt-get install a^\n      - *a\n",
]


@pytest.mark.parametrize("marked", WORKFLOWS)
def test_workflows(marked: str, sandbox: Sandbox) -> None:
    if marked.startswith("    env:"):
        marked = f"      - run: apt-get install $P\n{marked}"
    text = JOB + marked.replace("^", "")
    new = pinned(GITHUB, text)
    assert bare(new) == bare(JOB + marked.replace("^", f"={VERSION}"))
    assert pinned(GITHUB, new) == new
    same_but_pinned(text, new, sandbox)


def same_but_pinned(text: str, new: str, sandbox: Sandbox) -> None:
    """The YAML says the same, but for strings that give apt the same words with versions."""
    old_leaves, new_leaves = list(leaves(loaded(text))), list(leaves(loaded(new)))
    assert len(old_leaves) == len(new_leaves)
    for old, changed in zip(old_leaves, new_leaves, strict=True):
        if old != changed:
            before, after = (
                sandbox.calls(["bash", "-c", each.replace("${{", "$(: ")]) for each in (old, changed)
            )
            assert_only_pinned(before, after, [VERSION])


class Loader(yaml.SafeLoader):
    """Takes GitLab's tag for the list that it marks."""


def referenced(loader: Loader, node: yaml.Node) -> list[Any]:
    assert isinstance(node, yaml.SequenceNode)
    return loader.construct_sequence(node)


yaml.add_constructor("!reference", referenced, Loader)


def loaded(text: str) -> Any:
    return list(yaml.load_all(text, Loader=Loader))


def leaves(value: Any) -> Iterator[str]:
    """Every key and scalar, in order."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    else:
        yield str(value)


@pytest.mark.parametrize(
    ("job", "base", "runner", "platform"),
    [
        ("runs-on: ubuntu-24.04", "", "ubuntu-24.04", "linux/amd64"),
        ("runs-on: [ubuntu-22.04]", "", "ubuntu-22.04", "linux/amd64"),
        ("runs-on: ubuntu-24.04-arm", "", "ubuntu-24.04-arm", "linux/arm64"),
        ("runs-on: ubuntu-latest", "", "ubuntu-latest", ""),
        ("runs-on: [self-hosted, linux]", "", "", ""),
        ("runs-on: ubuntu-24.04\n    container: debian:bookworm", "debian:bookworm", "", "linux/amd64"),
        ("runs-on: ubuntu-latest\n    container:\n      image: debian:12", "debian:12", "", ""),
        (
            "runs-on: ${{ matrix.os }}\n    strategy: {matrix: {os: [ubuntu-24.04]}}",
            "",
            "ubuntu-24.04",
            "linux/amd64",
        ),
        (
            "runs-on: ${{ matrix.os }}\n    strategy: {matrix: {os: [ubuntu-22.04, macos-15]}}",
            "",
            "ubuntu-22.04",
            "",
        ),
        (
            "runs-on: ${{ matrix.os }}\n    strategy: {matrix: {include: [{os: ubuntu-24.04}]}}",
            "",
            "ubuntu-24.04",
            None,
        ),
        ("runs-on: ${{ inputs.os }}", "", "", ""),
        (
            "runs-on: x\n    container: debian:${{ matrix.v }}\n    strategy: {matrix: {v: [12]}}",
            "debian:12",
            "",
            "",
        ),
    ],
)
def test_what_a_job_runs_on(job: str, base: str, runner: str, platform: str | None) -> None:
    (stage,) = parsed(GITHUB, f"jobs:\n  x:\n    {job}\n    steps:\n      - run: apt-get install a\n").stages
    assert (stage.name, stage.base, stage.runner) == ("x", base, runner)
    assert platform is None or stage.platform == platform


def test_composite_actions() -> None:
    text = "runs:\n  using: composite\n  steps:\n    - run: apt-get install a\n      shell: bash\n"
    assert pinned("x/action.yml", text) == text.replace(" a\n", f' a="{VERSION}"\n')


GITLAB_FILES = [
    (
        "image: debian:12\nx:\n  script:\n    - apt-get install a^\n    - apt-get install b^\n",
        {"x": "debian:12"},
    ),
    ("default:\n  image: {name: debian:12}\nx:\n  script: apt-get install a^\n", {"x": "debian:12"}),
    (
        "x:\n  image: debian:11\n  before_script:\n    - |\n      apt-get install a^\n  script: [x]\n",
        {"x": "debian:11"},
    ),
    (
        ".t:\n  image: debian:11\n  before_script: [apt-get install a^]\nx:\n  extends: .t\n  script: x\n",
        {"x": "debian:11"},
    ),
    ("variables: {P: a^}\nx:\n  image: debian:11\n  script: apt-get install $P\n", {"x": "debian:11"}),
    (
        ".t: &t\n  image: debian:11\nx:\n  <<: *t\n  script: apt-get install a^\n",
        {"x": "debian:11"},
    ),
    (
        "variables: {A: apt-get install b}\nx:\n  image: $I\n  script: apt-get install a^\n",
        {"x": "", "elsewhere": ""},
    ),
    ("image: debian:12\nbefore_script: [apt-get install a^]\nx:\n  script: y\n", {"x": "debian:12"}),
    # References, merges and what is inherited.
    (
        ".t:\n  script: [apt-get install a^]\nx:\n  image: debian:11\n  script: [!reference [.t, script], b]\n",
        {"x": "debian:11"},
    ),
    (
        ".t: {image: {name: debian:11}, variables: {P: a^}}\nx:\n  image: !reference [.t, image]\n"
        "  variables: {P: !reference [.t, variables, P]}\n  script: apt-get install $P\n",
        {"x": "debian:11"},
    ),
    (
        ".a: {image: debian:11}\n.b: {extends: .a}\nx: {extends: [.b], script: apt-get install a^}\n",
        {"x": "debian:11"},
    ),
    (
        ".a: {image: debian:11}\n.b: {image: debian:12}\nx: {extends: [.a, .b], script: apt-get install a^}\n",
        {"x": "debian:12"},
    ),
    (
        ".a: &a {image: debian:11}\n.b: &b\n  <<: *a\n  script: [apt-get install a^]\nx:\n  <<: *b\n",
        {"x": "debian:11"},
    ),
    (
        "x:\n  image: debian:11\n  script: &s [apt-get install a^]\ny:\n  image: debian:11\n  script: *s\n",
        {"x": "debian:11", "y": "debian:11"},
    ),
    ("x: {extends: .gone, script: apt-get install a^}\nimage: debian:12\n", {"x": ""}),
    ("x: {script: apt-get install a^}\nimage: debian:12\ninclude: {template: b.yml}\n", {"x": ""}),
    ("x: {image: debian:11, script: apt-get install a^}\ninclude: {template: b.yml}\n", {"x": "debian:11"}),
    (".t: {script: apt-get install a^}\nimage: debian:12\n", {".t": ""}),
    (".t: {image: debian:11, script: apt-get install a^}\nimage: debian:12\n", {".t": "debian:11"}),
    (
        "default: {image: debian:12, before_script: [apt-get install a^]}\nx: {inherit: {default: false}, script: y}\n"
        "z: {inherit: {default: [image]}, script: y}\ny: {script: z}\n",
        {"x": "", "z": "debian:12", "y": "debian:12"},
    ),
    # Variables.
    (
        "variables: {S: bookworm}\nx: {image: 'debian:$S', script: apt-get install a^}\n"
        "y: {image: 'debian:${S}-slim', variables: {S: trixie}, script: apt-get install a^}\n"
        "z: {image: '$OTHER', script: apt-get install a^}\n",
        {"x": "debian:bookworm", "y": "debian:trixie-slim", "z": ""},
    ),
    (
        "x: {image: 'debian:$S', parallel: {matrix: [{S: [11, 12]}]}, variables: {S: 11}, script: apt install a^}\n",
        {"x": ""},
    ),
    (
        "variables: {P: a}\nx: {image: debian:12, rules: [{if: y, variables: {P: b}}], script: apt install $P}\n",
        {"x": "debian:12"},
    ),
    ("variables: {P: {value: a^}}\nx: {image: debian:12, script: apt-get install $P}\n", {"x": "debian:12"}),
    (
        "variables: {P: a}\n.t: {variables: {P: b^}}\nx: {extends: .t, image: debian:12, script: apt-get install $P}\n",
        {"x": "debian:12"},
    ),
    (
        "variables: {P: a}\nx: {inherit: {variables: false}, image: debian:12, script: apt-get install $P}\n",
        {"x": "debian:12"},
    ),
    (
        "spec: {inputs: {p: }}\n---\nx: {image: debian:12, script: 'apt-get install a^ $[[ inputs.p ]] b^'}\n",
        {"x": "debian:12"},
    ),
]


@pytest.mark.parametrize(("marked", "bases"), GITLAB_FILES)
def test_gitlab(marked: str, bases: dict[str, str], sandbox: Sandbox) -> None:
    text = marked.replace("^", "")
    assert {stage.name: stage.base for stage in parsed(GITLAB, text).stages} == bases
    new = pinned(GITLAB, text)
    assert bare(new) == bare(marked.replace("^", f"={VERSION}"))
    same_but_pinned(text, new, sandbox)


@pytest.mark.parametrize(
    ("path", "text", "kind"),
    [
        ("Dockerfile", "", "dockerfile"),
        ("a/b.Dockerfile", "#!/bin/sh", "dockerfile"),
        (".github/workflows/x.yaml", "", "github"),
        ("a/action.yml", "", "github"),
        ("x/.gitlab-ci.yml", "", "gitlab"),
        ("x.gitlab-ci.yml", "", "gitlab"),
        ("x.sh", "", "script"),
        ("x", "#!/bin/sh\n", "script"),
        ("x", "#!/usr/bin/env -S bash -e\n", "script"),
        ("x", "#!/command/with-contenv /usr/bin/bash\n", "script"),
        ("x", "#!/usr/bin/python3\n", "dockerfile"),
        ("<stdin>", "#! /bin/dash\n", "script"),
        ("x.yml", "on: x\njobs:\n", "github"),
        ("x.yml", "a:\n", "gitlab"),
        ("<stdin>", "FROM x", "dockerfile"),
    ],
)
def test_kinds(path: str, text: str, kind: str) -> None:
    assert kinds.of(path, text) == kind


@pytest.mark.parametrize("text", ["a: [", "a: b: c", "\t- x", "a: *b\n", '"\\q"', "a: \x00"])
def test_bad_yaml_is_an_error_with_its_place(text: str) -> None:
    try:
        yamltext.parse(text)
    except InputError as error:
        assert error.line


@pytest.mark.parametrize(
    "text", ["", "# x\n", "a\n", "[]", "jobs: x", "jobs: [x]", "jobs: {x: [y]}", "runs: {steps: x}"]
)
def test_odd_yaml_has_no_calls(text: str) -> None:
    assert find(parsed(GITHUB, text)) == find(parsed(GITLAB, text)) == ()


def test_depth_and_aliases_are_no_matter() -> None:
    assert find(parsed(GITHUB, "jobs: " + "[" * 199 + "]" * 199)) == ()
    for deep in ("jobs: " + "[" * 16_000, "{a: " * 3_000, "- " * 3_000):
        with pytest.raises(InputError, match="nested more than 200 deep"):
            parsed(GITHUB, deep)
    bomb = "a: &a [x, x]\n" + "".join(
        f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefghijklmno", "bcdefghijklmnop", strict=True)
    )
    assert find(parsed(GITLAB, bomb + "p2:\n  script: *p\n")) == ()
    circle = (
        "a:\n  script: &s\n  - x\n  - !reference [a, script]\n  - !reference [b, script]\nb: {script: *s}\n"
    )
    assert find(parsed(GITLAB, circle)) == ()
    assert find(parsed(GITLAB, "a: &a\n  <<: *a\n  extends: a\n  script: [x]\n")) == ()


def test_comments_tell_the_suite() -> None:
    text = "# pinner: suite=bookworm\njobs:\n  a:\n    # pinner: suite=trixie\n    steps: []\n  b:\n    steps: []\n"
    stages = parsed(GITHUB, text).stages
    assert [[each.value for each in stage.directives] for stage in stages] == [
        ["bookworm", "trixie"],
        ["bookworm"],
    ]


def test_ignore() -> None:
    run = f"{JOB}      - run: |\n          "
    text = f"{run}apt-get install a # pinner: ignore\n          apt-get install b\n"
    assert [(r.name, r.reason) for r in requests(GITHUB, text)] == [("a", "ignored"), ("b", "")]
    text = f"{JOB}      # pinner: ignore\n      - run: apt-get install a\n      - run: apt-get install b\n"
    assert [(r.name, r.reason) for r in requests(GITHUB, text)] == [("a", "ignored"), ("b", "")]
    text = "#!/bin/sh\napt-get install a # pinner: ignore\n# pinner: ignore\napt-get install b\napt-get install c\n"
    assert [(r.name, r.reason) for r in requests("x.sh", text)] == [
        ("a", "ignored"),
        ("b", "ignored"),
        ("c", ""),
    ]


@pytest.mark.parametrize(
    ("step", "why"),
    [
        ("uses: x/cache-apt-pkgs-action@v1\n      with: {packages: a b, version: 1}", "under packages"),
        ("uses: ./.github/actions/y\n      with: {apt-packages: a}", "under apt-packages"),
        ("uses: x/adapt@v1\n      with: {packages: a, apt: ''}", ""),
    ],
)
def test_actions_that_install_what_an_input_lists(step: str, why: str) -> None:
    found = find(parsed(GITHUB, f"jobs:\n  x:\n    runs-on: y\n    steps:\n    - {step}\n"))
    assert [each.reason for each in found if isinstance(each, Skipped)] == (["other-key"] if why else [])
    assert all(isinstance(each, Skipped) and why in each.detail for each in found)
