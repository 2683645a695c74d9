"""Texts that are read without the grammar mean what they mean with it; whatever is in doubt is left to it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinner.edit.span import Joined
from pinner.recipe import dockerfile
from pinner.recipe.walk import Walked
from pinner.shell import plain, syntax
from pinner.shell.syntax import Command

# Expands to nothing that matters, and makes a text one that is not plain.
_BEFORE = ': "$X"; '


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("apt-get update && apt-get install -y curl; rm -rf /tmp/*", ["apt-get", "apt-get", "rm"]),
        ("A=1 B='x y' apt-get -o=\"a b\" update\n\n  ls ; ", ["apt-get", "ls"]),
        ("X=1 && echo if then '#'", ["echo"]),
    ],
)
def test_plain_texts(text: str, names: list[str]) -> None:
    assert [each.args[0].text for each in plain.commands(text) if each.args] == names


@pytest.mark.parametrize(
    "text",
    [
        *(
            "a $X",
            "a `b`",
            'a "$X"',
            "a | b",
            "a > b",
            "a < b",
            "a & b",
            "a || b",
            "a ;; b",
            "a &&",
            "&& a",
            "(a)",
        ),
        *(
            "{ a; }",
            "a {b,c}",
            "! a",
            "if a; then b; fi",
            "A=1 export B",
            "local x",
            "[ a ]",
            "a [b]",
            "a # b",
            "#a",
        ),
        *(
            "a \\b",
            "a 'b",
            'a "b',
            'a "\\n"',
            "a=(b)",
            "a+=b",
            "X= a",
            "A=1 B=2",
            "- a",
            "a\rb",
            "a é",
            "a\n; b",
            "",
        ),
    ],
)
def test_others_are_left_to_the_grammar(text: str) -> None:
    assert plain.read(text) is None


_WORDS = st.sampled_from(
    [
        *(
            "apt-get",
            "install",
            "-y",
            "g++",
            "X=1",
            "A=b=c",
            '--o="a b"',
            "'q'",
            '"dq"',
            "''",
            '""',
            "a'b'c\"d\"",
            "if",
        ),
        *(
            "in",
            "time",
            "*",
            "~",
            "~/x",
            "@",
            "%",
            "^",
            ",",
            ":",
            ".",
            "./x",
            "/etc/*",
            "1",
            "-",
            "--",
            "+x",
            "echo",
        ),
        *(
            "set",
            "-e",
            "test",
            "exit",
            "1.0~x",
            "a==b",
            "1=2",
            "'a;b'",
            '"&&"',
            "'#'",
            "a#b",
            "'{{x}}'",
            "'[[ a ]]'",
        ),
        *(
            "'(( x'",
            '"(("',
            "'`'",
            "' x'",
            "A='z'",
            "A=*",
            "[",
            "{",
            "$X",
            "done",
            "function",
            "=x",
            "_=1",
            "cp",
            "rm",
        ),
    ]
)
_BETWEEN = st.sampled_from([*[" "] * 6, " && ", "&&", ";", " ; ", "\n", " &&\n", "\t", "|", ";;"])


@given(st.lists(st.tuples(_WORDS, _BETWEEN), min_size=1, max_size=8))
def test_both_read_the_same(parts: list[tuple[str, str]]) -> None:
    text = "".join(word + between for word, between in parts)
    if plain.read(text) is None:
        return
    own, (_, *others) = _commands(text, 0), _commands(_BEFORE + text, len(_BEFORE))
    assert own == others
    assert _walked(text, 0) == _walked(_BEFORE + text, len(_BEFORE))


def _commands(text: str, moved: int) -> list[object]:
    script = syntax.read(text, Joined(text, (0,), (0,), (len(text),)))
    assert not script.unread
    return [_command(each, moved) for each in script.commands()]


def _command(own: Command, moved: int) -> object:
    words = [
        (word.raw, word.value, word.span.start - moved, word.tail - moved, word.guarded, word.split)
        for word in own.words
    ]
    parts = [
        (part.kind, part.text, part.start - moved, part.end - moved)
        for word in own.words
        for part in word.parts
    ]
    return (
        words,
        parts,
        own.span.start - moved,
        own.span.end - moved,
        own.nested,
        own.certain,
        own.place[0] - moved,
    )


def _walked(text: str, moved: int) -> object:
    text = text.replace("\n", ";") if ";" not in text and "&&" not in text else text.replace("\n", " ")
    walked = Walked(dockerfile.parse(f"FROM debian\nRUN {text}\n"), "linux/amd64", "amd64", lambda stage: {})
    state = walked.stage(0)
    return (
        [(each.start - moved, each.end - moved) for each in walked.seen[0] if each.settings is not None],
        [(each.program, each.words, each.maybe, each.at - moved) for each in walked.commands[0]],
        {path: (each.text, each.by, each.gone) for path, each in state.files.items()},
        [(each.target, each.source) for each in state.layers],
    )
