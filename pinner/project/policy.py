"""`[policy]` of the configuration, read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

from pinner.errors import InputError
from pinner.stages.policy import FAILURES, FORMS, Accepted, Hold, Policy

_HOLD = ("package", "until", "reason")
_ACCEPT = ("id", "package", "until", "reason")


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
        elif key == "accept":
            found["accept"] = tuple(_accepted(each, path))
        elif key == "fail-on":
            failures = [each] if isinstance(each, str) else each
            if not isinstance(failures, list) or not set(map(str, failures)) <= set(FAILURES):
                raise InputError(f"policy.fail-on must be of {', '.join(FAILURES)}", path=path)
            found["fail_on"] = tuple(failures)
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
            if each not in FORMS:
                raise InputError(f"policy.{key} must be {' or '.join(FORMS)}", path=path)
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
        if not isinstance(reason, str | None):
            raise InputError("policy.hold.reason must be a string", path=path)
        yield Hold(package, _day(until, "policy.hold", path), reason or "")


def _accepted(value: Any, path: str) -> Iterator[Accepted]:
    if not isinstance(value, list):
        raise InputError("[[policy.accept]] must be tables", path=path)
    for item in value:
        _known(item, _ACCEPT, "policy.accept", path)
        number, package, until, reason = (item.get(key) for key in _ACCEPT)
        if not all(isinstance(each, str) and each for each in (number, reason)):
            hint = 'id = "CVE-2026-1234" and reason = "the program that has it is not run"'
            raise InputError("[[policy.accept]] needs an id and a reason", path=path, hint=hint)
        if not isinstance(package, str | None):
            raise InputError("policy.accept.package must be a string", path=path)
        yield Accepted(number, package or "*", _day(until, "policy.accept", path), reason)


def _day(value: Any, table: str, path: str) -> date | None:
    """A date, as TOML has it or in a string. Raises `InputError`."""
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value)
        except ValueError:
            value = ""
    if isinstance(value, datetime) or not isinstance(value, date | None):
        raise InputError(f"{table}.until must be a date such as 2026-12-31", path=path)
    return value


def _known(value: Any, names: Iterable[str], table: str, path: str) -> None:
    if not isinstance(value, dict):
        raise InputError(f"[{table}] must be a table", path=path)
    names = tuple(names)
    for key in value:
        if key not in names:
            from pinner.project.config import near

            raise InputError(f"unknown key {table}.{key}", path=path, hint=near(key, names))
