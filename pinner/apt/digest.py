"""The digest of a file as an archive states it: lower-case hex, whose length tells the hash (SHA-256 or SHA-512).

An archive may state either alone: Ubuntu's has SHA-512 and nothing else from 26.10 on.
"""

from __future__ import annotations

from typing import Literal


def algorithm(digest: str) -> Literal["sha256", "sha512"]:
    """What hashlib calls the hash; upper-case it is the name of the field in which apt's files have the digest."""
    return "sha512" if len(digest) == 128 else "sha256"


def label(digest: str) -> str:
    """The hash's name for people."""
    return "SHA-512" if len(digest) == 128 else "SHA-256"
