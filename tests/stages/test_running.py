"""Which Dockerfiles may run files of their build context: never fewer than a walk finds that do."""

from __future__ import annotations

from pathlib import Path

import pytest

from pinner.project import context
from pinner.project.context import ContextFiles
from pinner.recipe import dockerfile
from pinner.stages import running
from pinner.stages.views import alone

_SCRIPT = '#!/bin/sh\napt-get install -y "$@"\n'
_FILES = {
    "setup.sh": _SCRIPT,
    "bin/tool": _SCRIPT,
    "my tool.sh": _SCRIPT,
    "notes.txt": _SCRIPT,
    "Makefile": "all:\n\tapt-get install -y jq; curl x | sh\n",
    "outer": "#!/bin/sh\nsh /app/setup.sh jq\n",
}


def _context(folder: Path) -> ContextFiles:
    for name, text in _FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return ContextFiles(folder / "Dockerfile", folder, folder)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("COPY . /app\nRUN /app/setup.sh jq", True),
        ("COPY . /app\nRUN sh -c '/app/setup.sh jq'", True),
        ('COPY . /app\nRUN ["/app/setup.sh", "jq"]', True),
        ('COPY . /app\nRUN /app/se"tup".sh jq', True),
        ("COPY . /app\nRUN '/app/my tool.sh' jq", True),
        ("COPY . /app\nRUN sh /app/notes.txt jq", True),
        ("COPY . /app\nRUN chmod +x /app/notes.txt && /app/notes.txt jq", True),
        ("COPY . /app\nRUN if ! A=1 /app/notes.txt jq; then exit 1; fi", True),
        ('COPY . /app\nRUN ["/app/notes.txt", "jq"]', True),
        ("COPY . /app\nRUN su -c '/app/notes.txt jq'", True),
        ("COPY . /app\nRUN cp /app/notes.txt /bin/x && x jq", True),
        ("COPY . /app\nRUN /app/outer", True),
        ("COPY . /app\nRUN make -C /app", True),
        ("COPY . /app\nENV A=/app/setup.sh\nRUN $A jq", True),
        ("COPY . /app\nARG A\nRUN if ! $A jq; then exit 1; fi", True),
        ("ARG A=setup.sh\nFROM debian:12\nARG A\nCOPY . /app\nRUN /app/$A jq", True),
        ("COPY . /app\nARG A=setup\nRUN sh /app/$A.sh jq", True),
        ("COPY . /app\nARG A=ol\nRUN if ! /app/bin/to$A jq; then exit 1; fi", True),
        ('COPY . /app\nARG A=to\nRUN ["sh", "-c", "/app/bin/${A}ol jq"]', True),
        ("COPY . /app\nARG A=ol\nRUN install -m755 /app/bin/to${A#x} /bin/other && other jq", True),
        ("COPY . /app\nRUN B=1 /app/bin/`echo to`ol jq", True),
        ("COPY . /app\nARG A=1\nRUN timeout 9 curl -O http://a/tools-$A.zip -o /app/$A/to$A/x", False),
        pytest.param("COPY . /app\nRUN " + "a$" * 100_000 + "/", True, id="long"),
        ("COPY . /app\nRUN cd /app && sh s*.sh jq", True),
        ("COPY . /app\nRUN for each in /app/*; do sh $each jq; done", True),
        ("COPY . /app\nRUN find /app -name 'set*' -exec sh {} jq \\;", True),
        ("COPY . /app\nRUN run-parts --regex . /app/bin", True),
        ("COPY . /app\nRUN cp /app/bin/t* /bin/other && other jq", True),
        ("COPY . /app\nRUN <<E\nsh /app/setup.sh jq\nE", True),
        ("COPY setup.sh /bin/other\nRUN other jq", True),
        ("ARG A=setup.sh\nCOPY $A /bin/other\nRUN other jq", True),
        ("COPY s*.sh /app/\nRUN /app/setup.sh jq", True),
        ("RUN --mount=target=/app /app/setup.sh jq", True),
        ("COPY . /app\nRUN apt-get update && apt-get install -y jq && rm -rf /var/lib/apt/lists/*", False),
        ("COPY . /app\nRUN pip install -r /app/notes.txt", False),
        ("COPY . /app\nRUN ./configure --prefix=/usr && $HOME/bin/x", False),
        ("COPY . /app\nENTRYPOINT /app/setup.sh", False),
        ("COPY notes.txt /app/\nRUN setup.sh jq", False),
        ("COPY absent /app/\nRUN find / && sh /app/absent jq", False),
        ("RUN setup.sh jq", False),
    ],
)
def test_runs_files(text: str, expected: bool, tmp_path: Path) -> None:
    parsed = dockerfile.parse(text if "FROM" in text else f"FROM debian:12\n{text}\n")
    own = _context(tmp_path)
    assert running.runs_files(parsed, own) is expected
    runs = any(seen.file for stage in alone(parsed, own).seen.values() for seen in stage)
    assert expected or not runs


def test_doubt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a context that is too large, or linked to another folder, not all names are known."""
    parsed = dockerfile.parse("FROM debian:12\nCOPY . /app\nRUN /app/far/configure jq\n")
    assert not running.runs_files(parsed, _context(tmp_path))
    monkeypatch.setattr(context, "_MOST_NAMES", 3)
    assert running.runs_files(parsed, _context(tmp_path))
    monkeypatch.undo()
    (tmp_path / "far").symlink_to(tmp_path / "bin")
    assert running.runs_files(parsed, _context(tmp_path))


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("echo 'apt-get install \"$@\"' > /bin/add && add jq", True),
        ("echo 'apt-get install \"$@\"' | tee /bin/add; add jq", True),
        ("cat <<E > /bin/add && add jq\napt-get install $1\nE", True),
        ('A=/bin/add; echo apt-get install > "$A"; add jq', True),
        ("echo YXB0LWdldCBpbnN0YWxsICIkQCI= | base64 -d > /bin/add; add jq", True),
        ("{ echo apt-get; echo a; } > /bin/add; add jq", True),
        ("<<R\ncat > /bin/add <<E\napt-get install $1\nE\nadd jq\nR", True),
        ("<<R\nsudo tee /bin/add >/dev/null <<E\napt-get install $1\nE\nadd jq\nR", True),
        ("<<R\ndd of=/bin/add <<E\napt-get install $1\nE\nadd jq\nR", True),
        ("echo 'apt-get install \"$@\"' | cat > /bin/add; add jq", True),
        ("echo 'apt-get install \"$@\"' | sudo sponge /bin/add; add jq", True),
        ("printf '#!/bin/sh\\napt-get install \"$@\"\\necho done\\n' > /bin/add; add jq", True),
        ("echo 'apt-get install \"$@\"' > /etc/init.d/add; /etc/init.d/add jq", True),
        ("echo 'apt-get install \"$@\"' > /bin/add-a; for each in /bin/add-*; do $each jq; done", True),
        ("A=a; echo 'apt-get install \"$@\"' > /bin/add-a; timeout 9 /bin/add-$A jq", True),
        (
            "printf '#!/bin/sh\\nexit 0\\n' > /bin/add && chmod +x /bin/add && ./configure --prefix=/usr",
            False,
        ),
        ("echo a > /etc/apt/sources.list.d/a.list && apt-get update > /dev/null 2>&1", False),
        ("echo listen > /srv/conf/a.conf && ./configure --prefix=/usr", False),
    ],
)
def test_writes_programs(command: str, expected: bool) -> None:
    if not command.startswith("<<"):
        command = command.replace("\n", " \\\n")
    parsed = dockerfile.parse(f"FROM debian:12\nRUN {command}\n")
    assert running.writes_programs(parsed) is expected
