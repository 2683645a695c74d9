"""What apt's configuration decides about versions, of all that it may say (apt.conf(5), apt-get(8)). Pure.

The rest moves nothing that pinner looks at: how apt fetches, caches, asks and prints, and what dpkg is given.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pinner.apt import conf
from pinner.apt.command_line import Setting
from pinner.apt.conf import Settings
from pinner.errors import InputError
from pinner.values import NamedTuple

#: Keys whose values say where apt finds what it reads, with the names by which they are refused.
_PLACES = ("sourcelist", "sourceparts", "preferences", "preferencesparts", "main", "parts")
#: What changes the set of packages or their order in ways that are not followed.
_REFUSED = ("RootDir", "APT::Architecture", "APT::Architectures", "Dir::State::status", "APT::Sources::With")


class Decisions(NamedTuple):
    """What is decided. `release` is the target release (`-t`), `snapshot` the moment that apt is asked for.

    `check_valid_until`, `check_date` and `valid_for` (Min- and Max-ValidTime, in seconds) are for Releases past their
    time, where a source says nothing of its own. Without `sources_list` or `sources_parts` apt does not read that file
    or directory of sources, and likewise with preferences.
    """

    release: str = ""
    recommends: bool = True
    suggests: bool = False
    check_valid_until: bool = True
    check_date: bool = True
    valid_for: tuple[int, int] = (0, 0)
    snapshot: str = ""
    sources_list: bool = True
    sources_parts: bool = True
    preferences: bool = True
    preferences_parts: bool = True


#: What apt decides by itself.
UNTOLD = Decisions()


def of(
    files: Iterable[tuple[str, str]],
    program: str = "apt-get",
    options: Iterable[Setting] = (),
    include: conf.Include = conf.no_include,
) -> Decisions:
    """What files of apt.conf(5), path and text in apt's order, and the options of a command decide.

    Raises `InputError`, with a file's path, for what apt refuses, is not followed, or is not known. `include` gives the
    files that others include, or that `-c` names.
    """
    settings = Settings()
    for path, text in files:
        settings = conf.read(text, path, settings, include)
    settings = settings.of(program)
    for option in options:
        if option.file:
            if option.value is None:
                raise InputError("the file that -c names is not known")
            for path, text in include(option.value):
                settings = conf.read(text, path, settings, include)
        else:
            settings = settings.set(option.key, option.value)
    return _decided(settings) if settings != conf.BEGIN else UNTOLD


def _decided(settings: Settings) -> Decisions:
    for key in _REFUSED:
        item = settings.item(key)
        if item is not None and (item.value != "" or item.children):
            raise InputError(f"{key} is not followed")
    places = [_reads(settings, name) for name in _PLACES]
    if not all(places[4:]):
        raise InputError("Dir::Etc::main and Dir::Etc::parts are not followed")
    return Decisions(
        _known(settings, "APT::Default-Release"),
        _truth(settings, "APT::Install-Recommends", True),
        _truth(settings, "APT::Install-Suggests", False),
        _truth(settings, "Acquire::Check-Valid-Until", True),
        _truth(settings, "Acquire::Check-Date", True),
        (_number(settings, "Acquire::Min-ValidTime"), _number(settings, "Acquire::Max-ValidTime")),
        _known(settings, "APT::Snapshot"),
        *places[:4],
    )


def _reads(settings: Settings, name: str) -> bool:
    """Whether apt reads a file or directory of its own where it always is; False if it reads none."""
    key = f"Dir::Etc::{name}"
    path, usual = settings.path(key), conf.BEGIN.path(key)
    if path is not None and path.rstrip("/") == usual:
        return True
    # `-` is what people write for a directory that is not there.
    if path is not None and (not path or re.fullmatch(r"(?:.*/)?(?:-|none)/*", path)):
        return False
    raise InputError(f"{key} moves what apt reads, which is not followed")


def _known(settings: Settings, key: str) -> str:
    value = settings.find(key)
    if value is None:
        raise InputError(f"the value of {key} is not known")
    return value


def _truth(settings: Settings, key: str, default: bool) -> bool:
    return conf.truth(_known(settings, key), default) is True


def _number(settings: Settings, key: str) -> int:
    match = re.match(r"\d{1,12}", _known(settings, key))
    return int(match[0]) if match else 0
