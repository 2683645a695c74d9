"""Archives that are signed by the right key and say what no archive should."""

from __future__ import annotations

import pytest

from tests.cli.workbench import Workbench


def add(bench: Workbench, **fields: str) -> None:
    """One more version of curl, which all would take."""
    suite = next(suite for suite in bench.archive.suites if suite.name == "bookworm")
    suite.package("curl", fields.pop("version", "9"), **fields)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"version": "9 $(id)"}, "Version '9 $(id)'"),
        ({"version": "9\u202e8"}, "Version '9\\u202e8'"),
        ({"filename": "../../../etc/cron.d/x.deb"}, "Filename '../../../etc/cron.d/x.deb'"),
        ({"size": "-1"}, "Size '-1'"),
        ({"sha256": "zz"}, "SHA256 'zz'"),
        ({"source": "../../x"}, "Source '../../x'"),
    ],
)
def test_a_stanza_that_is_not_well_formed(fields: dict[str, str], why: str, bench: Workbench) -> None:
    """It is named with its archive and passed over; all else is as without it."""
    add(bench, **fields)
    done = bench.run("lock")
    assert done.status == 0, done.err
    assert "curl=7.88.1-10+deb12u14 jq=1.6-2.1" in bench.read("Dockerfile")
    assert "http://deb.debian.org/debian bookworm: passed over curl" in done.err
    assert f"whose stanza has {why}" in done.err
    verified = bench.run("verify")
    assert verified.status == 0, verified.out
    assert why in verified.err
