"""What RUN lines write into apt's sources, as far as it can be read off them."""

from __future__ import annotations

from functools import partial

import pytest
from pinner.recipe.sourcefiles import Asked, Change, changes

from pinner.recipe.dockerfile import parse
from pinner.recipe.environment import Environment

LIST, OWN = "/etc/apt/sources.list.d/x.list", "/etc/apt/sources.list"
LINE = "deb https://x.example bookworm main"


BOOKWORM = {"ID": "debian", "VERSION_CODENAME": "bookworm", "VERSION_ID": "12"}
JAMMY = {"ID": "ubuntu", "VERSION_CODENAME": "jammy", "VERSION_ID": "22.04", "UBUNTU_CODENAME": "jammy"}


def found(body: str, release: dict[str, str] = BOOKWORM) -> tuple[Change, ...] | None:
    file = parse(f"FROM debian:12\n{body}\n")
    environment = Environment(file, {})
    asked = Asked(release, variable=partial(environment.lookup, 0))
    return changes(file, file.stages[0].instructions[-1], asked, len(file.text))


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
    (f'RUN echo "deb https://x.example $(. /etc/os-release && echo "$VERSION_CODENAME") main" > {LIST}', LIST, False),
    (f'RUN . /etc/os-release && echo "deb https://x.example ${{VERSION_CODENAME}} main" > {LIST}', LIST, False),
    (f"RUN cat > {LIST} <<EOF\n{LINE}\nEOF", LIST, False),
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
    changed = found(body)
    assert changed is not None
    assert [(each.path, each.text, each.append) for each in changed] == [(path, f"{LINE}\n", append)]


def test_the_architecture_is_left_to_apt() -> None:
    words = (
        "[arch=$(dpkg --print-architecture) signed-by=/k.gpg] https://x.example/$(dpkg --print-architecture)"
    )
    changed = found(f'RUN echo "deb {words} bookworm main" > {LIST}')
    assert changed is not None
    assert changed[0].text == "deb [ signed-by=/k.gpg] https://x.example/$(ARCH) bookworm main\n"


def test_docker_says_it_this_way() -> None:
    changed = found(
        'RUN echo \\\n  "deb [arch="$(dpkg --print-architecture)" signed-by=/etc/apt/keyrings/docker.gpg] '
        "https://download.docker.com/linux/debian \\\n"
        '  "$(. /etc/os-release && echo "$VERSION_CODENAME")" stable" | \\\n'
        "  tee /etc/apt/sources.list.d/docker.list > /dev/null"
    )
    assert changed is not None
    assert " ".join((changed[0].text or "").split()) == (
        "deb [ signed-by=/etc/apt/keyrings/docker.gpg] https://download.docker.com/linux/debian bookworm stable"
    )


@pytest.mark.parametrize(
    ("body", "components"),
    [
        ("RUN sed -i 's/main/main contrib non-free/' /etc/apt/sources.list", ("contrib", "non-free")),
        ("RUN sed -i 's/ main$/ main contrib/g' /etc/apt/sources.list && apt-get update", ("contrib",)),
        (
            "RUN sed -i -e 's/Components: main/Components: main contrib/' /etc/apt/sources.list.d/debian.sources",
            ("contrib",),
        ),
        (
            "RUN sed -i 's|^Components: main$|& non-free|' /etc/apt/sources.list.d/debian.sources",
            ("non-free",),
        ),
        (
            "RUN sed -i 's/deb.debian.org/archive.debian.org/g; s/main/main contrib/' /etc/apt/sources.list",
            ("contrib",),
        ),
        ("RUN add-apt-repository universe && apt-get update", ("universe",)),
        ("RUN apt-add-repository -y contrib non-free", ("contrib", "non-free")),
    ],
)
def test_components(body: str, components: tuple[str, ...]) -> None:
    changed = found(body)
    assert changed is not None
    assert [each.components for each in changed] == [components]


@pytest.mark.parametrize(
    "body",
    [
        "RUN sed -i -e '/buster-updates/d' -e 's|security.debian.org|archive.debian.org|' /etc/apt/sources.list",
    ],
)
def test_what_changes_no_version(body: str) -> None:
    assert found(body) == ()


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ("RUN rm -rf /etc/apt/sources.list.d/*", ["/etc/apt/sources.list.d/*"]),
        (f"RUN apt-get update; rm -f {LIST} {OWN}", [LIST, OWN]),
        ("RUN rm /etc/apt/preferences.d/x", ["/etc/apt/preferences.d/x"]),
    ],
)
def test_removed(body: str, paths: list[str]) -> None:
    assert found(body) == tuple(Change(path) for path in paths)


def test_what_comes_behind_the_call_does_not_count() -> None:
    file = parse(f"FROM debian:12\nRUN echo '{LINE}' > {LIST} && apt-get install x && rm {LIST}\n")
    until = file.text.index("apt-get")
    asked = Asked(BOOKWORM)
    assert changes(file, file.stages[0].instructions[-1], asked, until) == (Change(LIST, f"{LINE}\n"),)
    file = parse(
        f"FROM debian:12\nRUN bash -c \"echo '{LINE}' > {LIST} && apt-get install x && rm {LIST}\"\n"
    )
    until = file.text.index("apt-get")
    assert changes(file, file.stages[0].instructions[-1], asked, until) == (Change(LIST, f"{LINE}\n"),)


def test_the_distribution_is_asked_for() -> None:
    changed = found(
        f'RUN . /etc/os-release && echo "deb https://x.example/$ID-stable $(lsb_release -cs) main" > {LIST}'
    )
    assert changed is not None
    assert changed[0].text == "deb https://x.example/debian-stable bookworm main\n"


def test_a_ppa() -> None:
    changed = found("RUN add-apt-repository -y ppa:deadsnakes/ppa", JAMMY)
    assert changed is not None
    assert changed[0].text == "deb https://ppa.launchpadcontent.net/deadsnakes/ppa/ubuntu jammy main\n"


@pytest.mark.parametrize(
    "body",
    [
        f'RUN if [ -n "$X" ]; then echo "{LINE}" > {LIST}; fi',
        f'RUN if true; then x; echo "{LINE}" > {LIST}; fi',
        f'RUN [ -f /x ] && echo "{LINE}" > {LIST}',
        f'RUN test -f /x || echo "{LINE}" > {LIST}',
        f'RUN echo "deb https://x.example $SUITE main" > {LIST}',
        f"RUN curl -o {LIST} https://x.example/x.list",
        f"RUN curl https://x.example/x.list > {LIST}",
        f"RUN curl https://x.example/x.list | tee {LIST}",
        f"COPY x.list {LIST}",
        "RUN curl https://deb.nodesource.com/setup_20.x | bash -",
        "RUN sed -i 's/bookworm/trixie/' /etc/apt/sources.list",
        "RUN sed -i 's/bookworm main/trixie main contrib/' /etc/apt/sources.list",
        "RUN extrepo enable x",
        f'RUN echo "deb https://x.example $VERSION_CODENAME main" > {LIST}',
        f'ARG SUITE\nRUN echo "deb https://x.example $SUITE main" > {LIST}',
        f'RUN if true; then S=a; else S=b; fi; echo "deb https://x.example $S main" > {LIST}',
        f"RUN cat > {LIST} <<EOF\ndeb https://x.example $SUITE main\nEOF",
        f"RUN {{ echo '{LINE}'; curl https://x.example; }} > {LIST}",
        "RUN rm -rf /etc/apt/sources.list.d/$X",
        "RUN mv /etc/apt/sources.list /etc/apt/sources.list.bak",
        "RUN sed -i 's/deb http/deb [arch=amd64] http/' /etc/apt/sources.list",
        "RUN sed -i '/Signed-By/ a Architectures: amd64' /etc/apt/sources.list.d/debian.sources",
        "RUN sed -i 's/buster main/buster main contrib/' /etc/apt/sources.list",
        "RUN add-apt-repository ppa:deadsnakes/ppa",
        "RUN add-apt-repository -r ppa:deadsnakes/ppa",
        f'RUN ["sh", "-c", "echo {LINE} > {LIST}"]',
        f"RUN echo 'unterminated > {LIST}",
        f'RUN for x in a b; do echo "{LINE}" > {LIST}; done',
    ],
)
def test_what_is_not_understood(body: str) -> None:
    assert found(body) is None
