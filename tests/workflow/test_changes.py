"""What kind of change leads from one version to another."""

from __future__ import annotations

import pytest

from pinner.workflow.changes import kind_of


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("", "1", "added"),
        ("1-1", "1-1+b1", "rebuild"),
        ("1-1+b1", "1-1+b2", "rebuild"),
        ("1-1*", "1-1+b2", "rebuild"),
        ("1-1", "1-1*", "rebuild"),
        ("1.6-2", "1.6-2+deb12u1", "revision"),
        ("1-1", "1-2", "revision"),
        ("3.0.20-1~deb12u2", "3.0.22-1~deb12u2", "upstream"),
        ("1:1-1", "2:1-1", "upstream"),
        ("1", "2", "upstream"),
        ("2-1", "1-1", "downgrade"),
        ("12.4+deb12u1", "12.4+deb12u12", "revision"),
        ("12.4", "12.4+deb12u1", "revision"),
        ("12.4+deb12u5", "12.5+deb12u1", "upstream"),
        ("13ubuntu10.2", "13ubuntu10.3", "revision"),
        ("2.7.14build2", "2.8.3", "upstream"),
    ],
)
def test_the_kind_of_a_change(old: str, new: str, kind: str) -> None:
    assert kind_of(old, new) == kind
