"""apt.conf(5): the grammar, and what settings mean together. Real apt is asked in the live tests."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from pinner.apt import conf
from pinner.apt.conf import Settings
from pinner.errors import InputError

#: A text and what `apt-config dump --format '%f=%v%n'` prints of it beyond what apt begins with.
TEXTS = (
    ('Apx::Install-Recommends "false";', "Apx= Apx::Install-Recommends=false"),
    ('Apx { Install-Recommends "false"; };', "Apx= Apx::Install-Recommends=false"),
    ("Apx{Install-Recommends false;}", "Apx= Apx::Install-Recommends=false"),
    ('Apx { Get { Assume-Yes "1"; } ; Default-Release sid; };\nX "y";',
     "Apx= Apx::Get= Apx::Get::Assume-Yes=1 Apx::Default-Release=sid X=y"),
    ('apx::x "1"; Apx::X "2";', "apx= apx::x=2"),
    ("// A \"1\";\n# B \"1\";\n/* C \"1\";\n D */ E \"1\"; // F \"1\";", "E=1"),
    ('A "http://x/#1"; # b\nB "/* c */";', "A=http://x/#1 B=/* c */"),
    ('A "1"; /* one */ B /* two */ "2";', "A=1 B=2"),
    ('A { "u"; v; };', "A= A::=u A::=v"),
    ('A:: "l"; A:: "m"; A "top";', "A=top A::=l A::=m"),
    ('A::B "1"; #clear A;\nA::C "2";', "A= A::C=2"),
    ('A { B "1"; C "2"; };\n#clear A::B;', "A= A::B= A::C=2"),
    ("#clear Nothing;", ""),
    ('A "b" "c"; D "e""f"; G H%20I; J %4b;', "A=b c D=ef G=H I J=K"),
    ('A\n  "b"\n;', "A=b"),
    ("A {};", ""),
    ('A "v" { b "c"; };', "A=v A::b=c"),
    ("A [b c];", "A=[b c]"),
    ("}; A b;", "A=b"),
    ('A "b"c;', "A=bc"),
    ("#bogus A;", ""),
    ("", ""),
)  # fmt: skip
#: What apt refuses.
ERRORS = (
    'A "1"', "A b c;", "{ A b; };", 'A "b;', "A { #clear B; };", "A [b;", "#clear;",
    "A #clear\n{",
)  # fmt: skip


def shown(settings: Settings) -> str:
    begin = list(Settings().flat())
    return " ".join(f"{key}={value}" for key, value in settings.flat() if (key, value) not in begin)


@pytest.mark.parametrize(("text", "expected"), TEXTS)
def test_a_text_is_read(text: str, expected: str) -> None:
    assert shown(conf.read(text)) == expected


@pytest.mark.parametrize("text", ERRORS)
def test_what_apt_refuses_is_refused(text: str) -> None:
    with pytest.raises(InputError) as caught:
        conf.read(text, "/etc/apt/apt.conf")
    assert caught.value.path == "/etc/apt/apt.conf"
    assert caught.value.line


def test_texts_are_read_on_top_of_one_another() -> None:
    first = conf.read('APT::Default-Release "stable"; A:: "1";')
    second = conf.read('#clear A;\napt::default-release "sid";', base=first)
    assert second.find("APT::Default-Release") == "sid"
    assert second.values("A") == ()
    assert conf.option(second, "A::=2").values("A") == ("2",)
    with pytest.raises(InputError, match="KEY=VALUE"):
        conf.option(second, "A")


def test_files_are_included() -> None:
    files = {"/a": '#include "/b";\nA "1";', "/b": 'A "2"; B "2";', "/loop": "#include /loop;"}

    def include(path: str) -> Iterable[tuple[str, str]]:
        return [(path, files[path])]

    assert shown(conf.read("#include /a;", include=include)) == "A=1 B=2"
    with pytest.raises(InputError, match="/a"):
        conf.read("#include /a;")
    with pytest.raises(InputError, match="no more than ten"):
        conf.read("#include /loop;", include=include)


@pytest.mark.parametrize(
    "text", ["a" + "::b" * 200 + ' "c";', "a { " * 200 + "b c;" + " };" * 200, 'a:: "b";' * 3_000]
)
def test_more_than_anybody_writes_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="more than"):
        conf.read(text)


def test_files_that_include_one_another_have_an_end() -> None:
    text = '#include "x";\n' * 50
    with pytest.raises(InputError, match="more than"):
        conf.read(text, include=lambda path: [(path + "x", text if len(path) < 9 else 'a "b";\n')])


def test_values_mean_what_they_mean_to_apt() -> None:
    settings = conf.read('A yes; B "0"; C Off; D maybe; E 2; F ""; G::H 0x1; L { "x"; "y"; }; M "x,y";')
    assert [settings.boolean(key) for key in "ABCDEF"] == [True, False, False, None, None, None]
    assert settings.boolean("D", True) is True
    assert settings.boolean("g::h") is True
    assert (settings.find("F", "default"), settings.find("Nothing", "default")) == ("default", "default")
    assert (settings.values("L"), settings.values("M"), settings.values("N")) == (("x", "y"), ("x", "y"), ())
    unknown = settings.set("A", None)
    assert (unknown.find("A"), unknown.boolean("A", True)) == (None, None)


def test_what_is_meant_for_one_program_counts_more_for_it() -> None:
    settings = conf.read('Binary::apt { APT::Install-Recommends "0"; }; APT::Install-Recommends "1";')
    assert settings.of("apt").boolean("APT::Install-Recommends") is False
    assert settings.of("apt-get").boolean("APT::Install-Recommends") is True


#: A text and where apt then looks for sources.list.d; None: that depends on where apt is run.
PATHS = (
    ("", "/etc/apt/sources.list.d"),
    ('Dir::Etc "conf";', "/conf/sources.list.d"),
    ('Dir "/x"; Dir::Etc "conf/";', "/x/conf/sources.list.d"),
    ('Dir::Etc::sourceparts "/y//z/";', "/y/z/"),
    ('Dir::Etc::sourceparts "-";', "/etc/apt/-"),
    ('Dir::Etc::sourceparts "/dev/null";', ""),
    ('Dir::Etc::sourceparts "";', ""),
    ('Dir::Etc::sourceparts "./here";', None),
    ('Dir "";', None),
)


@pytest.mark.parametrize(("text", "expected"), PATHS)
def test_where_apt_looks(text: str, expected: str | None) -> None:
    assert conf.read(text).path("Dir::Etc::sourceparts") == expected


PIECES = st.sampled_from(
    ["X", "X::a", "x::A", "X::b::", "X::", "Y",
     '"q w"', '"s"', '"t;u"', '"v{"', "no", " ", "\n", ";", ";\n", "{", "}", "};",
     "//c", "# c", "/* z */", "/* z", "*/", "#clear X;", "#clear X::a;", "#clear", '"', "[", "] ", "%41", "%", "::",
     '"a" "b"', '"a""b"', "\t", "[a b]"]
)  # fmt: skip
STATEMENTS = st.builds(
    "{} {}{}".format,
    st.sampled_from(
        ["X", "X::a", "x::A", "X::b::", "Y", "/* z */ Y::z", "#clear", "X {", "Y::Z { ", 'Y "n" {']
    ),
    st.sampled_from(['"q w"', "no", '"a" "b"', "", "X", "b%41"]),
    st.sampled_from([";", ";\n", "; // e\n", "; # e\n", " };", "};\n", "; /* e\n e */\n"]),
)
WRITTEN = st.one_of(
    st.lists(PIECES, max_size=14).map(" ".join), st.lists(STATEMENTS, max_size=6).map("".join)
)


def dump(path: Path, text: str) -> str | None:
    """What real apt reads from a text and nothing else, None if it refuses it."""
    path.write_text(f'Dir::Etc::main "/dev/null"; Dir::Etc::parts "/dev/null";\n{text}')
    done = subprocess.run(
        ("apt-config", "dump", "--format", "%f=%v%n"),
        env={**os.environ, "APT_CONFIG": str(path)},
        capture_output=True,
        text=True,
        check=False,
    )
    return None if done.returncode else done.stdout


@pytest.mark.live
@pytest.mark.parametrize("text", [*(text for text, _ in TEXTS), *ERRORS])
def test_apt_reads_the_table_so(text: str, tmp_path: Path) -> None:
    check(text, tmp_path)


@pytest.mark.live
@examples(max_examples=300, deadline=None)
@given(text=WRITTEN)
def test_apt_reads_any_text_so(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    check(text, tmp_path_factory.getbasetemp())


def check(text: str, folder: Path) -> None:
    printed, begin = dump(folder / "text.conf", text), dump(folder / "empty.conf", "")
    assert begin is not None
    known = [*begin.splitlines(), "CommandLine=", "CommandLine::AsString=apt-config dump --format %f=%v%n"]
    try:
        ours = shown(conf.read(text))
    except InputError:
        assert printed is None
        return
    assert printed is not None
    assert ours == " ".join(line for line in printed.splitlines() if line not in known)


@pytest.mark.live
@pytest.mark.parametrize("text", [text for text, _ in PATHS])
def test_apt_looks_there(text: str, tmp_path: Path) -> None:
    (tmp_path / "c").write_text(f'Dir::Etc::main "/dev/null"; Dir::Etc::parts "/dev/null";\n{text}')
    command = ("apt-config", "shell", "V", "Dir::Etc::sourceparts/f")
    environment = {**os.environ, "APT_CONFIG": str(tmp_path / "c")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    printed = done.stdout.strip().removeprefix("V='").removesuffix("'")
    ours = conf.read(text).path("Dir::Etc::sourceparts")
    assert printed.startswith("/dev/null") or not printed if ours == "" else printed == ours or ours is None
