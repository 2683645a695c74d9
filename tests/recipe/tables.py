"""What the tests of file kinds share: a text in which `^` stands behind each word that gets a pin."""

from __future__ import annotations

from pinner.edit.span import apply
from pinner.recipe import installs, kinds
from pinner.recipe.installs import Install, Skipped

#: Such a version is quoted where a shell reads it.
VERSION = "1:2~a+b*"


def pins_where_marked(kind: str, marked: str, pin: str = f"={VERSION}") -> tuple[str, ...]:
    """Pins all words of a text without its marks, which must be those that are marked; the codes of what is not pinned.

    With `pin` as it has to be written there, all but the pins stays as it was.
    """
    text = marked.replace("^", "")
    found = installs.find(kinds.parse(kind, text))
    requests = [each for call in found if isinstance(call, Install) for each in call.requests]
    edits = installs.pin(text, {each: VERSION for each in requests if each.action == "pin"})
    assert apply(text, edits) == marked.replace("^", pin)
    skipped = [each.reason for each in found if isinstance(each, Skipped)]
    return (*skipped, *(each.reason for each in requests if each.action == "skip"))
