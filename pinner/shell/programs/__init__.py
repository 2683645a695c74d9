"""What programs do to the state of a stage: a table of functions, by the program's name.

To add a program:
1. write a function `def name(call: Invocation) -> ProgramResult` in the module of its family (or a new one),
2. have it read `call.words` (its arguments as text), `call.input`, and `call.shell.state`, and change the state,
3. put it into that module's `ROWS`; a module of its own also goes into the tuple below,
4. mind that a word may hold `UNKNOWN`: what that decides is unknown, never empty,
5. add rows to the tables in `tests/recipe/test_walk.py`.
What is in no row does nothing to apt: builds, package managers of languages, services.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pinner.shell.outcomes import Invocation, ProgramResult
from pinner.shell.programs import (
    apt,
    archives,
    fetching,
    files,
    find,
    keys,
    makefiles,
    shells,
    system,
    tests,
    texts,
)

Program = Callable[[Invocation], ProgramResult]

PROGRAMS: Mapping[str, Program] = {
    name: program
    for module in (apt, archives, fetching, files, find, keys, makefiles, shells, system, tests, texts)
    for name, program in module.ROWS.items()
}
