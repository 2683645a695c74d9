"""Lists of packages that a service installs: `apt.txt` of Binder, `packages.txt` of Streamlit, `Aptfile` of Heroku."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pinner.edit.span import Span
from pinner.recipe import directives, lists, scripts
from pinner.recipe.dockerfile import Dockerfile
from pinner.regex import later

if TYPE_CHECKING:
    from pinner.recipe.kinds import Around

_REPOSITORY = later(r"^[ \t]*(:)repo:([^\r\n]*)", re.MULTILINE)


def read(text: str, around: Around) -> Dockerfile:
    """The list as one call, on an image that is not known. Raises `InputError` for a directive that does not exist."""
    added = list(_REPOSITORY.finditer(text))  # Heroku's
    plain = "".join(
        "#" if any(at == each.start(1) for each in added) else char for at, char in enumerate(text)
    )
    parsed = lists.parse(plain if added else text, trailing=True)._replace(text=text)
    comments = scripts.comments(text)
    told = tuple(each for span in comments if (each := directives.read(text, span)))
    (stage,) = parsed.stages
    before = tuple(scripts.adding(each[2].strip(), Span(0, 0)) for each in added)
    stage = stage._replace(directives=told, instructions=(*before, *stage.instructions))
    return parsed._replace(stages=(stage,), comments=comments)
