"""Where here-documents stand, with bash as the judge: what `cat` gets is what is found."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from pinner.shell.lexer import UnclearError, outline

BASH = shutil.which("bash")
TEXTS = [
    "cat <<E\na\nE\ncat << 'E'\nb\nE\n",
    "cat <<E\n\tE\na\nE\n",
    "cat <<-E\n\tE\ncat <<-'E'\na\n\t\tE\n",
    'cat <<"E F"\nit\'s "\nE F\n',
    "cat <<\\E\n\\\nE\ncat <<E'F'\na\nEF\n",
    "cat <<'E'\na\\\nE\n",
    "cat <<E\na\\\\\nE\n",
    "cat <<A; cat <<B\na\nA\nb\nB\n",
    "cat <<E && \\\n  true\na\nE\n",
    'echo "$(cat <<E\na)\nE\n)"\n',
    "( cat <<E\n)\nE\n)\n",
    "x=$((1<<2)); (( x <<= 1 )); : $(( (x) << (1) ))\ncat <<E\na\nE\n",
    ": $((echo a) | cat <<E\nb\nE\n)\ncat <<E\nc\nE\n",
    "cat <<< a >/dev/null\n: '<<E' \"<<E\" # <<E\n: ${x:-<<E} ${x#'}'}\ncat <<E\nb\nE\n",
    ": \"${x%'<<E'}${x:-\"}\"}\" $'it\\'s <<E'\ncat <<E\nb\nE\n",
    "case x in (x) cat <<E\na\nE\n;; esac\n",
    "f() { cat <<E\na\nE\n}\nf\n",
    "cat 0<<E 5<<F\na\nE\nb\nF\n",
    "cat <<E\na\nE",
]


@pytest.mark.skipif(BASH is None, reason="there is no bash here")
@pytest.mark.parametrize("text", TEXTS)
def test_bash_reads_the_same_lines(text: str) -> None:
    assert BASH is not None
    found = outline(text).heredocs
    marked = text
    for number, heredoc in reversed(list(enumerate(found))):
        start, end = heredoc.body
        marked = f"{marked[:start]}<{number}\n{text[start:end]}>{number}\n{marked[end:]}"
    before, after = (
        subprocess.run([BASH, "-c", each], capture_output=True, text=True, check=True)
        for each in (text, marked)
    )
    assert not before.stderr
    assert not after.stderr
    lines = after.stdout.splitlines()
    assert [line for line in lines if line not in {f"{mark}{n}" for mark in "<>" for n in range(9)}] == (
        before.stdout.splitlines()
    )
    read = [number for number, heredoc in enumerate(found) if f"<{number}" in lines]
    assert all(f">{number}" in lines for number in read)
    assert read or "$((echo" in text


@pytest.mark.parametrize(
    "text",
    [
        "cat <<E\na\n",
        "cat <<E\na\\\nE\n",
        "cat <<E\na\nE \n",
        "x `cat <<E\na\nE\n`\n",
        "x $(cat <<E)\na\nE\n",
        "cat <<E $(x\n)\na\nE\n",
        "cat <<$x\na\n$x\n",
        "echo 'a\n",
        'echo "a\n',
        "echo $(a\n",
        'x "${a:-it\'s}" "\n',
    ],
)
def test_what_is_not_clear(text: str) -> None:
    with pytest.raises(UnclearError):
        outline(text)


def test_where_lines_go_on_and_begin() -> None:
    text = "a \\\n b\n'c\n' # \\\n(d\n)\ncat <<'E'\n\\\nE\ne\n"
    found = outline(text)
    assert found.folds == [2]
    assert [text[at:].partition("\n")[0] for at in found.lines] == [" b", "'c", "(d", "cat <<'E'", "e", ""][
        1:
    ]
