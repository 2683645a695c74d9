"""Packages and versions that variables, loops and nested shells hold: where they are pinned, and what apt then gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from pinner.edit.span import apply
from pinner.recipe.dockerfile import parse
from pinner.recipe.installs import Install, Request, Skipped, find, pin
from tests.recipe.execution import Sandbox, assert_only_pinned, of_dockerfile

VERSION = "1:2-3*"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    return Sandbox(tmp_path_factory.mktemp("sandbox"))


def requests(text: str) -> list[Request]:
    calls = find(parse(text))
    return [request for call in calls if isinstance(call, Install) for request in call.requests]


def pinned(text: str) -> str:
    chosen = {request: VERSION for request in requests(text) if request.action == "pin"}
    return apply(text, pin(text, chosen))


# What is pinned has a `^` behind it.
PINNED = [
    # Variables of the shell.
    'RUN p="a^ b^"; apt-get install $p',
    "RUN p='a^ b^' && apt-get install -y $p c^ && apt-get purge -y $p",
    'ENV X="apt-get install -y"\nRUN $X a^ b^ && DEBIAN_FRONTEND=noninteractive ${X} c^',
    'RUN X="apt-get -y"; ${X} update; p="b^"; $X install a^ $p',
    "RUN eval 'apt-get install -y a^'",
    'SHELL ["bash", "-c"]\nRUN cat 2>&1 > /dev/null <<< "$X" && apt-get install a^; wc > /dev/null <<<x',
    "RUN p='b^ c^'; eval apt-get install a^ $p",
    "RUN printf 'a^\\nb^\\n' | xargs -I{} apt-get install -y {}",
    'RUN p="a^ b^"; apt-get install ${p}; apt-get remove --auto-remove $p; apt-get autoremove $p',
    "RUN p=a^; apt-get install $p",
    'RUN p=a^; apt-get install "$p"',
    'RUN p="a^ \\\n  b^ \\\n# c\n  d^"; apt-get install $p',
    'RUN p="a^"; p="$p b^"; apt-get install $p',
    'RUN p="a^"; p+=" b^"; apt-get install $p',
    'RUN p="a^"; q="$p b^"; apt-get install $q',
    'RUN export p="a^ b^"; apt-get install $p',
    "RUN p=a^ q=b^; apt-get install $p $q",
    'RUN p="a^"; apt-get install $p; p="b^"; apt-get install $p',
    'RUN if x; then p="a^"; fi; apt-get install $p',
    'RUN p="a^ $UNKNOWN b^"; apt-get install $p',
    'RUN p="lib$UNKNOWN a^"; apt-get install $p',
    'RUN p=" \\\n  $UNKNOWN \\\n  a^ \\\n  lib-$UNKNOWN"; apt-get install $p',
    'RUN v=1; p=" \\\n  a-$v^ \\\n  b^"; apt-get install $p',
    'RUN o="-y --no-install-recommends"; apt-get install $o a^',
    'RUN p="-y a^"; apt-get install $p',
    'RUN v=12; apt-get install a-$v^ "b$v^" lib${v}c^',
    "RUN v=1.2; apt-get install a-${v%.*}^ a-${v%%.*}-b^ x${v#1.}^",
    'RUN v=12; p="a-$v^ b^"; apt-get install $p; echo $v',
    'RUN p="a^"; apt-get install ${p:-b}',
    # Arrays, under bash.
    'SHELL ["bash", "-c"]\nRUN p=(a^ "b^" c^); apt-get install "${p[@]}"',
    'SHELL ["bash", "-c"]\nRUN p=(a^); p+=(b^); apt-get install ${p[*]}',
    # ARG and ENV.
    "ARG P\nRUN apt-get install ${P:-a^}",
    "ENV P='${Q:-a^} b^'\nRUN apt-get install $P".replace("'", '"'),
    "ARG P=1\nENV Q='${P:+b^ c^}'\nRUN apt-get install $Q".replace("'", '"'),
    "ARG P=a^\nRUN apt-get install $P",
    'ARG P="a^ b^"\nRUN apt-get install $P',
    'ENV P="a^ b^" Q=c\nRUN apt-get install $P',
    "ENV P='a^ b^'\nRUN apt-get install $P",
    "ENV P a^ b^\nRUN apt-get install $P",
    "ENV P=a^\\ b^\nRUN apt-get install $P",
    'ENV P="a^ \\\n  b^ \\\n  c^"\nRUN apt-get install $P',
    'ARG P="a^"\nENV Q="$P b^"\nRUN apt-get install $Q',
    'ARG P="a^"\nENV Q="${P}"\nRUN apt-get install $Q',
    'ARG P="a"\nARG P="b^"\nRUN apt-get install $P',
    'ENV P="a^"\nRUN apt-get install $P\nENV P="b^"\nRUN apt-get install $P',
    'ENV P="a^"\nRUN p="$P b^"; apt-get install $p',
    'ENV P="a^"\nRUN P="b^"; apt-get install $P\nRUN apt-get install $P',
    "ENV V=12\nRUN apt-get install a-$V^ && echo $V",
    'ENV P="a"\nFROM x AS y\nENV P="b^"\nFROM y\nRUN apt-get install $P',
    'RUN p="a^"; apt-get install $p; x="y $p"',
    "ARG P\nRUN apt-get install a^ ${P:+b^}",
    "ARG P=\nRUN apt-get install a^ ${P:+b^ c^}",
    "ENV A=a^\nENV A=b^ B=$A\nRUN apt-get install $A $B",
    "ARG P=a^\nRUN apt-get install ${P:?is missing}",
    'RUN : "${p:=a^ b^}"; apt-get install $p',
    # What commands print.
    "RUN apt-get install $(echo a^ 'b^ c^') `echo d^`",
    'RUN apt-get install "$(echo a^)" $(printf "%s\\n" b^ c^) $(printf "d^\\ne^\\n")',
    "RUN apt-get install a^ $([ -n x ] && echo b^) $(if [ -n x ]; then echo c^; else echo d^; fi)",
    'RUN p="a^"; q=$(echo $p b^); apt-get install $q',
    "RUN apt-get install $(echo $(echo a^) b^; echo c >&2)",
    "RUN f() { echo a^; }; apt-get install $(f)",
    "RUN echo a^ 'b^' | xargs -n1 sudo apt-get install -y c^",
    'ENV P="a^ b^"\nRUN echo $P | xargs -r apt-get install',
    "RUN printf '%s\\n' a^ b^ | while read -r p; do apt-get install $p; done",
    "RUN <<X\nxargs apt-get install <<Y\na^\nb^ c^\nY\nwhile read p; do apt-get install $p; done <<'Y'\na^\nb^\nY\nX",
    'SHELL ["bash", "-c"]\nRUN mapfile -t p <<< "a^"; read -ra q <<< "b^ c^"; apt-get install "${p[@]}" "${q[@]}"',
    "RUN p=a^; apt-get install $p; bash -c 'echo $p'",
    # What a condition decides is each that it may be.
    'RUN p="a^"; if x; then p="b^"; fi; apt-get install $p',
    'RUN if x; then p="a^"; else p="b^"; fi; apt-get install $p',
    'RUN p="a^"; x || p="b^ c^"; apt-get install $p',
    'RUN p="a^"; for i in 1 2; do apt-get install $p; p="b^"; done',
    'RUN p="a^"; if x; then p="$p b^"; fi; if y; then p="$p c^"; fi; apt-get install $p',
    'ENV P="a^"\nRUN if x; then P=b^; fi; apt-get install $P',
    "ARG TARGETARCH\nRUN case $TARGETARCH in amd64) p=a^;; arm*) p='b^ c^';; *) exit 1;; esac; apt-get install $p",
    # Files that are not seen, but whose variables are known by name.
    "ARG D=x\nENV ROS_DISTRO=$D\nRUN . /opt/ros/$ROS_DISTRO/setup.sh && apt-get install ros-${ROS_DISTRO}-a^",
    "ENV P=a^\nRUN . /venv/bin/activate && . ~/.nvm/nvm.sh && . $HOME/.cargo/env && apt-get install $P",
    # Loops.
    'RUN for p in a^ b^ "c^"; do apt-get install -y "$p"; done',
    "RUN for p in a^ b^; do apt-get install $p || exit 1; done; for p in c^; do apt-get install $p; done",
    'RUN l="a^ b^"; for p in $l; do apt-get install $p; done',
    "RUN if x; then apt-get install a^; else apt-get install b^; fi; case x in y) apt-get install c^;; esac",
    # Functions.
    'RUN f() { apt-get install -y "$@"; }; f a^ b^; f "c^"',
    "RUN f() { apt-get install -y $1; }; f a^ b; f c^",
    'RUN f() { apt-get install "$@" d^; }; p="a^ b^"; f $p -y',
    'RUN f() { for p in "$@"; do apt-get install $p; done; }; f a^ b^',
    'RUN f() { p="$1"; apt-get install "$p"; }; f a^',
    # What people are shown of it, and whether it is empty.
    'RUN p="a^"; apt-get install $p; echo "installing $p" >&2; f() { printf "%s\\n" "$@"; }; f $p',
    'RUN p="a^"; if [ -n "$p" ] && [ "$p" != "" ] && ! test -z $p; then apt-get install $p; fi',
    'SHELL ["bash", "-c"]\nRUN p=(a^ b^); (( ${#p[@]} > 0 )) && [[ -n $p ]] && apt-get install "${p[@]}"',
    'RUN f() { shift; apt-get install "$@"; }; f x a^',
    'RUN f() { apt-get install "$1"; echo $#; }; f a^',
    "RUN f() { local p='a^ b^'; apt-get install $p; }",
    "RUN f() { local p=x; declare q=$p; x $q; }; p=a^ q=b^; f; apt-get install $p $q",
    # Shells in shells.
    "RUN bash -c 'apt-get install a^'",
    'RUN sh -c "apt-get install a^ b^"',
    'RUN sh -ec "apt-get install \\"a^\\" b^ && x"',
    'RUN bash -o pipefail -c "apt-get install a^"',
    'RUN bash -c "p=\\"a^ b^\\"; apt-get install \\$p"',
    "RUN bash -c \"sh -c 'apt-get install a^'\"",
    'RUN bash -c \'sh -c "apt-get install a^ \\"b^\\""\'',
    'RUN ["apt-get", "install", "-y", "a^", "b^"]',
    'RUN ["sudo", "apt-get", "install", "a^"]',
    'RUN ["/bin/bash", "-c", "apt-get install \\"a^\\" b^ \'c^\'"]',
    'RUN ["sh", "-c", "x\\napt-get\\tinstall a^"]',
    'ENV P="a^ b^"\nRUN ["sh", "-c", "apt-get install $P"]',
    'RUN ["sh", "-ec", \\\n  "apt-get install a^ \\\n  b^"]',
    # Here-documents.
    "RUN <<EOF\napt-get install a^ \\\n  b^ # c\nEOF",
    "RUN <<'EOF'\nx\napt-get install a^\n# apt-get install b\nEOF",
    "RUN <<-EOF\n\tapt-get install a^\n\tEOF",
    "RUN <<EOF bash\napt-get install a^\nEOF",
    "RUN bash -e <<'EOF'\np='a^ b^'\napt-get install $p\nEOF",
    "RUN sudo sh -s <<EOF && x\napt-get install a^\nEOF",
    "RUN <<A sh && sh <<B\napt-get install a^\nA\napt-get install b^\nB",
    "RUN <<EOF\n#!/bin/sh\napt-get install a^\nEOF",
    'ENV P="a^ b^"\nRUN <<EOF\napt-get install $P\nEOF',
]


@pytest.mark.parametrize("marked", PINNED)
def test_pinned(marked: str, sandbox: Sandbox) -> None:
    text = "FROM debian\n" + marked.replace("^", "")
    assert without_quotes(pinned(text)) == without_quotes(
        "FROM debian\n" + marked.replace("^", f"={VERSION}")
    )
    before, after = parse(text), parse(pinned(text))
    for old, new in zip(of_dockerfile(sandbox, before), of_dockerfile(sandbox, after), strict=True):
        assert_only_pinned(old, new, [VERSION])
    assert pinned(pinned(text)) == pinned(text)


def without_quotes(text: str) -> str:
    return text.replace('"', "").replace("\\", "")


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        ('RUN p="a b"; apt-get install $p; touch $p', "variable-other-use variable-other-use"),
        (
            'RUN p="a b"; apt-get install $p; apt-get install "$p"',
            "variable-other-use variable-other-use not-a-name",
        ),
        (
            'ARG p="a"\nRUN ["sh", "-c", "p=\\"$p d\\"; apt-get install $p; apt-get install \\"$p\\""]',
            "variable-other-use variable-other-use variable-unknown",
        ),
        ('RUN p="a"; apt-get install $p; echo $p > /x', "variable-other-use"),
        ('RUN p="a"; apt-get install $p; echo $p | tee /x', "variable-other-use"),
        ('RUN p="a"; apt-get install $p; x=$(echo $p); touch $x', "variable-other-use"),
        ('RUN p="a"; apt-get install $p; [ "$p" = a ]', "variable-other-use"),
        ('RUN p="a"; apt-get install $p; apt-mark auto $p', "variable-other-use"),
        ('RUN p="a"; apt-get install $p; apt-get install lib$p', "variable-other-use "),
        ('RUN p="a"; apt-get install $p; cat <<< "$p"', "variable-other-use"),
        ('RUN p="a"; apt-get install ${p%x}', "variable-other-use"),
        ("RUN for p in a; do apt-get install $p; touch $p; done", "variable-other-use"),
        ('RUN l="a"; for p in $l; do apt-get install $p; done; touch $l', "variable-other-use"),
        ('ENV P="a"\nRUN apt-get install $P\nRUN touch $P', "variable-other-use"),
        ('ENV P="a"\nRUN apt-get install $P\nLABEL x=$P', "variable-other-use"),
        ('ENV P="a"\nRUN apt-get install $P\nCMD x ${P}', "variable-other-use"),
        ('ENV P="a"\nRUN apt-get install $P\nCOPY <<EOF /x\n$P\nEOF', "variable-other-use"),
        ("RUN p=$(cat x); apt-get install $p", "command-substitution"),
        ("RUN p=`cat x`; apt-get install $p", "command-substitution"),
        ("RUN read p; apt-get install $p", "variable-unknown"),
        ("RUN apt-get install lib$(echo a) $(echo b)c", "command-substitution command-substitution"),
        ("RUN apt-get install $(echo a,b | tr , ' ')", "command-substitution"),
        ("RUN apt-get install $(echo a | tee /x)", "command-substitution"),
        ('RUN p="a"; apt-get install $(echo $p); echo $p | md5sum', "variable-other-use"),
        ('RUN p="a"; apt-get install $p; echo lib$p | xargs apt-get install', "variable-other-use "),
        ("RUN p=a; . ./x; apt-get install $p", "variable-unknown"),
        ("RUN . /etc/os-release; apt-get install a-$VERSION_ID", "variable-unknown"),
        ("RUN apt-get install $p; p=a", "variable-unknown"),
        ("RUN apt-get install $P", "variable-unknown"),
        ("ARG P\nRUN apt-get install $P", "variable-unknown"),
        ("ARG P=''\nRUN apt-get install $P", "variable-unknown"),
        ("ARG P=a\nFROM b\nRUN apt-get install $P", "variable-unknown"),
        ("RUN apt-get install $P\nARG P=a", "variable-unknown"),
        ("RUN for p in a b; do apt-get install lib$p; done", "variable-unknown"),
        ('RUN p="a b"; apt-get install lib$p', "variable-unknown"),
        ('RUN p="a b"; apt-get install "$p"', "not-a-name"),
        ("RUN p=a; apt-get install ${p@U}", "expansion"),
        ("RUN p=a; apt-get install ${#p}", "expansion"),
        ("RUN p=(a b); apt-get install $p", "variable-unknown"),
        ('RUN apt-get install "$@"', "variable-unknown"),
        ('RUN f() { apt-get install "$@"; }; sudo f a', "variable-unknown"),
        ('RUN f() { apt-get install "$@"; }; f() { x; }; f a', "variable-unknown"),
        ('RUN f() { dpkg -s "$@" || apt-get install "$@"; }; f a b', "variable-other-use variable-other-use"),
        ('RUN f() { apt-get install "$@"; }', "variable-unknown"),
        ('RUN p="a=$U"; apt-get install $p', "variable-pin"),
        ("ARG V=\nRUN apt-get install a=$V", "variable-pin"),
    ],
)
def test_skipped(text: str, reasons: str) -> None:
    source = f"FROM debian\n{text}"
    assert " ".join(request.reason for request in requests(source)) == reasons
    assert all(request.detail for request in requests(source) if request.reason)


@pytest.mark.parametrize(
    ("text", "raws"),
    [
        ('RUN v=1; p=" \\\n  a=${v}-2 \\\n  b-$v c"; apt-get install $p', ["a=${v}-2", "b-$v", "c"]),
        ('RUN p=" \\\n  a=${U}-2 \\\n  b-$U c"; apt-get install $p', ["a=${U}-2", "b-$U", "c"]),
        ('RUN p="  ${U} $(x) a"; apt-get install $p', ["${U}", "$(x)", "a"]),
        ('RUN p="$U-a"; q="b $p-c"; apt-get install $q', ["b", "$p-c"]),
        ("RUN p=(a-$(x) b$U); apt-get install ${p[@]}", ["a-$(x)", "b$U"]),
        ('ENV P="a-$U b"\nRUN apt-get install $P', ["a-$U", "b"]),
        ('RUN f() { apt-get install a "$@"; }', ["a", '"$@"']),
    ],
)
def test_a_word_of_a_value_is_told_whole(text: str, raws: list[str]) -> None:
    source = f"FROM debian\n{text}"
    assert [request.word.raw for request in requests(source)] == raws
    assert [request.word.span.of(source) for request in requests(source)] == raws


@pytest.mark.parametrize(
    ("text", "name", "version", "place", "around"),
    [
        ("ARG V=1.2\nRUN apt-get install a=$V", "a", "1.2", "1.2", ("", "")),
        ("ARG V=1.2\nRUN apt-get install a=${V}-*", "a", "1.2-*", "1.2", ("", "-*")),
        ('ENV V="1.2"\nRUN apt-get install "a=1:$V"', "a", "1:1.2", "1.2", ("1:", "")),
        ("ENV V 1.2\nRUN apt-get install a=$V", "a", "1.2", "1.2", ("", "")),
        ("ENV M 14\nENV V 1.2\nRUN apt-get install a-$M=$V b-$M", "a-14", "1.2", "1.2", ("", "")),
        ("ARG V=1.2\nENV W=$V-1\nRUN apt-get install a=$W", "a", "1.2-1", "1.2", ("", "-1")),
        ("RUN v=1.2; apt-get install a=$v", "a", "1.2", "1.2", ("", "")),
        ('RUN p="a=1.2 b"; apt-get install $p', "a", "1.2", "1.2", ("", "")),
        ("ARG V=${W:-1}\nRUN apt-get install a=$V", "a", "1", "1", ("", "")),
    ],
)
def test_pins_in_variables(text: str, name: str, version: str, place: str, around: tuple[str, ...]) -> None:
    source = f"FROM debian\n{text}"
    request = requests(source)[0]
    assert (request.name, request.pin) == (name, version)
    assert request.action == ("keep" if version else "skip")
    if version:
        assert request.version is not None
        assert request.version.span.of(source) == place
        assert (request.version.before, request.version.after) == around


def test_nothing_is_read_from_what_only_prints_a_script() -> None:
    text = "FROM a\nRUN cat <<EOF > /x\napt-get install a\nEOF\nRUN python3 <<EOF\napt-get install b\nEOF\n"
    assert [call.reason for call in find(parse(text)) if isinstance(call, Skipped)] == ["heredoc", "heredoc"]


def test_a_list_is_pinned_once_for_all_its_uses(tmp_path: Path) -> None:
    text = 'FROM debian\nENV P="a b"\nRUN apt-get install $P\nRUN apt-get install $P\n'
    assert len(requests(text)) == 4
    assert pinned(text).count(VERSION) == 2


@pytest.mark.parametrize(
    "text",
    [
        "ENV p0=a\n"
        + "".join(f'ENV p{i + 1}="$p{i} $p{i}"\n' for i in range(40))
        + "RUN apt-get install $p40",
        "RUN p0=a; " + "".join(f'p{i + 1}="$p{i} $p{i}"; ' for i in range(40)) + "apt-get install $p40",
        "ENV p0=a\n"
        + "".join(f'ENV p{i + 1}="$p{i}b"\n' for i in range(1_000))
        + "RUN apt-get install $p1000",
    ],
)
def test_values_that_grow_without_bound_are_not_followed(text: str) -> None:
    assert {request.reason for request in requests(f"FROM debian\n{text}")} == {"variable-unknown"}
