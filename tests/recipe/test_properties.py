"""What holds for every text."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pinner.edit.span import Joined, Span, apply
from pinner.errors import PinnerError
from pinner.recipe.dockerfile import parse
from pinner.recipe.installs import Install, Request, Skipped, find, pin

# Separated by blanks; those with blanks of their own follow.
_PIECES = r"""
RUN apt-get install -y curl g++ x=1 $X ${Y:-z} " ' ` \ && & ; | ( ) { } <<EOF EOF >f 2>&1 <<< $( $(( * {a,b} <% %> é
["a"] ONBUILD -t sudo if then fi for do done case esac in ;; # ! [[ ]] -- = / : ~ ^ COPY ENV @X@ 'a' "b" "$c" -o A=b
"""
PIECES = st.sampled_from(
    [
        *_PIECES.split(),
        *(
            "\\\n",
            "\\ \t\r\n",
            "\n",
            "\r\n",
            "\\\n# c\n",
            "\\\n# pinner: ignore\n",
            "\nRUN apt-get install ",
            "\nFROM a\n",
        ),
        *("\x00", "\r", "\u2028", "\U0001f600", "\ufeff", "{{ x }}", "ARG V=1", 'SHELL ["cmd"]'),
    ]
)
DOCKERFILES = st.lists(st.tuples(PIECES, st.sampled_from(["", " ", " ", " "])), max_size=40).map(
    lambda pieces: "FROM debian\nRUN apt-get install a " + "".join(piece + blank for piece, blank in pieces)
)


def requests(calls: tuple[Install | Skipped, ...]) -> list[Request]:
    return [request for call in calls if isinstance(call, Install) for request in call.requests]


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(DOCKERFILES)
@example("FROM debian\nRUN apt-get install a [[ ]]")
def test_pinning_only_inserts_and_reads_back(text: str) -> None:
    try:
        calls = find(parse(text))
    except PinnerError:
        return
    for call in calls:
        assert 0 <= call.span.start <= call.span.end <= len(text)
    found = requests(calls)
    assert all(request.word.span.of(text) == request.word.raw for request in found)
    chosen = {request: "1:2-3*" for request in found if request.action == "pin"}
    edits = pin(text, chosen)
    pinned = apply(text, edits)
    assert len(pinned) == len(text) + sum(len(edit.replacement) for edit in edits)
    shift = 0
    for edit in edits:
        start = edit.span.start + shift
        assert pinned[start:].startswith(edit.replacement)
        pinned = pinned[:start] + pinned[start + len(edit.replacement) :]
    assert pinned == text
    again = requests(find(parse(apply(text, edits))))
    assert [(r.name, r.arch) for r in again] == [(r.name, r.arch) for r in found]
    assert [r.pin for r in again] == ["1:2-3*" if r.action == "pin" else r.pin for r in found]


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    for candidate in (text, "FROM a\n" + text, "FROM a\nRUN apt-get install " + text):
        try:
            find(parse(candidate))
        except PinnerError as error:
            assert str(error)


@given(st.text(max_size=30), st.lists(st.integers(0, 30), min_size=2, max_size=8, unique=True))
def test_joined_text_knows_its_origin(source: str, cuts: list[int]) -> None:
    cuts = sorted(min(cut, len(source)) for cut in cuts)
    gaps = [Span(start, end) for start, end in zip(cuts[1:-1:2], cuts[2:-1:2], strict=False)]
    joined = Joined.without(source, Span(cuts[0], cuts[-1]), gaps)
    assert [source[joined.origin(at)] for at in range(len(joined.text))] == list(joined.text)
    for start in range(len(joined.text)):
        assert joined.index(joined.origin(start)) == start
        part = joined.part(start, len(joined.text))
        assert [source[part.origin(at)] for at in range(len(part.text))] == list(part.text)


LARGE = {
    "words": "FROM a\nRUN apt-get install " + "\\\n  package".join(map(str, range(100_000))),
    "one line": "FROM a\nRUN apt-get install " + "a" * 2_000_000,
    "instructions": "FROM a\n" + "RUN apt-get install a\n" * 3_000,
    "calls": "FROM a\nRUN x" + " && apt-get install a > b c" * 5_000,
    "comments": "FROM a\nRUN apt-get install a \\\n" + "# c\n" * 200_000 + " b",
    "ignored": "FROM a\nRUN apt-get install \\\n" + "# pinner: ignore\n a \\\n" * 300 + " b",
    "stages": "".join(f"FROM a{number} AS b{number}\n# c\n" for number in range(2_000)),
    "subshells": "FROM a\nRUN " + "(" * 1_000 + "apt-get install a" + ")" * 1_000,
    "substitutions": "FROM a\nRUN apt-get install " + "$(" * 1_000 + ")" * 1_000,
    "defaults": "FROM a" + "${b:-" * 1_000 + "}" * 1_000,
    "arrays": "FROM a\nRUN " + "[" * 100_000,
    "tests": "FROM a\nRUN apt-get install a && " + "[ a [[ b " * 30_000,
    "escapes": "FROM a\nRUN apt-get install " + "\\" * 100_000,
    "quotes": "FROM a\nRUN apt-get install " + "'\"" * 50_000,
    "heredocs": "FROM a\nRUN apt install " + "<<A " * 1_000,
    "redirections": "FROM a\nRUN apt-get install a " + "> b " * 5_000,
    "flags": "FROM a\nRUN " + "--mount=x " * 20_000 + "a",
    "strings": "FROM a\nRUN apt-get install " + '"a$b"' * 20_000,
}


@pytest.mark.parametrize("text", LARGE.values(), ids=LARGE)
def test_size_and_depth_are_no_matter(text: str) -> None:
    """Quadratic time would be minutes here, recursion an error."""
    find(parse(text))
