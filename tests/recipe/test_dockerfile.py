"""Dockerfile → stages and instructions: BuildKit's line rules, one row each."""

from __future__ import annotations

import pytest

from pinner.errors import InputError
from pinner.recipe.dockerfile import Dockerfile, Instruction, Stage, parse


def only(text: str) -> Instruction:
    """The one instruction behind the FROM of `text`."""
    dockerfile = parse("FROM debian\n" + text)
    (instruction,) = dockerfile.stages[0].instructions
    assert instruction.body.of(dockerfile.text).startswith(instruction.text.text[:1])
    return instruction


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ("RUN a b", "a b"),
        ("run\ta", "a"),
        ("  RUN a  ", "a"),
        ("RUN a \\\n  b", "a   b"),
        ("RUN a\\\nb", "ab"),
        ("RUN a \\ \t\n b", "a  b"),
        ("RUN a \\\r\n b\r\n", "a  b"),
        ("RUN a \\\n# comment\n  # another\n b", "a  b"),
        ("RUN a \\\n\n   \n b", "a  b"),
        ("RUN a \\\n# comment \\\n b", "a  b"),
        ("RUN a \\\\\nUSER x", None),
        ("RUN a # not a comment of the file \\\n b", "a # not a comment of the file  b"),
        ("RU\\\nN a", "a"),
        ("RUN \\\n a", "a"),
        ("RUN a \\", "a"),
        ("RUN a \\\n# the end", "a"),
        ("RUN --mount=type=cache,target=/x --network=none a", "a"),
        ("RUN --mount=type=cache,target=/x \\\n  --security=insecure \\\n  a", "a"),
        ('RUN --mount=type=bind,source="a b",target=/x a --b', "a --b"),
        ("ONBUILD RUN a", "a"),
        ("ONBUILD nothing a", "a"),
        ("ONBUILD \\\n RUN --network=none a", "a"),
        ("RUN é \\\n ü", "é  ü"),
    ],
)
def test_continued_lines_join(text: str, body: str | None) -> None:
    if body is None:
        assert len(parse("FROM debian\n" + text).stages[0].instructions) == 2
    else:
        assert only(text).text.text == body


@pytest.mark.parametrize(
    ("text", "argv"),
    [
        ('RUN ["a", "b c"]', ("a", "b c")),
        ('RUN ["a", \\\n  "b"]', ("a", "b")),
        ('RUN ["\\u0061\\n"]', ("a\n",)),
        ("RUN []", ()),
        ("RUN ['a', 'b']", None),
        ('RUN ["a", "b"', None),
        ('RUN ["a",]', None),
        ("RUN [ -f x ] && y", None),
        ('RUN ["\\x"]', None),
    ],
)
def test_exec_form_needs_right_json(text: str, argv: tuple[str, ...] | None) -> None:
    instruction = only(text)
    assert instruction.form == ("shell" if argv is None else "exec")
    assert instruction.argv == (argv or ())


@pytest.mark.parametrize(
    ("text", "bodies"),
    [
        ("RUN <<EOF\na\nEOF", ["a\n"]),
        ("RUN <<-EOF\n\ta\n\tEOF", ["\ta\n"]),
        ("RUN <<'EOF'\na\nEOF\n", ["a\n"]),
        ('RUN <<"EOF" bash\na\nEOF\n', ["a\n"]),
        ("RUN <<A cat <<B\na\nA\nb\nB", ["a\n", "b\n"]),
        ("COPY <<EOF /x\nFROM y\nEOF", ["FROM y\n"]),
        ("ONBUILD RUN <<EOF\na\nEOF", ["a\n"]),
        ("RUN <<EOF\r\na\r\nEOF\r\n", ["a\r\n"]),
        ("RUN <<EOF\nEOF", [""]),
        ("RUN <<EOF \\\n && b\na\nEOF", ["a\n"]),
        ("RUN a <<<EOF", []),
        ("RUN a<<EOF", []),
        ("RUN echo '<<EOF'", []),
        ("RUN echo $((1<<EOF))", []),
        ('RUN ["cat", "<<EOF"]', []),
        ("ENV a=<<EOF", []),
    ],
)
def test_heredocs(text: str, bodies: list[str]) -> None:
    dockerfile = parse("FROM debian\n" + text)
    (instruction,) = dockerfile.stages[0].instructions
    assert [heredoc.content.of(dockerfile.text) for heredoc in instruction.heredocs] == bodies
    assert all(heredoc.terminated for heredoc in instruction.heredocs)


def test_a_heredoc_without_end_takes_the_rest_and_says_so() -> None:
    dockerfile = parse("FROM a\nRUN x\nRUN <<EOF\nRUN y\n")
    first, second = dockerfile.stages[0].instructions
    assert not first.heredocs
    assert [heredoc.terminated for heredoc in second.heredocs] == [False]


@pytest.mark.parametrize(
    ("text", "escape"),
    [
        ("FROM a", "\\"),
        ("# escape=`\nFROM a", "`"),
        ("\ufeff#Escape = `\r\nFROM a", "`"),
        ("# syntax=docker/dockerfile:1\n# escape=`\nFROM a", "`"),
        ("# check=skip=all\n# escape=`\nFROM a", "`"),
        ("# a comment\n# escape=`\nFROM a", "\\"),
        ("\n# escape=`\nFROM a", "\\"),
        ("FROM a\n# escape=`", "\\"),
    ],
)
def test_parser_directives_stand_on_top(text: str, escape: str) -> None:
    assert parse(text).escape == escape


def test_backtick_continues_lines_under_its_directive() -> None:
    text = "# escape=`\nFROM a\nRUN c:\\ `\n x"
    assert parse(text).stages[0].instructions[0].text.text == "c:\\  x"


@pytest.mark.parametrize(
    ("text", "base", "name", "platform", "parent"),
    [
        ("FROM debian:12", "debian:12", "", "", None),
        ("from debian AS Build", "debian", "build", "", None),
        ("FROM --platform=linux/arm64 debian", "debian", "", "linux/arm64", None),
        ("FROM --platform=$BUILDPLATFORM debian", "debian", "", "", None),
        ("ARG V=12\nFROM debian:$V", "debian:12", "", "", None),
        ("ARG V=12\nFROM debian:${V}-slim", "debian:12-slim", "", "", None),
        ('ARG V="12"\nFROM "debian:${V}"', "debian:12", "", "", None),
        ("ARG V\nFROM debian:${V:-12}", "debian:12", "", "", None),
        ("FROM debian:${V:-12}", "debian:12", "", "", None),
        ("FROM debian:${V-${W:-12}}", "debian:12", "", "", None),
        ('ARG V=""\nFROM debian:12${V-x}', "debian:12", "", "", None),
        ('ARG V=""\nFROM debian:12${V+-slim}${V:+x}', "debian:12-slim", "", "", None),
        ("ARG V=12\nFROM debian:${V:?}${W?}", "", "", "", None),
        ("FROM debian:${V:-${W:-12}}", "debian:12", "", "", None),
        ("ARG V=1\nFROM debian${V:+:12}", "debian:12", "", "", None),
        ("FROM debian${V}", "debian", "", "", None),
        ("ARG V=12 W=$V\nFROM debian:$W", "debian:12", "", "", None),
        ("ARG V=12-x\nFROM debian:${V%-x}", "debian:12", "", "", None),
        ("ARG V=x-12-y\nFROM debian:${V#x-}", "debian:12-y", "", "", None),
        ("ARG V=x/a/12\nFROM debian:${V##*/}", "debian:12", "", "", None),
        ("ARG V=12_1\nFROM debian:${V//_/-}", "debian:12-1", "", "", None),
        ("ARG V=12_1\nFROM debian:${V/_*}", "debian:12", "", "", None),
        ("ARG V\nFROM debian:$V", "", "", "", None),
        ("FROM debian:$TARGETARCH", "debian:amd64", "", "", None),
        ("FROM a AS x-amd64\nFROM a AS x-arm64\nFROM x-$TARGETARCH", "x-amd64", "", "", 0),
        ("FROM a AS b\nFROM B", "B", "", "", 0),
        ("FROM a AS b\nFROM x AS b\nFROM b", "b", "", "", 1),
        ("FROM a\nFROM 0", "0", "", "", None),
        ("FROM a AS a", "a", "a", "", None),
    ],
)
def test_from(text: str, base: str, name: str, platform: str, parent: int | None) -> None:
    stage = parse(text).stages[-1]
    assert (stage.base, stage.name, stage.platform, stage.parent) == (base, name, platform, parent)


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("", 1, 1, "no instructions"),
        ("# only\n", 1, 1, "no instructions"),
        ("FROM a\nRUNN b", 2, 1, "unknown instruction: RUNN"),
        ("FROM a\n<<<<<<< HEAD\nRUN b\n=======\n>>>>>>> x\n", 2, 1, "unresolved merge conflicts"),
        ("FROM a\nRUN b \\\n c\n&& d", 4, 1, "unknown instruction: &&"),
        ("FROM a\nONBUILD FROM b", 2, 9, "unknown instruction: FROM"),
        ("RUN a\nFROM b", 1, 1, "no build stage"),
        ("ARG a", 1, 1, "no build stage"),
        ("FROM", 1, 1, "one or three"),
        ("FROM a b", 1, 1, "one or three"),
        ("FROM a AS 1b", 1, 1, "invalid name"),
        ("# escape=x\nFROM a", 1, 1, "escape character"),
        ("# escape=`\n# escape=`\nFROM a", 2, 1, "only one escape"),
        ("FROM a\n# pinner: ignroe", 2, 1, "unknown pinner directive"),
        ("FROM a\n# pinner: suite", 2, 1, "needs a value"),
        ("FROM a\n  # pinner: ignore=yes", 2, 3, "takes no value"),
    ],
)
def test_what_is_refused(text: str, line: int, column: int, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        parse(text)
    assert (caught.value.line, caught.value.column) == (line, column)


def suites(dockerfile: Dockerfile) -> list[list[str]]:
    def of(stage: Stage) -> list[str]:
        return [directive.value for directive in stage.directives]

    return [of(stage) for stage in dockerfile.stages]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM a\n# pinner: suite=sid\nFROM b", [[], ["sid"]]),
        ("FROM a\n# pinner: suite=sid\n# why\nFROM b", [[], ["sid"]]),
        ("FROM a\n# pinner: suite=sid\n\nFROM b", [["sid"], []]),
        ("#pinner:suite = sid\n\nFROM a\nFROM b", [["sid"], []]),
        ("FROM a\nRUN b \\\n  # pinner: suite=sid\n  c\nFROM b", [["sid"], []]),
        ("FROM a\n# about pinner: nothing\nFROM b", [[], []]),
    ],
)
def test_directives_belong_to_a_stage(text: str, expected: list[list[str]]) -> None:
    assert suites(parse(text)) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("FOO x", "    FOO x\n    ^^^"),
        ("FOO " + "x" * 200, f"    FOO {'x' * 116}…\n    ^^^"),
        (" " * 200 + "\tFOO x" + " " * 200 + "x", f"    …{' ' * 39}\tFOO x{' ' * 75}…\n     {' ' * 39}\t^^^"),
        (" " * 200 + "FOO x", f"    …{' ' * 115}FOO x\n     {' ' * 115}^^^"),
    ],
)
def test_of_a_long_line_a_part_is_shown(line: str, expected: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(f"FROM a\n{line}\n")
    assert caught.value.excerpt == expected
