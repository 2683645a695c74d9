"""What programs do to the state of a stage: a table of functions, by the program's name.

To add a program:
1. write a function `def name(call: Invocation) -> ProgramResult` in the module of its family (or a new one),
2. have it read `call.words` (its arguments as text), `call.input`, and `call.shell.state`, and change the state,
3. put it into that module's `ROWS`, and its name into the table below: a family is loaded when one of it is run,
4. mind that a word may hold `UNKNOWN`: what that decides is unknown, never empty,
5. add rows to the tables in `tests/recipe/test_walk.py`.
What is in no row does nothing to apt: builds, package managers of languages, services.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib import import_module

from pinner.shell.outcomes import Invocation, ProgramResult

Program = Callable[[Invocation], ProgramResult]

#: The programs of each module.
FAMILIES: Mapping[str, str] = {
    "apt": "apt-get apt aptitude nala apt-fast add-apt-repository apt-add-repository apt-mark extrepo pro ua"
    " netselect-apt apt.postgresql.org.sh apt-setup",
    "archives": "tar bsdtar unzip 7z 7za 7zr cpio",
    "fetching": "curl wget wget2",
    "files": "ls rm unlink mkdir cp rsync mv install ln cd pushd popd touch dd truncate mktemp pwd",
    "find": "find",
    "keys": "gpg gpg2 gpg1 apt-key sq",
    "makefiles": "make gmake",
    "shells": "dash mksh busybox ash bash zsh ksh sh . source eval exec su runuser script chroot trap xargs run-parts"
    " set shift read mapfile readarray exit return break continue",
    "system": "dpkg dpkg-architecture uname arch lsb_release gdebi whoami id date nproc hostname getconf realpath"
    " readlink seq jq envsubst",
    "tests": "test [ true : false which type hash dpkg-query pgrep cmp diff mountpoint getent systemctl apt-config"
    " apt-cache expr command",
    "texts": "echo printf cat tee sponge grep egrep fgrep cut tr awk gawk mawk head tail sort uniq paste tac column"
    " base64 basename dirname sed",
}
_FAMILY = {name: family for family, names in FAMILIES.items() for name in names.split()}


@lru_cache(maxsize=256)
def row_of(name: str) -> Program | None:
    """What a program of this name does; None for one that is in no row."""
    family = _FAMILY.get(name)
    if family is None:
        return None
    rows: Mapping[str, Program] = import_module(f"{__name__}.{family}").ROWS
    return rows[name]
