"""Paths in URIs (RFC 3986), for floors that may not import what could open one."""

from __future__ import annotations

import re


def encoded(path: str) -> str:
    """A path as part of a URI: everything but letters, digits and `._~/+:-` as percent escapes."""
    data = path.encode("utf-8", "surrogateescape")
    return re.sub(rb"[^A-Za-z0-9._~/+:-]", lambda byte: b"%%%02X" % byte[0][0], data).decode()
