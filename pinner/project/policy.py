"""`[policy]` of the configuration, read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

from pinner.errors import InputError
from pinner.stages.policy import FAILURES, FORMS, Hold, Policy

_HOLD = ("package", "until", "reason")


def duration(text: str) -> timedelta | None:
    """`90s`, `10m`, `2h`, `3d`; None for what is no duration."""
    match = re.fullmatch(r"(\d{1,6})([smhd])", text)
    units = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
    return timedelta(**{units[match[2]]: int(match[1])}) if match else None


def from_table(value: Any, path: str) -> Policy:
    """The policy of a table. Raises `InputError` for a key or a value that is not known."""
    names = {field.replace("_", "-"): field for field in Policy._fields}
    _known(value, names, "policy", path)
    found: dict[str, Any] = {}
    for key, each in value.items():
        if key == "hold":
            found["hold"] = tuple(_holds(each, path))
        elif key == "security-only":
            if not isinstance(each, bool):
                raise InputError("policy.security-only must be true or false", path=path)
            found["security_only"] = each
        elif key in {"min-age", "max-lag"}:
            span = duration(each) if isinstance(each, str) else None
            if span is None:
                raise InputError(f'policy.{key} must be a duration such as "7d" or "12h"', path=path)
            found[names[key]] = span
        else:
            choices = FORMS if key == "pin" else FAILURES
            if each not in choices:
                raise InputError(f"policy.{key} must be {' or '.join(choices)}", path=path)
            found[names[key]] = each
    return Policy(**found)


def _holds(value: Any, path: str) -> Iterator[Hold]:
    if not isinstance(value, list):
        raise InputError("[[policy.hold]] must be tables", path=path)
    for item in value:
        _known(item, _HOLD, "policy.hold", path)
        package, until, reason = (item.get(key) for key in _HOLD)
        if not isinstance(package, str) or not package:
            raise InputError("[[policy.hold]] needs a package", path=path, hint='package = "nginx*"')
        if isinstance(until, str):
            try:
                until = date.fromisoformat(until)
            except ValueError:
                until = ""
        if isinstance(until, datetime) or not isinstance(until, date | None):
            raise InputError("policy.hold.until must be a date such as 2026-12-31", path=path)
        if not isinstance(reason, str | None):
            raise InputError("policy.hold.reason must be a string", path=path)
        yield Hold(package, until, reason or "")


def _known(value: Any, names: Iterable[str], table: str, path: str) -> None:
    if not isinstance(value, dict):
        raise InputError(f"[{table}] must be a table", path=path)
    names = tuple(names)
    for key in value:
        if key not in names:
            from pinner.project.config import near

            raise InputError(f"unknown key {table}.{key}", path=path, hint=near(key, names))
