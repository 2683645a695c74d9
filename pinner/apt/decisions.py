"""What apt's configuration decides about versions and removals, of all that it may say (apt.conf(5), apt-get(8)). Pure.

The rest moves nothing that pinner looks at: how apt fetches, caches, asks and prints, and what dpkg is given.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from pinner.apt import conf
from pinner.apt.command_line import Setting
from pinner.apt.conf import Settings
from pinner.errors import InputError
from pinner.values import NamedTuple

#: What changes the set of packages or their order in ways that are not followed.
_REFUSED = ("RootDir", "APT::Architecture", "Dir::State::status", "APT::Sources::With")
#: What decides about packages that are there already.
_PRESENT = (
    *(
        "APT::AutoRemove::SuggestsImportant",
        "APT::AutoRemove::RecommendsImportant",
        "APT::Get::AutomaticRemove",
    ),
    *("APT::Get::Upgrade", "APT::Get::Only-Upgrade", "APT::Get::ReInstall", "APT::Get::Download-Only"),
)


class Places(NamedTuple):
    """The files and directories from which apt reads sources and preferences (apt.conf(5), "Dir::Etc"); "" for none."""

    sourcelist: str = "/etc/apt/sources.list"
    sourceparts: str = "/etc/apt/sources.list.d"
    preferences: str = "/etc/apt/preferences"
    preferencesparts: str = "/etc/apt/preferences.d"

    def sources(self, path: str) -> bool:
        """Whether a file is one of those that apt reads sources from."""
        return path == self.sourcelist or path.rpartition("/")[0] == self.sourceparts


class Decisions(NamedTuple):
    """What is decided. `release` is the target release (`-t`), `snapshot` the moment that apt is asked for.

    `check_valid_until`, `check_date` and `valid_for` (Min- and Max-ValidTime, in seconds) are for Releases past their
    time, where a source says nothing of its own. `architectures` are those of packages that apt looks at beside its
    own, if it is not dpkg that says so. `said` is what is set about packages that are there already.
    """

    release: str = ""
    recommends: bool = True
    suggests: bool = False
    check_valid_until: bool = True
    check_date: bool = True
    valid_for: tuple[int, int] = (0, 0)
    snapshot: str = ""
    places: Places = Places()
    architectures: tuple[str, ...] = ()
    said: tuple[Setting, ...] = ()


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
    if settings != conf.BEGIN:
        _read_elsewhere(settings, "Dir::Etc::main", "Dir::Etc::parts")
    settings = settings.of(program)
    lists = settings.path("Dir::State::lists")
    for option in options:
        if option.file:
            if option.value is None:
                raise InputError("the file that -c names is not known")
            for path, text in include(option.value):
                settings = conf.read(text, path, settings, include)
        else:
            settings = settings.set(option.key, option.value)
    found = _decided(settings) if settings != conf.BEGIN else UNTOLD
    if settings.path("Dir::State::lists") != lists:
        raise InputError("Dir::State::lists of one command alone is not followed")
    return found


@lru_cache(maxsize=256)
def _decided(settings: Settings) -> Decisions:
    for key in _REFUSED:
        item = settings.item(key)
        if item is not None and (item.value != "" or item.children):
            raise InputError(f"{key} is not followed")
    architectures = settings.values("APT::Architectures")
    return Decisions(
        _known(settings, "APT::Default-Release"),
        _truth(settings, "APT::Install-Recommends", True),
        _truth(settings, "APT::Install-Suggests", False),
        _truth(settings, "Acquire::Check-Valid-Until", True),
        _truth(settings, "Acquire::Check-Date", True),
        (_number(settings, "Acquire::Min-ValidTime"), _number(settings, "Acquire::Max-ValidTime")),
        _known(settings, "APT::Snapshot"),
        Places(
            *(
                _said(settings.path(key), key).rstrip("/")
                for key in map("Dir::Etc::{}".format, Places._fields)
            )
        ),
        tuple(_said(each, "APT::Architectures") for each in architectures),
        tuple(Setting(key, value) for key in _PRESENT if (value := _known(settings, key))),
    )


def _read_elsewhere(settings: Settings, *keys: str) -> None:
    for key in keys:
        if (settings.path(key) or "").rstrip("/") != conf.BEGIN.path(key):
            raise InputError(f"{key} moves what apt reads, which is not followed")


def _said(value: str | None, key: str) -> str:
    if value is None:
        raise InputError(f"the value of {key} is not known")
    return value


def _known(settings: Settings, key: str) -> str:
    return _said(settings.find(key), key)


def _truth(settings: Settings, key: str, default: bool) -> bool:
    return conf.truth(_known(settings, key), default) is True


def _number(settings: Settings, key: str) -> int:
    match = re.match(r"\d{1,12}", _known(settings, key))
    return int(match[0]) if match else 0
