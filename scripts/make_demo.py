"""Runs pinner on a terminal of its own in a copy of examples/, and draws what the terminal shows as an SVG."""

from __future__ import annotations

import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = [sys.executable, "-I", "-m", "pinner"]
STEPS = [
    ("pinner lock Dockerfile", [*PYTHON, "lock", "Dockerfile"]),
    ("git diff --unified=0 Dockerfile", ["git", "diff", "--color", "--unified=0", "Dockerfile"]),
    ("pinner lock Dockerfile", [*PYTHON, "lock", "Dockerfile"]),
]
COLUMNS, ADVANCE, LINE, EDGE = 126, 7.83, 19, 16  # characters; pixels
COLOURS = {"31": "#e5686d", "32": "#7fc97f", "33": "#e0af68", "36": "#6cb6d9", "1": "#ffffff"}
STYLE = "font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"


def shown(command: list[str], folder: str) -> str:
    """What the command writes to a terminal."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "PYTHONPATH": str(ROOT), "GIT_PAGER": "cat", "PAGER": "cat"}
    environment |= {"PINNER_IMAGES": "never", "COLUMNS": str(COLUMNS)}
    environment.pop("NO_COLOR", None)
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=theirs, stderr=theirs)
    os.close(theirs)
    seen = b""
    try:
        while piece := os.read(ours, 4096):
            seen += piece
    except OSError:  # how Linux says that nobody holds the other end
        pass
    os.close(ours)
    if process.wait():
        sys.exit(f"{' '.join(command)}: exit status {process.returncode}")
    return seen.decode()


def rows(text: str) -> list[list[tuple[str, str]]]:
    """Lines of (colour, text) as they stand in the end: overwritten ones are gone, long ones are wrapped."""
    lines: list[list[tuple[str, str]]] = []
    for line in text.replace("\r\n", "\n").splitlines():
        last = re.split(r"\r|\x1b\[K", line)[-1] if "\r" in line else line.replace("\x1b[K", "")
        row: list[tuple[str, str]] = []
        colour, width = "", 0
        for code, char in re.findall(r"\x1b\[([\d;]*)m|(.)", last):
            if not char:
                colour = COLOURS.get(code, "")
                continue
            if width == COLUMNS:
                lines.append(row)
                row, width = [], 0
            row.append((colour, char))
            width += 1
        lines.append(row)
    return lines


def svg(lines: list[list[tuple[str, str]]]) -> str:
    """The picture; colours and fonts are all its own."""
    width, height = round(COLUMNS * ADVANCE + 2 * EDGE), len(lines) * LINE + 2 * EDGE
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        "<title>pinner lock pins a Dockerfile</title>",
        f'<rect width="{width}" height="{height}" rx="8" fill="#1b1f27"/>',
        f'<g style="{STYLE}" fill="#d5d9e0">',
    ]
    for number, line in enumerate(lines):
        y = EDGE + LINE * number + 14
        at = 0
        while at < len(line):
            end = at
            while end < len(line) and line[end][0] == line[at][0]:
                end += 1
            fill = f' fill="{line[at][0]}"' if line[at][0] else ""
            # Runs of blanks are left out: not every viewer keeps them.
            for word in re.finditer(r"\S+(?: \S+)*", "".join(char for _, char in line[at:end])):
                x, length = EDGE + (at + word.start()) * ADVANCE, len(word[0]) * ADVANCE
                out.append(
                    f'<text x="{x:.1f}" y="{y}" textLength="{length:.1f}"{fill}>{escape(word[0])}</text>'
                )
            at = end
    return "\n".join([*out, "</g>", "</svg>", ""])


def main() -> None:
    """Runs the steps and writes the picture."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(ROOT / "examples" / "Dockerfile", folder)
        for arguments in (["init", "--quiet"], ["add", "Dockerfile"]):
            subprocess.run(["git", *arguments], cwd=folder, check=True)
        lines: list[list[tuple[str, str]]] = []
        for typed, command in STEPS:
            lines += [[], *rows(f"\x1b[1m$ {typed}\x1b[0m"), *rows(shown(command, folder))]
    (ROOT / "docs" / "demo.svg").write_text(svg(lines[1:]), encoding="utf-8")


if __name__ == "__main__":
    main()
