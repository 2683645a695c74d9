"""`pinner scan`."""

from __future__ import annotations

import json

from tests.cli.workbench import Result, Workbench

DOCKERFILE = """\
FROM debian:bookworm AS base
RUN apt-get update \\
 && apt-get install -qy --no-install-recommends \\
      "curl" jq=1.6 \\
      $EXTRA ${MORE} # é
FROM example
RUN apt-get install -y a b
RUN xargs apt-get install -y < packages
"""


def test_scan_tells_what_lock_would_do_without_a_network(bench: Workbench) -> None:
    bench.write("Dockerfile", DOCKERFILE)
    result = bench.run("scan")
    how = (
        "name it by a comment `# pinner: suite=…` in the stage, by --suite, or under [images] in pinner.toml"
    )
    assert result == Result(
        0,
        "Dockerfile:3:5  stage base  apt-get install  (debian:bookworm, bookworm)\n"
        '  4:7  "curl"  pin\n'
        "  4:14  jq=1.6  keep\n"
        "  5:7  $EXTRA  not pinned [variable-unknown]: the value of EXTRA is not known here\n"
        "  5:14  ${MORE}  not pinned [variable-unknown]: the value of MORE is not known here\n"
        "Dockerfile:7:5  stage 1  apt-get install  (example, suite unknown)\n"
        f"  7:24  a b  not pinned [suite-unknown]: the image example does not name a suite ({how})\n"
        "Dockerfile:8:5  stage 1  not read [xargs]: the packages come from the input of xargs\n"
        "file        arguments  pinned  to pin  skipped  not read  share pinned\n"
        "Dockerfile          6       1       1        4         1          16 %\n"
        "total               6       1       1        4         1          16 %\n"
        "1 file, 6 package arguments: 1 to pin, 1 pinned, 4 skipped (variable-unknown 2, suite-unknown 2); "
        "not read: xargs 1\n",
        "",
    )
    assert bench.archive.requests == []


def test_scan_as_json(bench: Workbench) -> None:
    bench.write("Dockerfile", DOCKERFILE)
    found = json.loads(bench.run("scan", "--json", "--platform", "amd64").out)
    call = found["calls"][0]
    assert {key: value for key, value in call.items() if key != "words"} == {
        "path": "Dockerfile",
        "line": 3,
        "column": 5,
        "end_line": 5,
        "end_column": 21,
        "command": "apt-get install",
        "stage": "base",
        "base_image": "debian:bookworm",
        "suite": "bookworm",
        "platforms": ["linux/amd64"],
        "options": ["-qy", "--no-install-recommends"],
        "recommends": False,
        "target_release": "",
    }
    assert call["words"][0] == {
        "word": "curl",
        "raw": '"curl"',
        "line": 4,
        "column": 7,
        "end_line": 4,
        "end_column": 13,
        "kind": "plain",
        "action": "pin",
        "reason": "",
        "detail": "",
        "name": "curl",
        "arch": "",
        "pin": "",
        "release": "",
        "allowed": False,
    }
    assert [(word["kind"], word["action"]) for word in call["words"]] == [
        ("plain", "pin"),
        ("pinned", "keep"),
        ("variable", "skip"),
        ("variable", "skip"),
    ]
    assert [(item["line"], item["reason"]) for item in found["skipped"]] == [(8, "xargs")]


def test_scan_reads_standard_input(bench: Workbench) -> None:
    result = bench.run("scan", "-", stdin=DOCKERFILE.encode())
    assert result.out.startswith("<stdin>:3:5  stage base  apt-get install")
