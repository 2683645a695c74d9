"""What a stage's instructions make of apt's files, as far as it can be read off them."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable

import pytest

from pinner.recipe.dockerfile import parse
from pinner.recipe.walk import Walked
from pinner.shell.content import UNKNOWN, Content

LIST, OWN = "/etc/apt/sources.list.d/x.list", "/etc/apt/sources.list"
DEBIAN = "/etc/apt/sources.list.d/debian.sources"
LINE = "deb https://x.example bookworm main"
ENCODED = b64encode(f"echo '{LINE}' > {LIST}".encode()).decode()
STANZA = "Types: deb\nURIs: http://deb.debian.org/debian\nSuites: bookworm\nComponents: main\n"

BOOKWORM = {
    "/etc/os-release": 'ID=debian\nVERSION_CODENAME=bookworm\nVERSION_ID="12"\n',
    DEBIAN: STANZA,
}
BUSTER = {
    "/etc/os-release": 'ID=debian\nVERSION_CODENAME=buster\nVERSION_ID="10"\n',
    OWN: "deb http://deb.debian.org/debian buster main\ndeb http://deb.debian.org/debian buster-updates main\n",
}
JAMMY = {
    "/etc/os-release": 'ID=ubuntu\nVERSION_CODENAME=jammy\nVERSION_ID="22.04"\nUBUNTU_CODENAME=jammy\n',
    OWN: "deb http://archive.ubuntu.com/ubuntu jammy main universe\n",
}


class Files:
    """A build context."""

    def __init__(
        self, files: dict[str, str], archives: dict[str, dict[str, str | None]] | None = None
    ) -> None:
        self._archives = archives or {}
        self._files = {**files, **dict.fromkeys(self._archives, "\x1f\x8b")}

    def deb(self, path: str) -> None:
        return None

    def archive(self, path: str) -> dict[str, str | None] | None:
        return self._archives.get(path)

    def text(self, path: str) -> str | None:
        return self._files.get(path)

    def is_file(self, path: str) -> bool:
        return path in self._files

    def is_dir(self, path: str) -> bool:
        return any(each.startswith(f"{path}/".lstrip("/")) for each in self._files)

    def names(self, path: str) -> Iterable[str]:
        below = f"{path}/".lstrip("/")
        return sorted(
            {each[len(below) :].partition("/")[0] for each in self._files if each.startswith(below)}
        )

    def name(self, path: str) -> str:
        return path

    def every(self) -> frozenset[str]:
        return frozenset(each.rpartition("/")[2] for each in self._files)


ARCHIVE: dict[str, str | None] = {"etc/apt/sources.list.d/x.list": f"{LINE}\n", "usr/bin/x": None}
NESTED = {f"x-1.0/{path}": text for path, text in ARCHIVE.items()}


def walked(body: str, base: dict[str, str] = BOOKWORM, files: dict[str, str] | None = None) -> Walked:
    held = {path: Content(text) for path, text in base.items()}
    context = Files(files or {}, {"x.tgz": ARCHIVE, "nested.tgz": NESTED})
    found = Walked(parse(f"FROM debian:12\n{body}\n"), "linux/arm64", "arm64", lambda stage: held, context)
    found.stage(len(parse(f"FROM debian:12\n{body}\n").stages) - 1)
    return found


def sources(
    body: str, base: dict[str, str] = BOOKWORM, files: dict[str, str] | None = None
) -> dict[str, Content]:
    """The sources files at the end of the last stage that are not as the image has them."""
    found = walked(body, base, files)
    state = found.stage(max(found.seen))
    return {path: content for path, content in state.sources().items() if content.at >= 0}


WRITTEN = [
    (f'RUN echo "{LINE}" > {LIST}', LIST, False),
    (f"RUN echo '{LINE}' >> {LIST} && apt-get update", LIST, True),
    (f"RUN set -eux; \\\n    echo {LINE} >{LIST}; \\\n    apt-get update", LIST, False),
    (f'RUN echo "{LINE}" | tee {LIST}', LIST, False),
    (f'RUN echo "{LINE}" | sudo tee -a {LIST} > /dev/null', LIST, True),
    (f"RUN printf '{LINE}\\n' > {LIST}", LIST, False),
    (f"RUN printf '%s\\n' '{LINE}' > {OWN}", OWN, False),
    (f'RUN curl -fsSL https://x.example/key | gpg --dearmor -o /usr/share/keyrings/x.gpg && echo "{LINE}" > {LIST}',
     LIST, False),
    (f'RUN echo "deb https://x.example $(lsb_release -cs) main" > {LIST}', LIST, False),
    (f'RUN echo "deb https://x.example `lsb_release -sc` main" > {LIST}', LIST, False),
    (f'RUN echo "deb https://x.example $(lsb_release -a 2>&1 | grep Codename | cut -f2) main" > {LIST}', LIST, False),
    (f'RUN echo "deb https://x.example $(. /etc/os-release && echo "$VERSION_CODENAME") main" > {LIST}', LIST, False),
    (f'RUN . /etc/os-release && echo "deb https://x.example ${{VERSION_CODENAME}} main" > {LIST}', LIST, False),
    (f"RUN cat > {LIST} <<EOF\n{LINE}\nEOF", LIST, False),
    (f'SHELL ["bash", "-c"]\nRUN cat > {LIST} <<< "{LINE}"', LIST, False),
    (f"RUN cat <<EOF > {LIST}\n{LINE}\nEOF", LIST, False),
    (f"COPY <<EOF {LIST}\n{LINE}\nEOF", LIST, False),
    (f"RUN sudo sh -c 'echo \"{LINE}\" > {LIST}'", LIST, False),
    (f"RUN LC_ALL=C.UTF-8 add-apt-repository '{LINE}' > /dev/null", "/etc/apt/sources.list.d/archive_uri.list", True),
    (f"RUN <<EOF\n# no 'quotes' matter\necho '{LINE}' \\\n  > {LIST}\nEOF", LIST, False),
    (f"RUN <<EOF\ncat > {LIST} <<'X'\n{LINE}\nX\napt-get update\nEOF", LIST, False),
    (f"RUN set -eux; {{ \
    echo '{LINE}'; \
  }} > {LIST}", LIST, False),
    (f"RUN set -e; {{ printf '%s\\n' '{LINE}'; }} >> {LIST}; apt-get update", LIST, True),
    (f'ARG SUITE=bookworm\nRUN echo "deb https://x.example $SUITE main" > {LIST}', LIST, False),
    (f"ENV REPO='{LINE}'\nRUN echo \"$REPO\" | tee {LIST}", LIST, False),
    (f'RUN codename=$(lsb_release --codename --short) && echo "deb https://x.example $codename main" > {LIST}',
     LIST, False),
    (f'RUN . /etc/os-release; echo "deb https://x.example ${{UBUNTU_CODENAME:-$VERSION_CODENAME}} main" > {LIST}',
     LIST, False),
    (f"ARG SUITE=bookworm\nRUN cat <<EOF > {LIST}\ndeb https://x.example ${{SUITE}} main\nEOF", LIST, False),
    (f"RUN add-apt-repository -y -n -S '{LINE}'", "/etc/apt/sources.list.d/archive_uri.list", True),
    ("RUN add-apt-repository https://x.example", "/etc/apt/sources.list.d/archive_uri.list", True),
    (f'RUN add-apt-repository -y "{LINE}"', "/etc/apt/sources.list.d/archive_uri.list", True),
]  # fmt: skip


@pytest.mark.parametrize(("body", "path", "append"), WRITTEN)
def test_written(body: str, path: str, append: bool) -> None:
    found = sources(body)
    assert {place: content.known for place, content in found.items()} == {path: f"{LINE}\n"}


#: Other ways to write the same, not all of which may be run on a machine.
OTHERWISE = [
    f"RUN echo '{LINE}' | busybox tee {LIST}",
    f"RUN builtin echo '{LINE}' | unshare -r tee {LIST}",
    f"RUN echo {ENCODED} | base64 -d | sh",
    f'RUN eval "$(echo {ENCODED} | base64 --decode)"',
    f"RUN echo {ENCODED} > /x && base64 -d /x > /y && . /y",
    f"RUN trap \"echo '{LINE}' > {LIST}\" EXIT; true",
    f"RUN end() {{ echo '{LINE}' > {LIST}; }}; trap end 0; exit 0",
    f"RUN (trap \"echo '{LINE}' > {LIST}\" EXIT; true); true",
    f"RUN sh -c 'exit 0'; echo '{LINE}' > {LIST}",
    f"RUN (exit 1) || echo '{LINE}' > {LIST}",
    f"RUN bash -c 'exit 1' || echo '{LINE}' > {LIST}",
    f"RUN echo /x | xargs sh -c 'exit 0'; echo '{LINE}' > {LIST}",
    f"RUN true | exit 0; echo '{LINE}' > {LIST}",
    f"RUN chroot / sh -c \"echo '{LINE}' > {LIST}\"",
    f"RUN script -qec \"echo '{LINE}' > {LIST}\"",
    f"RUN su -lc \"echo '{LINE}' > {LIST}\"",
    f"RUN echo '{LINE}' > /x; runuser -u root -- cp /x {LIST}",
    f"RUN echo '{LINE}' > /x; dd if=/x of={LIST}",
    f"RUN echo '{LINE}' | install -m 644 /dev/stdin {LIST}",
    f"RUN cd /etc/apt; cd sources.list.d; cd /; cd - > /dev/null; echo '{LINE}' > x.list",
    f"RUN HOME=/etc/apt; echo '{LINE}' > ~/sources.list.d/x.list",
    f"RUN cd /etc/a*/sources.list.d && touch x.list && echo '{LINE}' | tee x.l*",
    f'SHELL ["bash", "-c"]\nRUN printf -v X %s "{LINE}"; pushd /etc/apt; pushd sources.list.d; popd; popd; '
     f'echo "$X" > etc/apt/sources.list.d/x.list',
]  # fmt: skip


@pytest.mark.parametrize("body", OTHERWISE)
def test_written_otherwise(body: str) -> None:
    found = sources(body)
    assert {place: content.known for place, content in found.items()} == {LIST: f"{LINE}\n"}


def test_docker_says_it_this_way() -> None:
    found = sources(
        'RUN echo \\\n  "deb [arch="$(dpkg --print-architecture)" signed-by=/etc/apt/keyrings/docker.gpg] '
        "https://download.docker.com/linux/debian \\\n"
        '  "$(. /etc/os-release && echo "$VERSION_CODENAME")" stable" | \\\n'
        f"  tee {LIST} > /dev/null"
    )
    text = "deb [arch=arm64 signed-by=/etc/apt/keyrings/docker.gpg] https://download.docker.com/linux/debian"
    assert " ".join((found[LIST].known or "").split()) == f"{text} bookworm stable"


@pytest.mark.parametrize(
    ("body", "base", "text"),
    [
        (f"sed -i 's/main/main contrib/' {OWN}", BUSTER, BUSTER[OWN].replace("main", "main contrib")),
        (f"sed -i -e '/buster-updates/d' -e 's|deb.debian.org|archive.debian.org|' {OWN}", BUSTER,
         "deb http://archive.debian.org/debian buster main\n"),
        ("cd /etc/apt && sed -ri 's/(deb) (http)/\\1 [x=y] \\2/;$d' sources.list", BUSTER,
         "deb [x=y] http://deb.debian.org/debian buster main\n"),
        (f"cp {OWN} /tmp/x && sed -i '/updates/!d' {OWN} && cat /tmp/x >> {OWN}", BUSTER,
         BUSTER[OWN].splitlines(keepends=True)[1] + BUSTER[OWN]),
        ("find /etc/apt -name '*.list' -exec sed -i s/buster/bullseye/ {} +", BUSTER,
         BUSTER[OWN].replace("buster", "bullseye")),
        ("grep -rl buster /etc/apt | xargs sed -i s/buster/bullseye/", BUSTER,
         BUSTER[OWN].replace("buster", "bullseye")),
        (f"gawk -i inplace '{{gsub(/buster/, \"bullseye\"); print}}' {OWN}", BUSTER,
         BUSTER[OWN].replace("buster", "bullseye")),
        ("mkdir /a && cp /etc/apt/sources.list /a/ && sed -i s/buster/x/ /a/* && rsync -a /a/ /etc/apt/", BUSTER,
         BUSTER[OWN].replace("buster", "x")),
        ("echo deb > /etc/apt/`echo sources`.list", BUSTER, "deb\n"),
        ("add-apt-repository -y multiverse", JAMMY, JAMMY[OWN].replace("universe", "universe multiverse")),
        ("sudo -E add-apt-repository universe", JAMMY, None),
        (f"[ ! -f {OWN} ] || sed -i s/main/x/ {OWN}", JAMMY, JAMMY[OWN].replace("main", "x")),
        (f"if [ -f {OWN} ]; then sed -i s/main/x/ {OWN}; else rm {DEBIAN}; fi", BOOKWORM, None),
        ("sed -i 's/nothing/x/' /etc/apt/sources.list.d/*.sources || true", BOOKWORM, None),
    ],
)  # fmt: skip
def test_edited(body: str, base: dict[str, str], text: str | None) -> None:
    found = sources(f"RUN {body}", base)
    assert {path: content.known for path, content in found.items()} == ({OWN: text} if text else {})


@pytest.mark.parametrize(
    ("body", "base", "left"),
    [
        ("RUN rm -rf /etc/apt/sources.list.d/*", BOOKWORM, []),
        (f"RUN echo '{LINE}' > {LIST}\nRUN rm -f {LIST}", BOOKWORM, [DEBIAN]),
        (f"RUN mv {OWN} {OWN}.bak", JAMMY, []),
        (f"RUN cp /dev/null {DEBIAN} && rm /etc/apt/sources.list.d/debian.sources", BOOKWORM, []),
        ("RUN rm -rf /etc/apt/sources.list.d/$X", BOOKWORM, [DEBIAN]),
        ("RUN find /etc/apt -type f -name '*.sources' -delete", BOOKWORM, []),
        ("RUN find /etc -maxdepth 1 -name '*.sources' -delete", BOOKWORM, [DEBIAN]),
        ("RUN ln -s /etc/apt/sources.list.d /l && rm /l && rm /l/debian.sources", BOOKWORM, [DEBIAN]),
        ("RUN ln -s /etc/apt/sources.list.d /l && rm /l/debian.sources", BOOKWORM, []),
        ("RUN ln -s /etc/apt/sources.list.d /l && rm -rf /l/ || true", BOOKWORM, []),
        ("RUN find /etc/apt -path '*/*.d/*' -not -name x -delete", BOOKWORM, []),
        ("RUN cd /etc && find . -path ./apt/sources.list.d/debian.sources -exec rm {} +", BOOKWORM, []),
        ("RUN find /etc/apt -iname '*.SOURCES' -delete", BOOKWORM, []),
        ("RUN find /etc/apt \\( -name x -o -name '*.sources' \\) -delete", BOOKWORM, []),
        ("RUN find / -name '*.pyc' -o -newer /x -name __pycache__ -delete", BOOKWORM, [DEBIAN]),
    ],
)
def test_removed(body: str, base: dict[str, str], left: list[str]) -> None:
    found = walked(body, base)
    assert sorted(found.stage(0).sources()) == left


def test_a_source_counts_from_the_next_update_on() -> None:
    body = f"RUN apt-get update && echo '{LINE}' > {LIST} && apt-get install x && apt-get update && apt-get install y"
    first, second, _ = walked(body).seen[0]
    assert [LIST in (each.state.fetched or [{}])[0] for each in (first, second)] == [False, True]


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        ("<<'E' bash -ex", "E"),
        ("bash -ex <<E", "E"),
        ("<<-'E' /bin/sh -e", "\tE"),
        ("cat > /x <<'X' && bash <<'E'\n$\nX", "E"),
        ("<<E", "E"),
        ("<<E sudo -E bash", "E"),
    ],
)
def test_what_a_here_document_installs_is_seen_where_it_stands(begin: str, end: str) -> None:
    lines = [
        f"X={LINE.split()[1]}",
        f'echo "deb $X bookworm main" > {LIST}',
        "apt-get update",
        "apt-get install b",
    ]
    body = "\n".join(["apt-get install a", *lines])
    found = walked(f"RUN {begin}\n{body}\n{end}")
    text = f"FROM debian:12\nRUN {begin}\n{body}\n{end}\n"
    first, second = (each for each in found.seen[0] if each.settings is not None)
    assert [text[each.start : each.end] for each in (first, second)] == [
        "apt-get install a",
        "apt-get install b",
    ]
    assert [LIST in each.state.sources() for each in (first, second)] == [False, True]


def test_what_a_function_of_a_sourced_file_installs_is_seen_there() -> None:
    text = 'get() {\n  apt-get update\n  apt-get install -y "$@"\n}\n'
    found = walked("COPY lib.sh /\nRUN . /lib.sh && get a && get b", files={"lib.sh": text})
    seen = [each for each in found.seen[0] if each.settings is not None]
    assert [text[each.start : each.end] for each in seen if each.file] == ['apt-get install -y "$@"'] * 2
    assert {each.file for each in seen} == {"lib.sh", ""}


def test_what_a_mount_brings_in_holds_in_its_instruction() -> None:
    mount = f"RUN --mount=type=bind,source=x.list,target={LIST} apt-get update && apt-get install a"
    found = walked(f"{mount}\nRUN apt-get install b", files=CONTEXT)
    first, second = (each for each in found.seen[0] if each.settings is not None)
    assert first.state.sources()[LIST].at >= 0
    assert LIST not in second.state.sources()


def test_a_ppa() -> None:
    found = sources("RUN add-apt-repository -y ppa:deadsnakes/ppa", JAMMY)
    (content,) = found.values()
    assert content.text == "deb https://ppa.launchpadcontent.net/deadsnakes/ppa/ubuntu jammy main\n"


ADD = f"#!/bin/sh\necho '{LINE}' > {LIST}\n"
CONTEXT = {
    "run.sh": '. "$(dirname "${BASH_SOURCE[0]}")/add.sh"\n',
    "scripts/add.sh": ADD,
    "root/etc/apt/sources.list.d/x.list": f"{LINE}\n",
    "x.list": f"{LINE}\n",
    "Makefile": f"all:\n\tcc x.c\nrepo: text\n\t@mv text {LIST}\ntext:\n\techo '{LINE}' > $@\n".replace(
        "$@", "text"
    ),
}


@pytest.mark.parametrize(
    "body",
    [
        f"COPY x.list {LIST}",
        "COPY *.list /etc/apt/sources.list.d/",
        "COPY root/ /",
        "COPY --parents root/./etc/apt/sources.list.d/x.list /",
        "COPY --parents ./root/./etc/*/sources.list.d /",
        "COPY --parents=true ./root/etc/apt /x\nRUN cp -r /x/root/etc /",
        "COPY --exclude=*.md root/ /",
        "COPY root/etc/apt /etc/apt/",
        "ADD root/etc/apt/sources.list.d /etc/apt/sources.list.d",
        "COPY scripts/add.sh /tmp/\nRUN /tmp/add.sh",
        "COPY . /ctx\nWORKDIR /ctx\nRUN sh ./scripts/add.sh",
        "COPY scripts /s\nRUN . /s/add.sh",
        "COPY scripts /s\nCOPY run.sh /s/\nRUN bash /s/run.sh",
        "RUN --mount=type=bind,source=scripts,target=/s bash -e /s/add.sh",
        "RUN --mount=target=/c cp /c/x.list /etc/apt/sources.list.d/",
        "COPY . /c\nRUN cp -r /c/root/* /",
        "COPY root/etc/apt /r/etc/apt\nRUN cp -r /r/* /",
        "RUN ln -s /etc/apt/sources.list.d /l\nCOPY x.list /l/",
        "COPY x.list /\nRUN mkdir /p && ln -s ../etc/apt /p/apt && cp /x.list /p/apt/sources.list.d/",
        "COPY x.list /\nRUN cd /etc/apt && ln -s sources.list.d parts && cd parts && mv /x.list .",
        f"RUN ln -sfn /etc/apt/sources.list.d /one && ln -s /one /two && echo '{LINE}' > /two/x.list",
        f"COPY x.list /k/\nRUN ln -s /k/x.list {LIST}",
        f"RUN mkdir /k && touch /k/x.list && ln -s /k/x.list {LIST} && echo '{LINE}' > /k/x.list",
        "COPY x.list /k/\nRUN rm -rf /etc/apt/sources.list.d && ln -s /k /etc/apt/sources.list.d",
        "RUN cp -r /etc/apt /k && rm /k/*.d/*\nCOPY x.list /k/sources.list.d/\nRUN rm -r /etc/apt && mv /k /etc/apt",
        "COPY x.list /\nRUN rm -r /etc/apt && mkdir -p /etc/apt/sources.list.d && cp /x.list /etc/apt/sources.list.d",
        "COPY root/etc/apt /r/etc/apt\nRUN rsync -a /r/ /",
        "FROM debian AS two\nCOPY root/etc/apt /r/etc/apt\nFROM debian\nCOPY --from=two /r /",
        "COPY x.list /x.list\nRUN install -Dm644 /x.list /etc/apt/sources.list.d/x.list",
        f"COPY x.list /\nRUN cat /x.list | tee -a {LIST}",
        f"FROM debian AS two\nCOPY x.list {LIST}\nFROM debian\nCOPY --from=two {LIST} /etc/apt/sources.list.d/",
        "FROM debian AS two\nCOPY scripts /s\nFROM debian\nCOPY --from=two /s/add.sh /t/\nRUN sh /t/add.sh",
        "COPY scripts/add.sh /usr/local/bin/add\nRUN add",
        "COPY scripts/add.sh /s/add\nRUN run-parts /s",
        "COPY scripts /s\nRUN run-parts --regex='[.]sh$' /s",
        f"RUN bash -c \"echo '{LINE}' > {LIST}\"",
        f'RUN add() {{ echo "deb $1 $2 main" > {LIST}; }}; add https://x.example bookworm',
        f"RUN for x in x; do echo '{LINE}' > /etc/apt/sources.list.d/$x.list; done",
        f"RUN [ -d /etc/apt/preferences.d ] && [ ! -f /etc/apt/apt.conf.d ] && echo '{LINE}' > {LIST}",
        f"RUN rm -r /etc/apt/trusted.gpg.d; test -e /etc/apt/trusted.gpg.d || echo '{LINE}' > {LIST}",
        f"RUN case $(uname -m) in aarch64) echo '{LINE}' > {LIST};; *) rm {DEBIAN};; esac",
        f'RUN ["sh", "-c", "echo {LINE} > {LIST}"]',
        "COPY scripts/add.sh /opt/x/add\nENV PATH=/opt/x:$PATH\nRUN add",
        "COPY . /c\nRUN cd /c && ls scripts/*.sh | xargs -n 1 bash",
        f"FROM debian AS two\nONBUILD COPY x.list {LIST}\nFROM two",
        "ADD x.tgz /",
        "COPY x.tgz /tmp/\nRUN tar xzf /tmp/x.tgz -C /",
        "WORKDIR /\nRUN --mount=target=/c cat /c/x.tgz | tar -xz etc/apt",
        "COPY . /c\nRUN tar --strip-components=1 --directory / -xf /c/nested.tgz",
        "COPY root /r\nRUN tar c -C /r . | tar x -C /",
        "COPY root /r\nRUN cd /r && tar -cf - etc usr | (cd / && tar xf -)",
        "COPY root /r\nRUN (cd /r && tar cf - *) | (cd / && tar xf -)",
        "COPY root /r\nRUN tar cf /x.tar -C /r etc && tar -xf /x.tar -C /",
        "COPY Makefile /c/\nRUN make -C /c repo",
    ],
)
def test_files_of_the_build_context_and_all_the_ways_to_run(body: str) -> None:
    found = sources(body, files=CONTEXT)
    assert {path: content.known for path, content in found.items()} == {LIST: f"{LINE}\n"}


def test_lists_and_wrappers() -> None:
    files = {"apt.txt": "a\nb\n", "again.sh": '#!/bin/sh\nfor n in 1 2; do "$@" && exit 0; done; exit 1\n'}
    for line in (
        "xargs apt-get install < /apt.txt",
        "xargs -a /apt.txt apt-get install -y",
        "apt-get install $(cat /apt.txt)",
        "apt-get install $(grep -v '^#' /apt.txt | tr '\\n' ' ')",
        'mapfile -t P < /apt.txt && apt-get install "${P[@]}"',
        "while read -r p; do apt-get install -y $p; done < /apt.txt",
        "P=$(sed 's/#.*//' /apt.txt); apt-get install $P",
    ):
        found = walked(f'SHELL ["bash", "-c"]\nCOPY apt.txt /\nRUN {line}', files=files)
        assert found.seen[0][0].lists == ("apt.txt",), line
    for line in ("again apt-get install curl", "sh -e /usr/local/bin/again apt-get install curl"):
        found = walked(f"COPY again.sh /usr/local/bin/again\nRUN {line}", files=files)
        assert found.walk.wrappers == {"again": ""}
    for body, command in (
        ('apt-get update; apt-get install -y "$@"', "apt-get install -y"),
        ('dpkg -s "$@" || apt-get install "$@"', ""),
        ('apt-get install jq "$@"', "apt-get install"),
        ("P=$*; apt-get install $P", "apt-get install"),
        ("P=$*; dpkg -s $P || apt-get install $P", ""),
        ('apt-get install "lib$1" $2', ""),
    ):
        found = walked("COPY get /bin/\nRUN get a b", files={"get": f"#!/bin/sh\n{body}\n"})
        assert found.walk.wrappers == {"get": command}


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ('apt-get update; apt-get install -y "$@"; echo "$@ done"', {"f": "apt-get install -y"}),
        ("for p in $@; do apt-get install $p; done", {"f": "apt-get install"}),
        ("for p in $@; do which $p || apt-get install $p; done", {}),
        ('dpkg -s "$@" || apt-get install "$@"', {}),
        ('apt-get install "$@"; touch $1', {}),
        ('[ ${#1} -lt 9 ] && apt-get install "$@"', {}),
        ('echo "$1" | grep = || apt-get install "$@"', {}),
    ],
)
def test_functions_of_sourced_files(body: str, found: dict[str, str]) -> None:
    walk = walked("COPY lib.sh /\nRUN . /lib.sh && f a b", files={"lib.sh": f"f() {{ {body}; }}\n"})
    assert walk.walk.wrappers == found


@pytest.mark.parametrize(
    "body",
    [
        f'RUN if [ -n "$X" ]; then echo "{LINE}" > {LIST}; fi',
        f'RUN [ -f /x ] && echo "{LINE}" > {LIST}; true',
        f'RUN test -f /x || echo "{LINE}" > {LIST}',
        f'RUN echo "deb https://x.example $SUITE main" > {LIST}',
        f"RUN curl -o {LIST} https://x.example/x.list",
        f"RUN curl https://x.example/x.list | tee {LIST}",
        f"COPY y.list {LIST}",
        f"COPY --from=image x.list {LIST}",
        "COPY apt/ /etc/apt/",
        "COPY --parents etc/apt/sources.list.d/*.list /",
        "COPY --exclude=*.list root/ /",
        "RUN curl https://x.example/setup | bash -",
        "RUN curl -o s https://x.example/setup && sh s",
        "ADD https://x.example/setup /s\nRUN bash /s",
        'RUN bash -c "$(curl https://x.example/setup)"',
        "RUN bash <(curl https://x.example/setup)",
        "RUN wget https://x.example/x.deb && dpkg -i x.deb",
        "RUN curl -o /tmp/y.deb https://x.example/x.deb && apt-get install -y /tmp/y.deb",
        "RUN extrepo enable x",
        f'ARG SUITE\nRUN echo "deb https://x.example $SUITE main" > {LIST}',
        f'RUN if x; then S=a; else S=b; fi; echo "deb https://x.example $S main" > {LIST}',
        f"RUN {{ echo '{LINE}'; curl https://x.example; }} > {LIST}",
        "RUN sed -i 's/x/y/e' /etc/apt/sources.list.d/debian.sources",
        "RUN add-apt-repository ppa:deadsnakes/ppa",
        f"RUN echo 'unterminated > {LIST}",
        "RUN curl https://x.example/apt-sources.tar.gz | tar xz -C /",
        "RUN curl https://x.example/a.tar.gz | tar xz -C /etc",
        "RUN tar -C / -xf /a.tar etc/apt/sources.list",
        f"RUN python3 - <<E\nopen('{LIST}', 'w')\nE",
        "RUN curl -o s.py https://x.example/s.py && python3 s.py",
        "RUN curl https://x.example/s.py | python3",
        'RUN python3 -c "$(curl https://x.example/s.py)"',
        f"RUN bash -c 'exec > {LIST}; echo {LINE}'",
        f"RUN exec 3> {LIST}; echo {LINE} >&3",
        f"RUN echo {LINE} | tee >(cat > {LIST})",
        "RUN sed -i 's/deb.debian.org/x.example/' $FILE",
        'ARG SCRIPT\nRUN sh -c "$SCRIPT"',
        'ARG SCRIPT\nRUN eval "$SCRIPT"',
        "RUN base64 -d /x.b64 | bash",
        'RUN eval "$(openssl base64 -d -in /x)"',
        "RUN git clone https://x.example/x /x && cp -r /x/apt /etc/",
        "RUN git clone https://x.example/x /x && cp -r /x/etc/* /etc",
        "RUN git clone https://x.example/x /x && mv /x/apt /etc/apt",
        "RUN git clone https://x.example/x /x && cp -a /x/rootfs/. /",
        "RUN curl -o x.zip https://x.example/x.zip && unzip x.zip -d /etc",
        "RUN curl -o x.zip https://x.example/rootfs.zip && 7z x rootfs.zip -o/",
        "RUN cd /etc && cpio -id < /x.cpio",
        "RUN cd /etc/apt/sources.list.d && split /x",
        "RUN cd /etc/apt && patch -p1 < /x",
        "RUN cd /etc && ed apt/sources.list < /x",
        'RUN perl -e \'open(F, ">" . join("/", "/etc", "apt", "x"))\'',
        f"RUN awk 'BEGIN {{ print > \"{LIST}\" }}'",
        f"RUN echo x | sed -n 'w {LIST}'",
        "RUN curl -f x || ln -s /etc/apt/sources.list.d /l; cp /etc/hosts /l/x.list",
        "RUN mkdir /a; if curl -f x; then rm -rf /etc/apt/sources.list.d; ln -s /a /etc/apt/sources.list.d; fi",
        "RUN find /etc/apt -not -name '*.list' -exec perl -pi -e s/a/b/ {} +",
        f"RUN find / -maxdepth 1 -name etc -exec sh -c 'echo x > {LIST}' ';'",
        "RUN find /etc -regex '.*sources' | xargs perl -pi -e s/a/b/",
    ],
)
def test_what_is_not_known(body: str) -> None:
    found = sources(body, files=CONTEXT)
    assert found
    assert all(content.known is None for content in found.values())


@pytest.mark.parametrize(
    "body",
    [
        "RUN curl https://sh.rustup.rs | sh -s -- -y",
        "ARG X\nRUN echo x >> $X/f; cp /x $X/; cd $X && cd y && echo x > f && cp -r /x .",
        "RUN wget -qO- https://x.example/x.tar.gz | tar xz && cd x && ./configure && make install",
        "RUN pip install x && npm ci && ./gradlew build",
        "COPY --from=image /usr/bin/tool /usr/bin/",
        "COPY x.tgz /opt/\nADD x.tgz /opt/\nCOPY Makefile /c/\nRUN make -C /c",
        "RUN ls /etc/apt/sources.list.d && cat /etc/apt/sources.list.d/debian.sources",
        'RUN eval "$(ssh-agent -s)" && eval "$(conda shell.bash hook)" && eval `opam env`',
        "RUN curl -L https://x.example/tool.gz | gunzip > /usr/local/bin/tool && chmod +x /usr/local/bin/tool && tool",
        f"RUN chroot /mnt sh -c 'echo x > {LIST}'",
        "RUN trap 'echo failed' ERR; busybox ls /etc; cp -r /x/bin /usr/local; cp /x/y.conf /etc/",
        "RUN cd /tmp && curl -O https://x.example/x.zip && unzip x.zip && unzip x.zip -d /opt/x",
    ],
)
def test_what_changes_nothing(body: str) -> None:
    assert sources(body) == {}


def test_unknown_is_marked() -> None:
    found = sources(f'RUN echo "deb https://$HOST/x bookworm main" > {LIST}')
    assert found[LIST].text == f"deb https://{UNKNOWN}/x bookworm main\n"


@pytest.mark.parametrize(
    ("body", "changes"),
    [
        ("RUN perl -pi -e s/main/x/ /etc/apt/sources.list", True),
        ("COPY s.py /\nRUN python3 /s.py", True),
        ("COPY s.py /\nRUN /s.py", True),
        ("RUN <<EOF\n#!/usr/bin/env python3\nopen('/etc/apt/sources.list', 'w')\nEOF", True),
        ("RUN <<EOF\n#!/usr/bin/perl\nprint 1;\nEOF", False),
        ("RUN curl https://x.example/a.tgz | tar xz -C /etc/apt", True),
        ("RUN chmod 644 /etc/apt/sources.list && python3 -m venv /opt/x.y", False),
    ],
)
def test_programs_that_are_not_followed(body: str, changes: bool) -> None:
    script = "#!/usr/bin/env python3\nopen('/etc/apt/sources.list', 'w')\n"
    assert bool(sources(body, files={"s.py": script})) is changes


@pytest.mark.parametrize(
    "options",
    ["-t bookworm-backports", "-c /opt/x.conf", '-t "$(lsb_release -cs)-backports"', '-t "$NOTHING"'],
)
def test_options_of_calls_that_take_words_from_a_list(options: str) -> None:
    seen = walked(f"COPY p.txt /\nRUN xargs -a /p.txt apt-get install -y {options}", files={"p.txt": "curl"})
    (setting,) = next(each.settings or () for each in seen.seen[0] if each.lists)[-1:]
    known = {"-t": "bookworm-backports", "-c": "/opt/x.conf"}[options[:2]]
    assert setting.value == (None if "NOTHING" in options else known)


@pytest.mark.parametrize(
    ("updates", "found"),
    [
        ("apt-get -o Acquire::Check-Valid-Until=false -o Acquire::Retries=3 update", ["false"]),
        ("apt-get -o Acquire::Check-Valid-Until=false update && apt-get update", []),
        ("if x; then apt-get -o Acquire::Check-Date=no update; else apt-get update; fi", []),
    ],
)
def test_what_an_update_says_of_expired_releases_holds_for_what_it_fetched(
    updates: str, found: list[str]
) -> None:
    seen, _ = walked(f"RUN {updates}; apt-get install -y curl").seen[0]
    assert [each.value for each in seen.settings or () if each.key.startswith("Acquire::")] == found
