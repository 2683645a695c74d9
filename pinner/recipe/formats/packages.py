"""Lists of packages that a service installs: `apt.txt` of Binder, `packages.txt` of Streamlit, `Aptfile` of Heroku."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from pinner.recipe import directives, lists, scripts
from pinner.recipe.dockerfile import Dockerfile
from pinner.regex import later

if TYPE_CHECKING:
    from pinner.recipe.kinds import Around

_REPOSITORY = later(r"^[ \t]*:", re.MULTILINE)


def read(text: str, around: Around) -> Dockerfile:
    """The list as one call, on an image that is not known. Raises `InputError` for a directive that does not exist."""
    # Heroku's `:repo:` adds a repository, of which its line does not say enough: no line is read then.
    parsed = lists.parse(_REPOSITORY.sub("?", text) if _REPOSITORY.search(text) else text, trailing=True)
    parsed = parsed._replace(text=text)
    comments = scripts.comments(text)
    told = tuple(each for span in comments if (each := directives.read(text, span)))
    (stage,) = parsed.stages
    return parsed._replace(stages=(replace(stage, directives=told),), comments=comments)
