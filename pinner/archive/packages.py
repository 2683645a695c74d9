"""One stanza of a Packages file as a value.

Fields as in Debian Policy 5.3 and the repository format (https://wiki.debian.org/DebianRepository/Format).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Package:
    """A version of a binary package as an index (or a dpkg status file) describes it.

    Relation fields hold the text of the index, unparsed: most are never looked at.
    `priority` is the stanza's Priority field (required … extra), not a pin priority.
    `important` is true for `Important: yes` and `Protected: yes` alike, which apt treats the same.
    `size` is that of the .deb in bytes, `filename` is relative to the archive's root; both are empty for a
    package that is only installed.
    """

    name: str
    version: str
    architecture: str
    source: str = ""
    source_version: str = ""
    multi_arch: str = "no"
    essential: bool = False
    important: bool = False
    priority: str = "optional"
    pre_depends: str = ""
    depends: str = ""
    recommends: str = ""
    suggests: str = ""
    conflicts: str = ""
    breaks: str = ""
    replaces: str = ""
    provides: str = ""
    installed_size: str = ""
    filename: str = ""
    size: int = 0
    sha256: str = ""
