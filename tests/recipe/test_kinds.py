"""A repository as a whole: which files are taken, what stays unpinned, and what counts as good."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from tests.cli.workbench import Workbench

SCRIPT = "#!/bin/sh\n# pinner: suite=bookworm\napt-get install -y curl\n"
WORKFLOW = "jobs:\n  x:\n    container: debian:bookworm\n    steps:\n      - run: apt-get install -y curl\n"
GITLAB = "image: debian:bookworm\nx:\n  script:\n    - apt-get install -y curl\n"


@pytest.fixture
def repository(bench: Workbench) -> Workbench:
    bench.write("Dockerfile", "FROM debian:bookworm\nRUN apt-get install -y curl\n")
    bench.write("a.sh", SCRIPT)
    bench.write("b.sh", "#!/bin/sh\necho a\n")
    bench.write("tool", SCRIPT)
    (bench.folder / "tool").chmod(0o755)
    bench.write("notes", SCRIPT)
    bench.write(".github/workflows/ci.yml", WORKFLOW)
    bench.write(".gitlab-ci.yml", GITLAB)
    bench.write("other.yml", WORKFLOW)
    bench.write(".devcontainer/devcontainer.json", '{"postCreateCommand": "sudo apt-get install -y curl"}\n')
    return bench


def test_all_kinds_are_pinned(repository: Workbench) -> None:
    before = repository.files()
    assert repository.run("lock").status == 0
    after = repository.files()
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"Dockerfile", "a.sh", "tool", ".github/workflows/ci.yml", ".gitlab-ci.yml"}
    for name in changed:
        old, new = before[name][0].decode(), after[name][0].decode()
        assert new == old.replace(" curl", " curl=7.88.1-10+deb12u14")
    repository.run("lock")
    assert repository.files() == after


def test_unpin_finds_nothing_to_do(repository: Workbench) -> None:
    before = repository.files()
    result = repository.run("unpin")
    assert (result.status, result.out, result.err) == (0, "nothing to take out\n", "")
    assert repository.files() == before


@pytest.mark.parametrize(
    ("kinds", "taken"),
    [
        (["dockerfile"], {"Dockerfile"}),
        (["script"], {"a.sh", "tool"}),
        (["github", "gitlab"], {".github/workflows/ci.yml", ".gitlab-ci.yml"}),
    ],
)
def test_kind_narrows(repository: Workbench, kinds: list[str], taken: set[str]) -> None:
    before = repository.files()
    assert repository.run("lock", *(f"--kind={kind}" for kind in kinds)).status == 0
    after = repository.files()
    assert {name for name in before if before[name] != after[name]} == taken


def test_scan_says_how_much_is_pinned(repository: Workbench) -> None:
    lines = repository.run("scan").out.splitlines()
    header = next(number for number, line in enumerate(lines) if line.startswith("file "))
    assert [line.split()[0] for line in lines[header:]] == [
        "file",
        ".devcontainer/devcontainer.json",
        ".github/workflows/ci.yml",
        ".gitlab-ci.yml",
        "Dockerfile",
        "a.sh",
        "tool",
        "total",
        "6",
        "1",
    ]
    assert lines[-2] == "6 files, 6 package arguments: 5 to pin, 0 pinned, 1 skipped (suite-unknown 1)"


@pytest.mark.parametrize("command", ["scan", "lock"])
@pytest.mark.parametrize(
    ("run", "status"),
    [
        ("apt-get install -y curl", 0),
        ("apt-get install -y curl $EXTRA", 1),
        ("apt-get install -y curl $EXTRA # pinner: allow", 0),
        ("apt-get install -y curl \\\n# pinner: allow\n $EXTRA", 0),
        ("apt-get install -y curl \\\n# pinner: allow\n $EXTRA \\\n $MORE", 1),
        ("apt-get install -y curl $EXTRA # pinner: ignore", 1),
        ("apt-get install -y curl # pinner: ignore", 0),
        ("xargs apt-get install -y", 1),
        ("xargs apt-get install -y # pinner: allow", 0),
    ],
)
def test_strict(bench: Workbench, command: str, run: str, status: int) -> None:
    bench.write("Dockerfile", f"FROM debian:bookworm\nRUN {run}\n")
    assert bench.run(command).status == 0
    assert bench.run(command, "--strict").status == status


def test_a_variable_that_two_suites_share_is_left_alone(bench: Workbench) -> None:
    stages = "".join(
        f"FROM debian:{name}\nARG P\nRUN apt-get install $P\n" for name in ("bookworm", "trixie")
    )
    bench.write("Dockerfile", f'ARG P="curl"\n{stages}')
    result = bench.run("scan")
    assert result.out.count("[several-suites]: calls on several suites or platforms share it") == 2


def test_a_script_runs_on_the_image_that_copies_it(bench: Workbench) -> None:
    bench.write(
        "image/Dockerfile", "FROM debian:bookworm AS a\nCOPY x.sh y/ /\nFROM a\nRUN /x.sh && bash z.sh\n"
    )
    script = "apt-get install -y curl\n"
    for name in ("image/x.sh", "image/y/z.sh", "x.sh"):
        bench.write(name, script)
    bench.run("lock")
    for name, pinned in {"image/x.sh": True, "image/y/z.sh": True, "x.sh": False}.items():
        assert (bench.files()[name][0].decode() != script) is pinned, name


def test_a_script_that_no_image_runs_asks_for_its_suite_by_files(bench: Workbench) -> None:
    bench.write("setup.sh", "apt-get install -y curl\n")
    result = bench.run("lock", "setup.sh")
    assert "the suite of this script is not known" in result.out and "[files]" in result.out


def test_a_suite_by_the_name_of_the_file(bench: Workbench) -> None:
    bench.configure('[files]\n"scripts/*" = "bookworm"\n')
    bench.write("scripts/x.sh", "apt-get install -y curl\n")
    bench.run("lock", "scripts/x.sh")
    assert bench.files()["scripts/x.sh"][0].decode() == "apt-get install -y curl=7.88.1-10+deb12u14\n"
    bench.configure('[files]\n"scripts/*" = "nope"\n')
    assert "[files]: nope is not a suite" in bench.run("scan").err


@pytest.mark.parametrize(
    "text",
    [
        "COPY list /tmp/list\nRUN xargs apt-get install -y < /tmp/list\n",
        "COPY list /tmp/\nRUN cat /tmp/list | xargs apt-get install -y\n",
        "COPY list .\nRUN xargs -a x true; apt-get install -y $(cat list)\n",
        "COPY . /src\nRUN grep -v '^#' /src/list | xargs -r sudo apt-get install -y --no-install-recommends\n",
        "WORKDIR /a\nCOPY list x\nRUN apt-get install -y $(grep -vE '^#' x)\n",
        "RUN --mount=type=bind,source=list,target=/l xargs apt-get install < /l\n",
        "RUN --mount=type=bind,target=/x apt-get install `cat /x/list`\n",
    ],
)
def test_a_list_of_packages_is_pinned_in_place(bench: Workbench, text: str) -> None:
    dockerfile = f"FROM debian:bookworm\n{text}"
    bench.write("image/Dockerfile", dockerfile)
    bench.write("image/list", "# what we need\ncurl jq\n\n  jq  \n")
    bench.write("list", "curl\n")
    assert bench.run("lock", "--strict").status == 0
    files = bench.files()
    pinned = "# what we need\ncurl=7.88.1-10+deb12u14 jq=1.6-2.1\n\n  jq=1.6-2.1  \n"
    assert files["image/list"][0].decode() == pinned
    assert files["image/Dockerfile"][0].decode() == dockerfile
    assert files["list"][0].decode() == "curl\n"
    bench.run("lock")
    assert bench.files() == files


@pytest.mark.parametrize(
    "command",
    [
        "sed 's/#.*//' list",
        "grep -vE '^#' list | cut -d'#' -f1 | paste -sd' '",
        "awk '!/^#/ {print $1}' list",
    ],
)
def test_comments_behind_the_words_of_a_list(bench: Workbench, command: str) -> None:
    bench.write("Dockerfile", f"FROM debian:bookworm\nCOPY list .\nRUN apt-get install -y $({command})\n")
    bench.write("list", "# what\ncurl # we\njq  # need\n")
    assert bench.run("lock", "--strict").status == 0
    assert bench.files()["list"][0].decode() == "# what\ncurl=7.88.1-10+deb12u14 # we\njq=1.6-2.1  # need\n"


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("COPY list /tmp/list\nRUN xargs apt-get install -y < /tmp/other\n", "curl\n"),
        ("COPY --from=x list /tmp/list\nRUN xargs apt-get install -y < /tmp/list\n", "curl\n"),
        ("COPY list /tmp/list\nRUN xargs apt-get install -y < /tmp/list\n", "curl; x\n"),
        (
            "COPY list /tmp/list\nRUN xargs apt-get install -y < /tmp/list\nFROM x\nCOPY list .\n"
            "RUN xargs apt-get install < list\n",
            "curl\n",
        ),
        ("COPY list .\nRUN apt-get install -y $(sed s/^/lib/ list)\n", "curl4\n"),
        ("COPY list .\nRUN apt-get install -y $(awk -F= '{print $1}' list)\n", "curl\n"),
        ("COPY list .\nRUN apt-get install -y $(awk '{print $1}' list)\n", "curl jq\n"),
    ],
)
def test_a_list_that_stays(bench: Workbench, text: str, content: str) -> None:
    bench.write("Dockerfile", f"FROM debian:bookworm\n{text}")
    bench.write("list", content)
    bench.run("lock")
    assert bench.files()["list"][0].decode() == content
    assert bench.run("lock", "--strict").status == 1


def test_a_script_on_standard_input(bench: Workbench) -> None:
    bench.write("x", SCRIPT)
    result = bench.run("lock", "x")
    assert result.status == 0
    assert bench.files()["x"][0].decode() == SCRIPT.replace(" curl", " curl=7.88.1-10+deb12u14")


def test_a_template_is_passed_over_unless_it_is_named(bench: Workbench) -> None:
    bench.write("Dockerfile", "FROM debian:bookworm\nRUN apt-get install -y curl\n")
    bench.write("Dockerfile.j2", "FROM debian:bookworm\nRUN apt-get install -y jq {{ more }}\n")
    result = bench.run("lock", "--strict")
    assert (result.status, "Dockerfile.j2" in result.err) == (0, True)
    assert b"jq=" not in bench.files()["Dockerfile.j2"][0]
    assert bench.run("lock", "--strict", "Dockerfile.j2").status == 1
    assert b"jq=" in bench.files()["Dockerfile.j2"][0]


def test_a_folder_of_templates_alone_is_no_error(bench: Workbench) -> None:
    bench.write("Dockerfile.j2", "FROM {{ x }}\n")
    assert bench.run("lock", "--strict").status == 0


def test_a_hosted_runner_is_not_the_image_of_its_ubuntu(bench: Workbench) -> None:
    name = ".github/workflows/ci.yml"
    text = "jobs:\n  x:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: apt-get install -y curl\n"
    bench.write(name, text)
    assert bench.run("lock", "--strict").status == 1
    assert bench.files()[name][0].decode() == text
    assert "[hosted-runner]: " in bench.run("scan").out
    bench.configure('[files]\n".github/workflows/*" = "bookworm"\n')
    assert bench.run("lock", "--strict").status == 0
    assert b"curl=7" in bench.files()[name][0]


def test_scan_lists_the_files_of_a_run(repository: Workbench) -> None:
    repository.write("Dockerfile.j2", "FROM {{ x }}\n")
    repository.write("Makefile", "all:\n\tsudo apt-get install -y curl\n")
    assert repository.run("scan", "--files").out.splitlines() == [
        ".devcontainer/devcontainer.json  devcontainer",
        ".github/workflows/ci.yml  github",
        ".gitlab-ci.yml  gitlab",
        "Dockerfile  dockerfile",
        "a.sh  script",
        "tool  script",
        "Dockerfile.j2  dockerfile, passed over: a template, which is read if it is named",
        "Makefile  Makefile, passed over: not read",
        "b.sh  script, passed over: it installs nothing",
        "other.yml  YAML, passed over: not read",
    ]
    assert (
        repository.run("scan").out.splitlines()[-1]
        == "2 other files install packages and are not read: Makefile 1, YAML 1"
    )


def test_what_builds_a_dockerfile_counts_wherever_it_is_named(bench: Workbench) -> None:
    text = "ARG SUITE=unknown\nFROM debian:$SUITE\nRUN apt-get install -y curl\n"
    bench.write("app/Dockerfile", text)
    bench.write("compose.yaml", 'services: {a: {build: {context: app, args: {SUITE: "${SUITE:-x}"}}}}\n')
    bench.write(".env", "SUITE=bookworm # a comment\n")
    for argument in ("app/Dockerfile", "app", "."):
        bench.write("app/Dockerfile", text)
        assert bench.run("lock", argument).status == 0
        assert " curl=7.88.1-10+deb12u14\n" in bench.read("app/Dockerfile")
    bench.write("docker-bake.hcl", 'target "b" {\n context = "app"\n args = { SUITE = "trixie" }\n}\n')
    result = bench.run("lock", "--strict", "app/Dockerfile")
    assert result.status == 1
    assert "it is debian:bookworm in compose.yaml (a), debian:trixie in docker-bake.hcl (b)" in result.out


@pytest.mark.parametrize(
    ("name", "text", "unpinned"),
    [
        ("tasks/main.yml", "- apt_repository: {repo: 'deb https://x.example/ bookworm main'}", True),
        ("tasks/main.yml", "- apt_repository: {repo: 'deb https://{{ x }} y main'}", True),
        ("tasks/main.yml", "- apt_repository: repo=ppa:a/b", True),
        ("tasks/main.yml", "- copy: {src: a, dest: /etc/apt/sources.list.d/a.list}", True),
        ("tasks/main.yml", "- apt_repository: {repo: x, state: absent}", False),
        ("tasks/main.yml", "- copy: {src: a, dest: /etc/motd}", False),
        ("user-data", "apt: {sources: {a: {source: 'deb https://x.example/ $RELEASE main'}}}", True),
        ("user-data", "apt_sources: [{source: 'ppa:a/b'}]", True),
        ("user-data", "write_files: [{path: /etc/apt/preferences.d/a, content: b}]", True),
        ("user-data", "write_files: [{path: /etc/hosts, content: b}]", False),
    ],
)  # fmt: skip
def test_what_a_machine_is_told_of_sources(bench: Workbench, name: str, text: str, unpinned: bool) -> None:
    bench.write(
        name,
        f"#cloud-config\n{text}\n{'packages: [curl]' if name == 'user-data' else '- apt: {name: curl}'}\n",
    )
    result = bench.run("lock", name, "--suite", "bookworm")
    assert ("[other-repository]" in result.out) == unpinned, result.out
    assert ("curl=" in bench.read(name)) != unpinned


TREE = {
    "web/Dockerfile": "ARG V\nARG P=jq\nFROM debian:$V\nARG P\nCOPY web/run.sh web/pkgs.txt /\n"
    "RUN apt-get install $P && /run.sh && xargs apt-get install < /pkgs.txt\n",
    "web/run.sh": "#!/bin/sh\napt-get install -y curl\n",
    "web/pkgs.txt": "make\nbc # small\n",
    "other/Dockerfile": "FROM ubuntu:22.04\nRUN apt-get install vim\n",
    "compose.yaml": "services:\n web:\n  build: {context: ., dockerfile: web/Dockerfile, args: {V: $SUITE, P: git}}\n"
    ' x:\n  build: {dockerfile_inline: "FROM debian:$SUITE\\nRUN apt-get install nginx"}\n',
    ".env": "SUITE=bookworm\n",
    "docker-bake.hcl": 'target "a" {\n dockerfile = "other/Dockerfile"\n contexts = {"ubuntu:22.04" = '
    '"docker-image://ubuntu:24.04"}\n}\n',
    ".devcontainer/devcontainer.json": '{"image": "debian:12", "postCreateCommand": "apt-get install nano"}',
    ".gitlab-ci.yml": "include: {local: /ci/a.yml}\nx:\n extends: .b\n script: apt-get install gcc\n",
    "ci/a.yml": ".b:\n image: debian:11\n before_script: [apt-get install g++]\n",
    ".github/workflows/ci.yml": WORKFLOW,
    ".circleci/config.yml": "jobs: {a: {docker: [{image: 'debian:12'}], steps: [{run: apt-get install tcl}]}}\n",
    "user-data": "#cloud-config\npackages: [tree]\n",
    "tasks/main.yml": "- apt: {name: htop}\n",
}


def test_a_file_means_the_same_alone_with_others_and_by_its_folder(bench: Workbench) -> None:
    bench.configure('files = {"user-data" = "noble", "tasks/*" = "trixie"}\n')
    for name, text in TREE.items():
        bench.write(name, text)

    def scanned(*names: str) -> dict[str, list[Any]]:
        found = json.loads(bench.run("scan", "--json", *names).out)
        told = [*found["calls"], *found["skipped"], *found["diagnostics"]]
        return {name: [each for each in told if each["path"] == name] for name in found["files"]}

    whole = scanned()
    assert whole.keys() >= TREE.keys() - {".env", "docker-bake.hcl"}
    chosen = random.Random(17)
    for name in whole:
        others = chosen.sample(sorted(whole.keys() - {name}), 3)
        folder = name.rpartition("/")[0] or name
        for how in ([name], [name, *others], [folder]):
            assert scanned(*how).get(name) == whole[name], how


def test_a_script_of_the_context_installs_what_it_is_given(bench: Workbench) -> None:
    bench.write("apt-install", '#!/bin/sh\napt-get update\napt-get install -y "$@"\n')
    bench.write("Dockerfile", "FROM debian:bookworm\nCOPY apt-install /bin/\nRUN apt-install curl\n")
    assert bench.run("lock", "--platform=linux/amd64").status == 0
    assert bench.read("Dockerfile").endswith("RUN apt-install curl=7.88.1-10+deb12u14\n")
    assert bench.read("pinner.lock").count('argument = "curl=') == 1
    assert bench.run("lock", "--check").status == 0


def test_a_script_that_a_string_calls_is_given_what_the_string_says(bench: Workbench) -> None:
    bench.write("inst.sh", '#!/bin/sh\nmain() {\n  apt-get install -y "$@"\n}\nmain "$@"\n')
    for call, status in (
        ("sh /inst.sh curl", 0),
        ("sh -c '/inst.sh curl'", 0),
        ("bash -ec 'apt-get update; /inst.sh curl'", 0),
        ("sh -c '/inst.sh \"$0\"' curl", 1),
    ):
        bench.write("Dockerfile", f"FROM debian:bookworm\nCOPY inst.sh /\nRUN {call}\n")
        assert bench.run("lock", "--strict", "--dry-run").status == status, call
