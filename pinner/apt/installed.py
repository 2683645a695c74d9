"""What is installed in a root: from dpkg's status text, or from a list that `dpkg-query -W` printed."""

from __future__ import annotations

import re

from pinner.apt.packages import FIELDS, Package, package
from pinner.errors import InputError
from pinner.regex import later
from pinner.values import NamedTuple

# The states in which apt knows no current version (debListParser::ParseStatus).
_ABSENT = frozenset({"not-installed", "config-files"})

# As dpkg reads them, which is laxer than Policy 5.6.7 and 5.6.12: what is installed is installed.
_NAME = r"[A-Za-z0-9][A-Za-z0-9+._\-]*"
_ARCH = r"[a-z0-9][a-z0-9\-]*"
_VERSION = r"[0-9A-Za-z][0-9A-Za-z.+~:\-]*"
_LINE = later(rf"(?P<name>{_NAME})(?::(?P<arch>{_ARCH}))?(?:[ \t]+(?P<version>{_VERSION}))?")
_IDENTITY = later(rf"{_NAME} {_ARCH} {_VERSION}")
_WANTED = frozenset(name.lower() for name in FIELDS)


class Listed(NamedTuple):
    """A line of `dpkg-query -W`; `arch` is empty where dpkg does not print it (it does for Multi-Arch: same)."""

    name: str
    arch: str
    version: str


def packages(status: str, states: str = "") -> tuple[Package, ...]:
    """The packages that apt counts as installed, in file order, from the text of /var/lib/dpkg/status.

    `states` is the text of /var/lib/apt/extended_states, which says what was installed automatically.

    That is every state but `not-installed` and `config-files`, whatever is wanted of the package (`hold`, `deinstall`).
    A stanza without a Status field counts too: such are the files of status.d, which images without dpkg use;
    dpkg itself always writes the field. Of two stanzas for the same name and architecture the later counts,
    as for dpkg. A stanza without a Version is passed over, as apt does.

    Raises InputError for one whose name, version or architecture cannot be used.
    """
    found: dict[tuple[str, str], Package] = {}
    automatic = _automatic(states)
    # Text from outside may use \r\n; blank lines end a stanza (deb822(5)).
    for stanza in re.split(r"\n{2,}", status.replace("\r\n", "\n")):
        fields = _fields(stanza)
        if not fields:
            continue
        value = package(tuple(fields.get(name.lower(), "") for name in FIELDS))
        key = (value.name, value.architecture)
        found.pop(key, None)
        if fields.get("status", "installed").rpartition(" ")[2].lower() in _ABSENT or not value.version:
            continue
        if not _IDENTITY.fullmatch(f"{value.name} {value.architecture} {value.version}"):
            raise InputError(
                "the list of installed packages has a stanza without a usable name, version or architecture: "
                f"{value.name!r} {value.version!r} {value.architecture!r}"
            )
        found[key] = value._replace(
            held=fields.get("status", "").startswith("hold "),
            automatic=(value.name, "" if value.architecture == "all" else value.architecture) in automatic,
        )
    return tuple(found.values())


def _automatic(states: str) -> frozenset[tuple[str, str]]:
    """The packages, by name and architecture, that are marked as automatically installed (apt-mark(8)).

    They are there without an architecture, too: for packages that are for all, apt writes its own.
    """
    found = set()
    for stanza in re.split(r"\n{2,}", states):
        fields = dict(re.findall(r"^(Package|Architecture|Auto-Installed): *(\S*)", stanza, re.MULTILINE))
        if fields.get("Auto-Installed") == "1":
            name = fields.get("Package", "")
            found |= {(name, fields.get("Architecture", "")), (name, "")}
    return frozenset(found)


def listed(text: str, path: str = "") -> tuple[Listed, ...]:
    """The lines of `dpkg-query -W`: `name<TAB>version` or `name:arch<TAB>version`, in order.

    Blank lines are passed over, and so are names without a version, which dpkg knows but has not installed.
    Raises InputError, with `path` and the line, for anything else.
    """
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        match = _LINE.fullmatch(line.strip())
        if match and match["version"]:
            found.append(Listed(match["name"], match["arch"] or "", match["version"]))
        elif not match and line.strip():
            raise InputError(
                "this is not a line of `dpkg-query -W`: a package name, a tab, a version",
                path=path,
                line=number,
                hint="write the file with `dpkg-query -W > FILE` in the image",
            )
    return tuple(found)


def _fields(stanza: str) -> dict[str, str]:
    """Field names in lower case (they are case-insensitive, Policy 5.1) and their unfolded values."""
    fields: dict[str, str] = {}
    name = ""
    for line in stanza.split("\n"):
        if line[:1] in (" ", "\t"):
            # The long texts (Description, Conffiles) are not needed here.
            if name in _WANTED:
                fields[name] = f"{fields[name]} {line.strip()}"
        elif line:
            name, colon, value = line.partition(":")
            name = name.strip().lower()
            if not colon or not name:
                raise InputError("the list of installed packages has a line that is no field")
            fields[name] = value.strip()
    return fields
