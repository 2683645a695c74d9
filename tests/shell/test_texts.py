"""Programs that filter texts, as people read os-release and lists with them; the programs themselves are the judges."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from pinner.shell.content import UNKNOWN
from tests.recipe.test_walk import walked

TEXT = """PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
VERSION_ID="12"
VERSION_CODENAME=bookworm
ID=debian

# a list
curl  # trailing
  jq git
deb http://x.example/d bookworm main
Suites: bookworm bookworm-updates
"""

FILTERS = [
    """awk -F= '$1=="VERSION_CODENAME"{print $2}'""",
    "awk -F '=' '/^VERSION_CODENAME/ { print $2 }'",
    """awk -F'[)(]+' '/PRETTY_NAME=/ {print $2}'""",
    """awk -F= '/^VERSION_ID=/{gsub(/"/,"",$2); print $2}'""",
    "awk -F= '$1 ~ /^ID$/ {print $2; exit}'",
    "awk -F= '{ if ($1 ~ /^VERSION_CODENAME/) print; else if (NR == 1) print \"first\" }'",
    'awk \'BEGIN{FS="="} /^ID=/{printf "%s-%s\\n", $2, NR}\'',
    "awk '!/^#/ && NF {print $1}'",
    "awk '!seen[$1]++'",
    "awk '{sub(/#.*/, \"\"); print}' | tr -s ' \\n' ' '",
    "awk -v n=2 'NF > n {print $n \":\" $NF}'",
    "awk '/Suites:/ {print toupper($2)} END {print NR}'",
    "awk '{x = x \" \" $1} END {print x}'",
    "awk '$2 == \"bookworm\" || /jq/ {next} {print length($0)}'",
    "grep -oP 'VERSION_CODENAME=\\K\\w+'",
    "grep -oP '(?<=^ID=).*'",
    "grep -vE '^\\s*(#|$)'",
    "grep -v '^#' | grep .",
    "grep -e curl -e jq",
    "grep -c bookworm",
    "grep -F '(b'",
    "grep VERSION_CODENAME | cut -d= -f2",
    "cut -d'#' -f1",
    "cut -c1-3,5",
    "cut -s -d= -f 2-",
    "sed -n '/^VERSION_CODENAME=/{s/.*=//;p}'",
    "sed '/^#/d;/^$/{d}' | sed 's/[[:space:]]*#.*//'",
    "sed -n '/^ID/{s/=/ /;/debian/{s/d/D/;p}}'",
    "sed -n 's/curl/curl/p'",
    "grep -v = | tr -d '\\n'",
    "tr -cd 'a-z\\n'",
    "tr '[:lower:]' '[:upper:]' | head -n 3",
    "paste -sd' '",
    "paste -s -d, -",
    "tail -n 2 | sort",
    "grep = | tac",
]


@pytest.mark.parametrize("command", FILTERS)
def test_as_the_program(command: str) -> None:
    if shutil.which(command.split()[0]) is None:
        pytest.skip("no such program here")
    done = subprocess.run(["sh", "-c", command], input=TEXT, capture_output=True, text=True, check=True)
    found = walked(f"COPY x /x\nRUN cat /x | {{ {command}; }} > /y", files={"x": TEXT})
    content = found.stage(0).read("/y")
    assert content is not None
    assert content.text == done.stdout


@pytest.mark.parametrize(
    "command",
    [
        "awk '{for (i = 1; i < 3; i++) print $i}'",
        "awk '{print > \"x\"}'",
        "perl -ne print",
        "cut -b1",
        "sed -z s/a/b/",
    ],
)
def test_what_is_not_followed_is_not_known(command: str) -> None:
    content = walked(f"COPY x /x\nRUN cat /x | {{ {command}; }} > /y", files={"x": TEXT}).stage(0).read("/y")
    assert content is not None
    assert UNKNOWN in (content.text or UNKNOWN)
