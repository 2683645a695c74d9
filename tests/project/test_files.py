"""Files: which are found, that they are written whole or not at all."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pinner.errors import InputError
from pinner.project import files, survey
from pinner.recipe import kinds


@pytest.mark.parametrize(
    "name",
    [
        "Dockerfile",
        "Dockerfile.dev",
        "dev.Dockerfile",
        "app.dockerfile",
        "Containerfile",
        "Containerfile.ci",
        "dockerfile",
        "Dockerfile-dev",
        "Dockerfile_dev",
        "DockerfileDev",
        "containerfile-ci",
        "DOCKERFILE.ARM64",
        "app.Dockerfile",
        "Dockerfile.py",
    ],
)
def test_names_that_are_dockerfiles(name: str) -> None:
    assert kinds.by_name(name) == "dockerfile"


@pytest.mark.parametrize(
    "name",
    [
        "Dockerfile.dockerignore",
        "Dockerfile~",
        "Dockerfile.bak",
        "Dockerfiles",
        "README.md",
        "mydockerfile",
        ".dockerignore",
        "dockerfile-parser.md",
        "dockerfile_parser.py",
        "DockerfileParser.java",
    ],
)
def test_names_that_are_not(name: str) -> None:
    assert kinds.by_name(name) is None


def tree(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("FROM scratch\n")


def test_find_as_git_sees_them(tmp_path: Path) -> None:
    tree(tmp_path, "Dockerfile", "build/Dockerfile", "new/Dockerfile.x", "ignored/Dockerfile", "README")
    (tmp_path / ".gitignore").write_text("/ignored/\n")
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    subprocess.run(["git", "-C", str(tmp_path), "add", "Dockerfile"], check=True)
    found = [path.relative_to(tmp_path).as_posix() for path in survey.find(tmp_path)]
    assert found == ["Dockerfile", "build/Dockerfile", "new/Dockerfile.x"]


def test_find_without_git(tmp_path: Path) -> None:
    tree(
        tmp_path,
        "Dockerfile",
        "a/Containerfile",
        "vendor/Dockerfile",
        ".hidden/Dockerfile",
        "node_modules/Dockerfile",
    )
    found = [path.relative_to(tmp_path).as_posix() for path in survey.find(tmp_path, ["vendor/*"])]
    assert found == ["Dockerfile", "a/Containerfile"]


@pytest.mark.parametrize(
    ("name", "text", "passed"),
    [
        ("Dockerfile", "FROM a\n", ""),
        ("Dockerfile", "RUN docker inspect --format '{{.Id}}' a\nFROM a\n", ""),
        ("Dockerfile.j2", "FROM a\n", kinds.TEMPLATE),
        ("Dockerfile.in", "FROM a\n", kinds.TEMPLATE),
        ("app.Dockerfile.tmpl", "FROM a\n", kinds.TEMPLATE),
        ("setup.sh.j2", "apt-get install a\n", kinds.TEMPLATE),
        (
            "compose.yaml.tpl",
            "services: {a: {build: {dockerfile_inline: RUN apt-get install a}}}\n",
            kinds.TEMPLATE,
        ),
        ("setup.sh.j2", "echo\n", "it installs nothing"),
        ("Dockerfile", "FROM {{ base }}\n", kinds.TEMPLATE),
        ("Dockerfile", "FROM a\n{% for x in y %}\n", kinds.TEMPLATE),
        ("Dockerfile", "FROM a\nRUN apt-get install {{ packages }}\n", kinds.TEMPLATE),
        ("Dockerfile", "FROM %%BASE%%\n", kinds.TEMPLATE),
        ("Dockerfile_notes", "none\n", "no FROM in it"),
        ("a.sh", "echo\n", "it installs nothing"),
        (
            "cloud-init.yaml",
            "packages:\n%{ if x }\n - apt\n%{ endif }\nruncmd: [apt-get install a]\n",
            kinds.TEMPLATE,
        ),
        ("cloud-init.yaml", "runcmd:\n - |\n   {% if x %}\n   apt-get install a\n   {% endif %}\n", ""),
    ],
)
def test_what_a_search_passes_over(tmp_path: Path, name: str, text: str, passed: str) -> None:
    (tmp_path / name).write_text(text)
    (found,) = survey.survey(tmp_path)
    assert found.passed == passed


@pytest.mark.parametrize(
    "name",
    [
        "azure-pipelines.yml", "bitbucket-pipelines.yml", ".drone.yml", ".woodpecker/a.yaml", "Jenkinsfile",
        "Earthfile", "Vagrantfile", "a.pkr.hcl", "x.def", "Makefile", "a/rules.mk", ".travis.yml",
        ".cirrus.yml", ".buildkite/a.yml", "ci/a.jenkinsfile", ".semaphore/a.yml",
    ],
)  # fmt: skip
def test_files_that_nobody_reads(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("sudo apt-get install -y curl\n")
    (found,) = survey.survey(tmp_path)
    assert found.other and found.passed
    path.write_text("echo\n")
    assert survey.survey(tmp_path) == []


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("spec: [{command: [sh, -c, 'x; apt-get install -y a']}]\n", ["YAML"]),
        ("notes: [use apt-get to install it]\n", []),
        ("a: [apt-get install\n", []),
    ],
)
def test_yaml_of_no_kind_is_counted_where_it_has_a_command(
    tmp_path: Path, text: str, other: list[str]
) -> None:
    (tmp_path / "pod.yaml").write_text(text)
    assert [each.other for each in survey.survey(tmp_path)] == other


@pytest.mark.parametrize("data", [b"\xef\xbb\xbfFROM a\r\nRUN b", b"FROM \xc3\xa9\rRUN x\n", b""])
def test_text_is_kept_to_the_byte(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "f"
    path.write_bytes(data)
    text = files.read(path)
    files.write({path: text}, {path: text})
    assert path.read_bytes() == data


def test_not_utf8_names_the_place(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes("FROM a\nRUN é".encode() + b"\xe9 x\n")
    with pytest.raises(InputError) as caught:
        files.read(path)
    assert str(caught.value).startswith(f"{path}:2:6: not UTF-8: byte 0xe9")


def test_mode_and_symlink_stay(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.write_text("old")
    real.chmod(0o754)
    link = tmp_path / "link"
    link.symlink_to(real)
    files.write({link: "new"}, {link: "old"})
    assert link.is_symlink()
    assert real.read_text() == "new"
    assert real.stat().st_mode & 0o7777 == 0o754


def test_one_file_that_cannot_be_written_leaves_all_as_they_were(tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    a.write_text("a")
    b.write_text("b")
    b.chmod(0o444)
    with pytest.raises(InputError, match="read-only"):
        files.write({a: "A", b: "B"}, {a: "a", b: "b"})
    assert (a.read_text(), b.read_text()) == ("a", "b")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_a_file_changed_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    a.write_text("theirs")
    with pytest.raises(InputError, match="changed by somebody else"):
        files.write({a: "A", b: "B"}, {a: "a", b: None})
    assert a.read_text() == "theirs"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_folder_is_named_as_such(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Is a directory"):
        files.read(tmp_path)


def test_a_search_looks_through_no_link_out_of_the_tree(tmp_path: Path) -> None:
    """What lies there would show in what is said of the link."""
    outside, project = tmp_path / "outside", tmp_path / "tree"
    project.mkdir()
    subprocess.run(["git", "init", "--quiet", str(project)], check=True)
    outside.write_text("#!/bin/sh\napt-get install x\n- run: apt-get install x\n")
    outside.chmod(0o755)
    for name in ("ci.sh", "q.yml", "setup"):
        (project / name).symlink_to(outside)
    found = survey.survey(project)
    assert [(each.path.name, each.passed) for each in found] == [
        ("ci.sh", "a link that leads out of the work tree"),
    ]


def test_what_a_killed_run_left_beside_a_report_goes_with_the_next(tmp_path: Path) -> None:
    for name in (".a[1].md.0123abcd.pinner", ".a1.md.0123abcd.pinner"):
        (tmp_path / name).write_text("")
    files.put(tmp_path / "a[1].md", "text\n")
    assert sorted(each.name for each in tmp_path.iterdir()) == [".a1.md.0123abcd.pinner", "a[1].md"]
