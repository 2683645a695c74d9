"""Files that commands move about, at random: the sources that the walk sees are those that a real shell leaves.

Each absolute path is led into a folder of the test, so that nothing outside is touched. PINNER_STAGES is how many
stages are made (24), PINNER_SEED the first one's seed.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from random import Random

import pytest

from tests.recipe.test_walk import BOOKWORM, LINE, walked

SEED, COUNT = int(os.environ.get("PINNER_SEED", "1")), int(os.environ.get("PINNER_STAGES", "24"))
PARTS = "/etc/apt/sources.list.d"
FOLDERS = ("/a", "/b", "/r", f"/r{PARTS}", "/q/w", PARTS)
FILES = (
    "/a/x.list",
    "/b/n.list",
    f"/r{PARTS}/z.list",
    "/q/w/w.list",
    f"{PARTS}/e.list",
    "/etc/apt/sources.list",
)
LINKS = ("/l1", "/l2", "/a/l")
#: D, F and L are each replaced by a folder, a file or a link of these.
COMMANDS = (
    "mkdir -p D && cp F D",
    "cp -r D D",
    "cp -a D/. D/",
    "cp -rT D D",
    "cp -t D F F",
    "cd /r && cp --parents etc/apt/sources.list.d/*.list D",
    "mv F F",
    "mv D/*.list D/",
    "mv D D",
    "mv -t D F",
    "rm -rf D",
    "rm -f F",
    "rm -rf D && mkdir -p D && cp F D",
    "ln -s F F",
    "ln -sf F D/link.list",
    "ln -s D L && cp F L/in.list",
    "ln -sfn D L && cd L && cp F .",
    "mkdir -p /p && ln -s ../etc/apt /p/l && cp F /p/l/sources.list.d/",
    f"rm -rf {PARTS} && ln -s /b {PARTS}",
    f"mv {PARTS} /etc/apt/old && mkdir {PARTS} && cp /etc/apt/old/*.list {PARTS}/",
    "cp -r /etc/apt /k && rm -rf /k/sources.list.d/* && cp F /k/sources.list.d/ && rm -rf /etc/apt && mv /k /etc/apt",
    "cd D && cp *.list D/",
    f"cd D && echo '{LINE}' >> h.list",
    f"echo '{LINE}' | sed s/x.ex/q.ex/ > D/sd.list",
    "tar cf /t.tar -C D . && tar xf /t.tar -C D",
    "(cd D && tar cf - *) | (cd D && tar xf -)",
    f'find D -name "*.list" -exec cp {{}} {PARTS}/ \\;',
    'find D -maxdepth 1 -name "*.list" -delete',
    'for f in D/*.list; do cp "$f" D/$(basename "$f" .list)-2.list; done',
    "install -D -m 644 F F",
    "install -d D && install -t D F",
    "sed -i s/x.example/z.example/ F",
    "cat F > F",
    "cat F | tee -a F > /dev/null",
    "sh -c 'cp F D/'",
    "dd if=F of=D/dd.list",
    f"ls D/*.list | xargs -I@ cp @ {PARTS}/",
    f"find D ! -name 'x.list' -name '*.list' -exec cp {{}} {PARTS}/ \\;",
    "find D -name 'x*' -delete -o -name 'n*' -delete",
    f"find D -iname 'X.LIST' -exec rm {{}} \\; -exec cp F {PARTS}/ \\;",
    f"tar cf /t.tar -C D --exclude 'x*' . && tar xf /t.tar -C {PARTS}",
    f"tar cf /t.tar -C D . -C D . && tar xf /t.tar -C {PARTS} --wildcards '*.list'",
    "cp -n F F",
    "sh -c 'cp F D/sh.list; exit 0; rm F'; cp F D/after.list",
    "(exit 1) || cp F D/or.list",
    "[ -f F ] && cp F D/ || true",
    'put() { cp "$1" "$2"; }; put F D/fn.list',
    'A=D; B=F; cp "$B" "${A}/v.list"; rm -f "$B"',
    "for d in D D; do cp F $d/lp.list; done",
)
START = [
    f"mkdir -p /a /b /q/w /r{PARTS}",
    *(f"echo '{LINE}' | sed s/x.ex/{n}.ex/ > {FILES[n]}" for n in range(4)),
]


def command(random: Random) -> str:
    """One of the commands, with what stands for names replaced."""
    names = {"D": FOLDERS, "F": FILES, "L": LINKS}
    return re.sub(r"\b[DFL]\b", lambda match: random.choice(names[match[0]]), random.choice(COMMANDS))


def runs(text: str, root: Path) -> bool:
    """Whether a text runs to its end in a folder that stands for the root."""
    led = re.sub(r"(?<![\w.@}*])/(?=(?:a|b|r|q|p|k|l\d|etc|t\.tar)\b)", f"{root}/", text)
    return not subprocess.run(
        ["sh", "-c", led], cwd=root, capture_output=True, timeout=20, check=False
    ).returncode


def sources(root: Path) -> dict[str, str]:
    """The sources files with something in them, and what they hold."""
    paths = [root / "etc/apt/sources.list", *(root / PARTS[1:]).glob("*")]
    return {
        f"/{path.relative_to(root)}": path.read_text()
        for path in paths
        if path.is_file() and path.read_text()
    }


@pytest.mark.parametrize("seed", range(SEED, SEED + COUNT))
def test_sources_are_where_a_shell_leaves_them(seed: int, tmp_path: Path) -> None:
    random = Random(seed)
    done: list[str] = []
    for number in range(random.randint(2, 6)):  # what fails ends a build: it is left out
        root = tmp_path / str(number)
        (root / PARTS[1:]).mkdir(parents=True)
        for path, text in BOOKWORM.items():
            (root / path[1:]).parent.mkdir(parents=True, exist_ok=True)
            (root / path[1:]).write_text(text)
        tried = [*done, command(random)]
        if all(runs(each, root) for each in (*START, *tried)):
            done, left = tried, sources(root)
    if not done:
        return
    body = "\n".join(f"RUN {each}" for each in (*START, *done))
    state = walked(body).stage(0)
    seen = {path: content.known for path, content in state.sources().items() if content.known != ""}
    if None not in seen.values():  # what is not known refuses pins, and is no error
        assert {path: text for path, text in seen.items() if path.endswith((".list", ".sources"))} == left, (
            body
        )
