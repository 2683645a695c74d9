"""Constructs of every grammar that pinner reads, repeated: what a hostile file can make of time.

    GROWTH["docker/stages"](1000)()        reads a Dockerfile of 1,000 stages

A construct is a row: what makes a text of n of them, and what reads that text. `exponent` says how the time grows from
n to 4n: about 1 for a reader that looks at everything once, about 2 where everything is compared with everything.
"""

from __future__ import annotations

import io
import math
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from pinner.errors import PinnerError

_LIST = "/etc/apt/sources.list.d/x.list"
Row = Callable[[int], Callable[[], object]]


def repeated(unit: str, n: int) -> str:
    """`unit` n times, `{i}` the number of each."""
    return "".join(unit.replace("{i}", str(number)) for number in range(n))


def scanned(name: str, head: str, unit: str, tail: str = "", close: str = "") -> Row:
    """A file of that name, as `pinner scan` reads it; `close` is what ends each unit, behind the tail."""

    def row(n: int) -> Callable[[], object]:
        text = head + repeated(unit, n) + tail + close * n

        def read() -> object:
            from pinner.stages.install_commands import read_file
            from pinner.stages.suites import Options

            with suppress(PinnerError):
                return list(read_file(name, text, Options(platforms=("linux/amd64",))).calls())
            return None

        return read

    return row


def docker(unit: str, tail: str = "", head: str = "") -> Row:
    return scanned("Dockerfile", f"FROM debian:bookworm\n{head}", unit, tail)


def run(unit: str, tail: str = "", head: str = "", close: str = "") -> Row:
    """One RUN of it."""
    return scanned("Dockerfile", f"FROM debian:bookworm\nRUN {head}", unit, tail, close)


def script(unit: str, tail: str = "apt-get install -y curl\n", head: str = "") -> Row:
    return scanned("build.sh", f"#!/bin/bash\n{head}", unit, tail)


def gitlab(head: str, unit: str, tail: str = "") -> Row:
    return scanned(".gitlab-ci.yml", head, unit, tail)


def github(head: str, unit: str, tail: str = "") -> Row:
    return scanned(".github/workflows/x.yml", head, unit, tail)


def builds(name: str, unit: str, head: str = "", tail: str = "") -> Row:
    """A file that says how Dockerfiles are built, and one that is built so."""

    def row(n: int) -> Callable[[], object]:
        text = head + repeated(unit, n) + tail

        def read() -> object:
            from pinner.recipe import dockerfile
            from pinner.stages import builds

            found = builds.around({name: text}, {}, lambda path: path == "Dockerfile")
            own = found["Dockerfile"].builds if "Dockerfile" in found else ()
            return dockerfile.parse("ARG V\nFROM a:$V\nARG A\nRUN b\n", builds=own)

        return read

    return row


_JOB = "\njob:\n  image: debian:bookworm\n  script:\n    - apt-get install -y curl\n"
_STEPS = "on: push\njobs:\n  job:\n    runs-on: x\n    container: debian:bookworm\n    steps:\n"


def configuration(head: str, unit: str, tail: str = "") -> Row:
    def row(n: int) -> Callable[[], object]:
        from pinner import toml

        text = head + repeated(unit, n) + tail

        def read() -> object:
            with suppress(ValueError):
                return toml.loads(text)
            return None

        return read

    return row


def locked(unit: str) -> Row:
    """A lock with one character that pinner does not write, so that TOML is read."""

    def row(n: int) -> Callable[[], object]:
        from pinner.lock import reader

        text = "schema = 1\n" + repeated(unit, n)

        def read() -> object:
            with suppress(PinnerError):
                return reader.loads(text)
            return None

        return read

    return row


def text(read: Callable[[str], object], head: str, unit: str, tail: str = "") -> Row:
    """A text as that reader reads it."""

    def row(n: int) -> Callable[[], object]:
        content = head + repeated(unit, n) + tail

        def once() -> object:
            with suppress(PinnerError, ValueError):
                return read(content)
            return None

        return once

    return row


def _configuration(content: str) -> object:
    from pinner.apt import conf, decisions

    try:
        settings = conf.read(content, include=lambda _: [("x", content)])
    except PinnerError:
        settings = conf.read(content)
    return [settings.values("a"), decisions.of((("x", content),), "apt-get")]


def _sources(content: str) -> object:
    from pinner.apt import sources_list

    return sources_list.conflict(sources_list.read("x.sources" if "Types" in content else "x.list", content))


def _preferences(content: str) -> object:
    from pinner.apt import preferences

    return [preferences.expression(each) for one in preferences.read("x", content) for each in one.names]


def _release(content: str) -> object:
    from pinner.apt import release

    return release.parse(content)


def _relations(content: str) -> object:
    from pinner.apt import relations

    return relations.parse(content)


def _installed(content: str) -> object:
    from pinner.apt import installed

    return installed.listed(content)


def _manifest(content: str) -> object:
    from pinner.images import manifests

    return manifests.read(content.encode(), "x")


def _configured(content: str) -> object:
    from pinner.project import config

    return config.from_table(config._parsed(content, Path("pinner.toml")), "pinner.toml")


def _merged_lock(content: str) -> object:
    from pinner.lock import reader

    return reader.loads(content, merge=True)


def laid_out(unit: str) -> Row:
    """A lock of n such lines in its first section of its kind, as pinner lays it out."""
    from pinner.lock import reader, writer
    from pinner.lock.schema import Lock

    name, _, line = unit.partition(" ")
    begin, end = writer.dumps(Lock()).split(f"\n{name} = [\n", 1)
    return text(
        lambda content: writer.dumps(reader.loads(content)),
        f"{begin}\n{name} = [\n",
        f"  {{ {line} }},\n\n",
        end,
    )


def glob(unit: str) -> Row:
    def row(n: int) -> Callable[[], object]:
        from pinner.resolve import patterns

        pattern, text = unit * n + "b", "a" * 2 * n

        def read() -> object:
            return patterns.glob(pattern).fullmatch(text)

        return read

    return row


def pax(n: int) -> Callable[[], object]:
    """A tar header with n attributes."""
    import tarfile

    from pinner.archive.tar import Tar

    records = b"6 a=b\n" * n
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, len(records)
    content = info.tobuf(tarfile.USTAR_FORMAT) + records + bytes(-len(records) % 512)

    def read() -> object:
        with suppress(PinnerError):
            return Tar(Stream(content), "x").next()
        return None

    return read


def pax_headers(n: int) -> Callable[[], object]:
    """n headers of one member."""
    from pinner.archive.tar import Tar

    content = _pax_header() * n

    def read() -> object:
        with suppress(PinnerError):
            return Tar(Stream(content), "x").next()
        return None

    return read


def _pax_header() -> bytes:
    import tarfile

    info = tarfile.TarInfo("x")
    info.pax_headers = {"path": "x" * 120}
    return info.tobuf(tarfile.PAX_FORMAT)[:1024]


def merged(n: int) -> Callable[[], object]:
    """n jobs of GitLab's that merge a mapping of n keys."""
    keys = repeated("  k{i}: v\n", n)
    return gitlab(
        f".a: &a\n{keys}", "j{i}: {<<: *a, image: 'debian:bookworm', script: [apt-get install -y curl]}\n"
    )(n)


class Stream:
    """Bytes as a source of a tar archive."""

    def __init__(self, content: bytes) -> None:
        self._file = io.BytesIO(content)
        self._size = len(content)

    def read(self, size: int) -> bytes:
        return self._file.read(size)

    def skip(self, size: int) -> bool:
        return self._file.seek(size, 1) <= self._size


GROWTH: Mapping[str, Row] = {
    # Dockerfiles
    "docker/stages": docker("FROM debian:bookworm AS s{i}\nRUN apt-get install -y curl\n"),
    "docker/stage chain": scanned(
        "Dockerfile",
        "FROM debian:bookworm AS s0\n",
        "FROM s{i} AS t{i}\nRUN apt-get install -y curl\nFROM t{i} AS s{i}\n",
    ),
    "docker/walked stage chain": scanned(
        "Dockerfile",
        "FROM debian:bookworm AS s0\nRUN echo x > /etc/apt/apt.conf.d/x\n",
        "FROM s{i} AS t{i}\nFROM t{i} AS s{i}\n",
        "FROM s1\nRUN apt-get install -y curl\n",
    ),
    "docker/walked runs": scanned(
        "Dockerfile",
        "FROM debian:bookworm\nRUN echo deb http://x.example a b > /etc/apt/sources.list.d/x.list\n",
        "RUN apt-get install -y p{i}\n",
    ),
    "docker/walked sudo": run(
        "sudo apt-get install -y p{i}; ", "true", head="echo x > /etc/apt/apt.conf.d/x; "
    ),
    "docker/sources blocks": docker(
        "# >>> pinner sources: debian 20260101T000000Z\nRUN true http://snapshot.debian.org/archive/debian/"
        "20260101T000000Z\n# <<< pinner sources\nRUN apt-get install -y p{i}\n"
    ),
    "docker/run": docker("RUN apt-get install -y p{i}\n"),
    "docker/env": docker("ENV A{i}=b\n", "RUN apt-get install -y $A1\n"),
    "walk/sed doubles": docker(
        f"RUN sed -i 's/./&&/g' {_LIST}\n", head=f"RUN echo 'deb http://a b c' > {_LIST}\n"
    ),
    "walk/sed doubles in one": run(
        "-e 's/./&&/g' ", _LIST, head=f"echo 'deb http://a b c' > {_LIST} && sed -i "
    ),
    "walk/cat doubles": docker(
        f"RUN cat {_LIST} {_LIST} > /b && cat /b /b > {_LIST}\n",
        head=f"RUN echo 'deb http://a b c' > {_LIST}\n",
    ),
    "walk/appends itself": docker(f"RUN cat {_LIST} >> {_LIST}\n", head=f"COPY x {_LIST}\n"),
    "walk/tee doubles": docker(
        f"RUN cat {_LIST} | tee -a {_LIST} {_LIST}\n", head=f"RUN echo 'deb http://a b c' > {_LIST}\n"
    ),
    "walk/evals": run('eval \'eval "$A"; eval "$A"\'; ', head='A=\'eval "$A"; eval "$A"\'; '),
    "walk/grep repeats": run("a*", f"b' > {_LIST}", head=f"echo {'a' * 400} | grep '"),
    "walk/grep nests": run("(", f"a+b' > {_LIST}", head=f"echo {'a' * 400} | grep -E '", close=")+"),
    "walk/sed repeats": run("a*", f"b/c/' {_LIST}", head=f"echo {'a' * 400} > {_LIST} && sed -i 's/"),
    "docker/env chain": docker("ENV A=$A$A\n", "RUN apt-get install -y $A\n"),
    "docker/arg": docker("ARG A{i}=b\n", "RUN apt-get install -y $A1\n"),
    "docker/arg chain": docker("ARG A{i}=${A{i}:-x}\n", "RUN apt-get install -y $A1\n"),
    "docker/copy": docker("COPY a{i} /etc/apt/sources.list.d/{i}.list\n", "RUN apt-get install -y curl\n"),
    "docker/add": docker("ADD https://x.example/{i} /etc/apt/{i}\n", "RUN apt-get install -y curl\n"),
    "docker/shell": docker('SHELL ["/bin/bash", "-c"]\n', "RUN apt-get install -y curl\n"),
    "docker/comments": docker("# pinner: suite=bookworm\n", "RUN apt-get install -y curl\n"),
    "docker/continuations": run("\\\n", "apt-get install -y curl"),
    "docker/comment continuations": run("\\\n# c\n", "apt-get install -y curl", head="true "),
    "docker/here-documents": docker("RUN <<E{i}\napt-get install -y curl\nE{i}\n"),
    "docker/many here-documents": run("<<E{i} ", "\n"),
    "docker/json": docker('RUN ["apt-get", "install", "curl"]\n'),
    "docker/json words": run('"a", ', '"b"]', head='["apt-get", "install", '),
    "docker/label": docker("LABEL a{i}=b\n"),
    "docker/mounts": run("--mount=type=bind,source=a{i},target=/a{i} ", "apt-get install -y curl"),
    # the shell
    "shell/words": run("p{i} ", head="apt-get install -y "),
    "shell/and": run("apt-get install -y p{i} && ", "true"),
    "shell/or": run("apt-get install -y p{i} || ", "true"),
    "shell/semicolons": run("apt-get install -y p{i}; ", "true"),
    "shell/pipes": run("a | ", "apt-get install -y curl"),
    "shell/pipes of lines": script("a |\n"),
    "shell/functions without a body": script("f{i}()\n"),
    "shell/arrays that seem closed": script("A=( #)\n"),
    "shell/subshells": run("( ", "apt-get install -y curl"),
    "shell/braces": run("{ ", "apt-get install -y curl"),
    "shell/substitutions": run("$( ", "apt-get install -y curl"),
    "shell/backquotes": run("`a` ", "", head="apt-get install -y "),
    "shell/brace expansions": run("{a,b}", "", head="apt-get install -y "),
    "shell/nested braces": run("{a,", "", head="apt-get install -y "),
    "shell/closed subshells": run("( ", "apt-get install -y curl", close=" )"),
    "shell/closed braces": run("{ ", "apt-get install -y curl", close="; }"),
    "shell/closed substitutions": run("$( ", "echo curl", head="apt-get install -y ", close=" )"),
    "shell/closed ifs": run("if a; then ", "apt-get install -y curl", close="; fi"),
    "shell/closed loops": run("for a in b; do ", "apt-get install -y curl", close="; done"),
    "shell/closed variables": run("${A:-", "curl", head="apt-get install -y ", close="}"),
    "shell/closed braces of words": run("{a,", "b", head="apt-get install -y ", close="}"),
    "shell/closed arithmetic": run("$((1+", "1", head="apt-get install -y ", close="))"),
    "shell/closed functions": run("f() { ", "apt-get install -y curl", close="; }; f"),
    "shell/closed cases": run("case a in a) ", "apt-get install -y curl", close=";; esac"),
    "shell/quotes": run("'a'", "", head="apt-get install -y "),
    "shell/double quotes": run('"$A"', "", head="apt-get install -y "),
    "shell/open quotes": run("'a\"", "", head="apt-get install -y "),
    "shell/escapes": run("\\a", "", head="apt-get install -y "),
    "shell/variables": run("${A:-", "", head="apt-get install -y "),
    "shell/expansions": run("$A ", "", head="A=curl; apt-get install -y "),
    "shell/patterns": run("${A##*", "", head="A=curl; apt-get install -y "),
    "shell/pattern stars": run(
        "*?", "}", head="A=curlcurlcurlcurlcurlcurlcurlcurlcurlcurlcurl; apt-get install -y ${A##"
    ),
    "shell/assignments": run("A=$A$A; ", "apt-get install -y $A", head="A=x; "),
    "shell/redirections": run(">a{i} ", "", head="apt-get install -y curl "),
    "shell/appends": run(
        "echo 'deb http://x.example/{i} a b' >> /etc/apt/sources.list; ", "apt-get install -y curl"
    ),
    "shell/tees": run("echo x{i} | tee -a /etc/apt/sources.list; ", "apt-get install -y curl"),
    "shell/sh -c": run("sh -c 'apt-get install -y p{i}'; ", "true"),
    "shell/nested sh -c": run("sh -c ", "apt-get install -y curl"),
    "shell/eval": run("eval ", "apt-get install -y curl"),
    "shell/sudo": run("sudo ", "apt-get install -y curl"),
    "shell/env": run("env A=b ", "apt-get install -y curl"),
    "shell/options": run("-o A::B{i}=c ", "install -y curl", head="apt-get "),
    "shell/if": run("if a; then ", "apt-get install -y curl"),
    "shell/ifs": run("if a; then apt-get install -y p{i}; fi; ", "true"),
    "shell/for": run("for a in b; do ", "apt-get install -y curl"),
    "shell/fors": run("for a in b c; do apt-get install -y $a; done; ", "true"),
    "shell/while": run("while a; do apt-get install -y b; done; ", "true"),
    "shell/case": run("a{i}) apt-get install -y curl;; ", "esac", head="case $A in "),
    "shell/functions": run("f{i}() { apt-get install -y curl; }; ", "f1"),
    "shell/calls": run("f; ", "true", head="f() { apt-get install -y curl; }; "),
    "shell/call chain": run("f{i}() { f{i} x; f0; }; ", "f0", head="f0() { apt-get install -y curl; }; "),
    "shell/arithmetic": run("$((1+", "", head="apt-get install -y "),
    "shell/tests": run("[ -n a ] && ", "apt-get install -y curl"),
    "shell/bangs": run("! ", "apt-get install -y curl"),
    "shell/globs": run("*?[a] ", "", head="apt-get install -y "),
    "shell/downloads": run("curl -o /a{i} https://x.example/{i}; ", "apt-get install -y curl"),
    "shell/keys": run("gpg -o /k{i} --dearmor /k{i}; ", "apt-get install -y curl"),
    "script/lines": script("apt-get install -y p{i}\n"),
    "script/broken lines": script("if (\n"),
    "script/broken quotes": script("echo 'a\n"),
    "script/broken done": script("done )\n"),
    "script/here-documents": script("cat <<E\na\nE\n"),
    "script/open here-documents": script("cat <<E{i}\n"),
    "script/appends": script("echo a >> /etc/apt/sources.list\n"),
    "script/assignments": script("A{i}=b\n", "apt-get install -y $A1\n"),
    "script/arrays": script("A+=(curl)\n", 'apt-get install -y "${A[@]}"\n'),
    "script/functions": script("f{i}() {\n  apt-get install -y curl\n}\nf{i}\n"),
    "script/source": script(". ./a{i}.sh\n"),
    "script/comments": script("# pinner: allow\n"),
    "script/blank lines": script("\n"),
    "script/carriage returns": script("true\r\n"),
    # YAML
    "bake/targets": builds("docker-bake.hcl", 'target "t{i}" {\n args = {V = "{i}"}\n}\n'),
    "bake/inherits": builds("docker-bake.hcl", 'target "t{i}" {\n inherits = ["t0", "t{i}"]\n}\n'),
    "bake/variables": builds("docker-bake.hcl", 'variable "v{i}" {\n default = "${v{i}}${v0}"\n}\n'),
    "bake/matrix": builds(
        "docker-bake.hcl", '"{i}", ', 'target "t" {\n matrix = {v = [', "]}\n args = {V = v}\n}\n"
    ),
    "bake/lists": builds("docker-bake.hcl", "[", "a = "),
    "bake/templates": builds("docker-bake.hcl", '"${', "a = "),
    "bake/inline": scanned(
        "docker-bake.hcl",
        'target "a" {\n dockerfile-inline = <<E\nFROM debian:12\n',
        "RUN apt-get install -y $${A} ${B}\n",
        "E\n}\n",
    ),
    "compose/services": builds(
        "compose.yaml", "  s{i}: {build: {context: ., args: {V: '${A:-{i}}'}}}\n", "services:\n"
    ),
    "compose/extends": builds(
        "compose.yaml", "  s{i}: {extends: s0, build: {args: {A: b}}}\n", "services:\n"
    ),
    "compose/commands": scanned(
        "compose.yaml", "services:\n", "  s{i}: {image: 'debian:12', command: apt-get install -y curl}\n"
    ),
    "gitlab/jobs": gitlab(
        "", "job{i}:\n  image: debian:bookworm\n  script:\n    - apt-get install -y curl\n"
    ),
    "gitlab/scripts": gitlab(
        "job:\n  image: debian:bookworm\n  script:\n", "    - apt-get install -y p{i}\n"
    ),
    "gitlab/extends": gitlab(".j0: &a\n  image: debian:bookworm\n", ".k{i}:\n  extends: .k{i}\n", _JOB),
    "gitlab/extends chain": gitlab(
        "",
        "job{i}:\n  extends: [.a, .b]\n  script: [apt-get install -y curl]\n",
        ".a:\n  extends: [.b, .b]\n.b:\n  extends: [.c, .c]\n.c:\n  extends: [.d, .d]\n.d: {image: debian}\n",
    ),
    "gitlab/merge keys": gitlab(".a0: &a0 {b: c}\n", ".a: &a{i}\n  <<: [*a{i}, *a0]\n", _JOB),
    "gitlab/merged once": gitlab(".a: &a\n", "  k{i}: v\n", ".j: {<<: [" + "*a, " * 200 + "*a]}" + _JOB),
    "gitlab/merged by all": merged,
    "gitlab/merge lists": gitlab(
        ".a: &a {image: debian:bookworm}\njob:\n  script: [apt-get install -y curl]\n  <<: [", "*a, ", "*a]\n"
    ),
    "gitlab/references": gitlab("", ".r{i}:\n  script: [!reference [.r{i}, script]]\n", _JOB),
    "gitlab/variables": gitlab("variables:\n", "  A{i}: $A{i}\n", _JOB),
    "gitlab/includes": gitlab("include:\n", "  - local: /a{i}.yml\n", _JOB),
    "gitlab/nesting": gitlab("job: ", "[", ""),
    "gitlab/closed nesting": scanned(".gitlab-ci.yml", "job: ", "[", "", "]"),
    "gitlab/blocks": gitlab("job:\n ", "- ", "a"),
    "gitlab/maps": gitlab("job: ", "{a: ", ""),
    "gitlab/aliases": gitlab("a: &a [b]\nc: [", "*a, ", "*a]" + _JOB),
    "gitlab/needs": gitlab(
        "job:\n  image: debian:bookworm\n  needs:\n", "    - j{i}\n", "  script: [apt-get install -y curl]\n"
    ),
    "gitlab/matrix": gitlab(
        "job:\n  image: debian:bookworm\n  parallel:\n    matrix:\n",
        "      - A{i}: b\n",
        "  script: [apt-get install -y curl]\n",
    ),
    "gitlab/rules": gitlab(
        "job:\n  image: debian:bookworm\n  rules:\n",
        "    - if: a\n      variables: {A: b}\n",
        "  script: [apt-get install -y $A]\n",
    ),
    "github/steps": github(_STEPS, "    - run: apt-get install -y p{i}\n"),
    "github/long step": github(_STEPS + "    - run: |\n", "        apt-get install -y p{i}\n"),
    "github/folded": github(_STEPS + "    - run: >\n        apt-get install -y\n", "        p{i}\n"),
    "github/quoted": github(_STEPS + '    - run: "apt-get install -y', " \\x61", '"\n'),
    "github/env": github("env:\n", "  A{i}: b\n", _STEPS + "    - run: apt-get install -y curl\n"),
    "github/jobs": github(
        "jobs:\n",
        "  j{i}:\n    container: debian:bookworm\n    steps:\n      - run: apt-get install -y curl\n",
    ),
    "github/uses": github(_STEPS, "    - uses: a/b@v{i}\n"),
    "github/expressions": github(_STEPS + "    - run: apt-get install -y ", "${{ a }} ", "\n"),
    "devcontainer/features": scanned(
        ".devcontainer.json",
        '{"image": "debian:bookworm", "features": {',
        '"f{i}": {},',
        '"x": {}}, "postCreateCommand": "apt-get install -y curl"}',
    ),
    "devcontainer/nesting": scanned(".devcontainer.json", '{"a": ', "[", ""),
    "devcontainer/commands": scanned(
        ".devcontainer.json",
        '{"image": "debian:bookworm", "postCreateCommand": {',
        '"c{i}": "apt-get install -y p{i}",',
        '"x": ["apt-get", "install", "curl"]}}',
    ),
    "devcontainer/comments": scanned(
        ".devcontainer.json", '{"image": "debian:bookworm",', "/* a */ // b\n", '"c": 1}'
    ),
    "compose/inline services": scanned(
        "compose.yaml",
        "services:\n",
        "  s{i}:\n    build:\n      dockerfile_inline: |\n        FROM debian:bookworm\n"
        "        RUN apt-get install -y curl\n",
    ),
    "compose/lines": scanned(
        "compose.yaml",
        "services:\n  s:\n    build:\n      dockerfile_inline: |\n        FROM debian:bookworm\n",
        "        RUN apt-get install -y p{i} $$A\n",
    ),
    "compose/quoted": scanned(
        "compose.yaml",
        'services:\n  s:\n    build:\n      dockerfile_inline: "FROM debian:bookworm',
        "\\nRUN apt-get install -y p{i}",
        '"\n',
    ),
    "circleci/jobs": scanned(
        ".circleci/config.yml",
        "version: 2.1\njobs:\n",
        "  j{i}:\n    docker: [{image: 'debian:bookworm'}]\n    steps:\n      - run: apt-get install -y curl\n",
    ),
    "circleci/steps": scanned(
        ".circleci/config.yml",
        "version: 2.1\njobs:\n  j:\n    docker: [{image: 'debian:bookworm'}]\n    steps:\n",
        "      - run: apt-get install -y p{i} << parameters.a >>\n",
    ),
    "circleci/commands": scanned(
        ".circleci/config.yml",
        "version: 2.1\ncommands:\n",
        "  c{i}:\n    steps:\n      - c{i}\n      - c0\n",
        "jobs:\n  j:\n    docker: [{image: 'debian:bookworm'}]\n    steps: [c0, run: apt-get install -y curl]\n",
    ),
    "ansible/tasks": scanned(
        "tasks/main.yml", "", "- name: a\n  apt:\n    name: [p{i}, '{{ item }}']\n  loop: [a, b]\n"
    ),
    "ansible/names": scanned("tasks/main.yml", "- apt:\n    name:\n", "      - p{i}\n"),
    "ansible/free form": scanned("tasks/main.yml", "- apt: name=curl ", "a{i}=b ", "\n"),
    "ansible/blocks": scanned("tasks/main.yml", "", "- block:\n    - apt: name=p{i}\n"),
    "cloud-init/packages": scanned("cloud-init.yaml", "#cloud-config\npackages:\n", "  - p{i}\n"),
    "cloud-init/commands": scanned(
        "cloud-init.yaml", "#cloud-config\nruncmd:\n", "  - [apt-get, install, -y, p{i}]\n"
    ),
    "list/lines": scanned("apt.txt", "", "p{i}  # c\n"),
    "list/words": scanned("apt.txt", "", "p{i} "),
    "list/comments": scanned("Aptfile", "", "# pinner: suite=bookworm\n:repo:x\n"),
    # apt's own files
    "apt.conf/keys": text(_configuration, "", 'A::B{i}::C "d";\n'),
    "apt.conf/list": text(_configuration, "", 'a:: "d{i}";\n'),
    "apt.conf/nesting": text(_configuration, "", "a {\n"),
    "apt.conf/closed nesting": text(_configuration, "", "a { b c; ", ""),
    "apt.conf/long key": text(_configuration, "a", "::b", ' "c";\n'),
    "apt.conf/comments": text(_configuration, "", "// a\n# b\n/* c */\n"),
    "apt.conf/open comments": text(_configuration, "", "/* "),
    "apt.conf/clears": text(_configuration, "", "#clear A{i};\n"),
    "apt.conf/includes": text(_configuration, "", '#include "x";\n'),
    "apt.conf/quotes": text(_configuration, 'a "', "\\'b'", '";\n'),
    "preferences/stanzas": text(_preferences, "", "Package: p{i}\nPin: version 1\nPin-Priority: 1000\n\n"),
    "preferences/names": text(
        _preferences, "Package: ", "p{i} /^a.*b$/ ?name(c) ", "\nPin: version 1\nPin-Priority: 1\n"
    ),
    "preferences/expression": text(
        _preferences, "Package: ?and(", "?or(a,", "\nPin: version 1\nPin-Priority: 1\n"
    ),
    "preferences/comments": text(_preferences, "", "Explanation: a\n# b\n\n"),
    "sources/lines": text(_sources, "", "deb [arch=amd64] http://x.example/{i} a b\n"),
    "sources/same": text(_sources, "", "deb [signed-by=/k{i}] http://x.example/ a b\n"),
    "sources/options": text(_sources, "deb [", "a{i}=b ", "] http://x.example a b\n"),
    "sources/components": text(_sources, "deb http://x.example a ", "c{i} "),
    "sources/stanzas": text(
        _sources, "", "Types: deb\nURIs: http://x.example/{i}\nSuites: a\nComponents: b\n\n"
    ),
    "sources/uris and suites": text(
        _sources, "Types: deb\nComponents: b\nURIs:", " http://x.example/{i}\nSuites: a{i}\n"
    ),
    "sources/fields": text(_sources, "Types: deb\n", "A{i}: b\n"),
    "sources/continued": text(_sources, "Types: deb\nSigned-By:\n", " .\n"),
    "release/digests": text(
        _release, "Date: Sat, 11 Jan 2025 09:30:00 UTC\nSuite: a\nSHA256:\n", " " + "0" * 64 + " 1 a{i}\n"
    ),
    "release/fields": text(_release, "", "A{i}: b\n"),
    "relations/clauses": text(_relations, "", "a (>= 1) | b{i}, "),
    "relations/alternatives": text(_relations, "", "a{i} | "),
    "relations/blanks": text(_relations, "a", " ", "(= 1"),
    "installed/lines": text(_installed, "", "p{i}\t1.0\tamd64\n"),
    "installed/status": text(
        _installed, "", "Package: p{i}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n"
    ),
    "manifest/platforms": text(
        _manifest,
        '{"schemaVersion": 2, "manifests": [',
        '{"mediaType": "application/vnd.oci.image.manifest.v1+json", "size": 1, "digest": "sha256:'
        + "0" * 64
        + '", "platform": {"os": "linux", "architecture": "a{i}"}},',
        '{"digest": "x"}]}',
    ),
    "manifest/nesting": text(_manifest, "", '{"manifests": ['),
    # what is no file of a build
    "toml/keys": configuration("", "[a.b{i}]\nc = 1\n"),
    "toml/dotted keys": configuration("a", ".b", " = 1\n"),
    "toml/dotted table": configuration("[a", ".b", "]\n"),
    "toml/arrays": configuration("a = ", "["),
    "toml/inline tables": configuration("a = ", "{b = "),
    "toml/many dotted": configuration("", "a.b.c.d{i} = 1\n"),
    "toml/tables": configuration("", "[[source]]\nuri = 'http://x.example/{i}'\nkey = 'k'\n"),
    "toml/strings": configuration('a = "', "\\u0061", '"\n'),
    "toml/comments": configuration("", "# c\n"),
    "pinner.toml/sources": text(_configured, "", "[[source]]\nuri = 'http://x.example/{i}'\nkey = 'k'\n"),
    "pinner.toml/images": text(_configured, "[images]\n", "'a{i}*' = 'bookworm'\n"),
    "pinner.toml/mirrors": text(
        _configured, "[mirrors]\n", "'http://x{i}.example/debian' = 'http://y.example'\n"
    ),
    "pinner.toml/lists": text(_configured, "exclude = [", "'a{i}', ", "]\n"),
    "pinner.lock/targets": laid_out(
        'targets file = "f{i}", stage = "0", platform = "linux/amd64", closure = "c{i}"'
    ),
    "pinner.lock/stages": laid_out(
        'targets file = "f", stage = "s{i}", platform = "linux/amd64", closure = "c", parent = "s0"'
    ),
    "pinner.lock/settings": laid_out('settings file = "f{i}", pin = "closure"'),
    "pinner.lock/conflicts": text(
        _merged_lock,
        "",
        "<<<<<<< a\nb\n||||||| c\n=======\nd\n>>>>>>> e\n",
    ),
    "pinner.lock/bases": text(
        _merged_lock,
        "<<<<<<< a\n",
        "||||||| c\n",
    ),
    "lock/packages": locked("[[package]]\nname = 'p{i}'\n"),
    "lock/dotted": locked("a.b{i} = 1\n"),
    "glob/?*": glob("?*"),
    "glob/*": glob("*a"),
    "glob/[a]*": glob("[a]*"),
    "tar/pax": pax,
    "tar/pax headers": pax_headers,
}


def seconds(row: Row, n: int) -> float:
    """CPU seconds that it takes to read n of them."""
    read = row(n)
    begun = time.process_time()
    read()
    return time.process_time() - begun


def exponent(row: Row, n: int) -> tuple[float, float, float, float]:
    """The seconds at n, 2n and 4n, and the exponent between the first and the last."""
    row(10)()  # what is loaded late is loaded
    first, second, third = (seconds(row, n * factor) for factor in (1, 2, 4))
    return first, second, third, math.log(max(third, 1e-6) / max(first, 1e-6), 4)
