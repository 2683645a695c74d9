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

from pinner.errors import PinnerError

Row = Callable[[int], Callable[[], object]]


def repeated(unit: str, n: int) -> str:
    """`unit` n times, `{i}` the number of each."""
    return "".join(unit.replace("{i}", str(number)) for number in range(n))


def scanned(name: str, head: str, unit: str, tail: str = "", close: str = "") -> Row:
    """A file of that name, as `pinner scan` reads it; `close` is what ends each unit, behind the tail."""

    def row(n: int) -> Callable[[], object]:
        text = head + repeated(unit, n) + tail + close * n

        def read() -> object:
            from pinner.stages.install_commands import read
            from pinner.stages.suites import Options

            with suppress(PinnerError):
                return list(read(name, text, Options(platforms=("linux/amd64",))).calls())
            return None

        return read

    return row


def docker(unit: str, tail: str = "") -> Row:
    return scanned("Dockerfile", "FROM debian:bookworm\n", unit, tail)


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

            found = builds.of({name: text}, {}, lambda path: path == "Dockerfile")
            return dockerfile.parse("ARG V\nFROM a:$V\nARG A\nRUN b\n", builds=found.get("Dockerfile", ()))

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
    "docker/run": docker("RUN apt-get install -y p{i}\n"),
    "docker/env": docker("ENV A{i}=b\n", "RUN apt-get install -y $A1\n"),
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
