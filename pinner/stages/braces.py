"""The words that bash makes of braces, written out, so that each can have its pin."""

from __future__ import annotations

from collections.abc import Mapping

from pinner.edit.span import Edit, apply
from pinner.errors import FetchError, InputError, TrustError
from pinner.stages.install_commands import File, read_file
from pinner.stages.suites import Options


def expanded(texts: Mapping[str, str], options: Options) -> dict[str, str]:
    """The files, by path, with each package word whose braces bash expands replaced by what it makes of them."""
    return {path: _expanded(path, text, options) for path, text in texts.items()}


def _expanded(path: str, text: str, options: Options) -> str:
    if "{" not in text:
        return text
    try:
        file = read_file(path, text, options)
    except (InputError, FetchError, TrustError):
        return text  # whoever reads the file next says why it cannot be read
    words = {
        request.word.span: request.expansion
        for call in file.calls()
        for request in call.requests
        if request.expansion
    }
    if not words:
        return text
    new = apply(text, (Edit(span, " ".join(found)) for span, found in words.items()))
    again = read_file(path, new, options)
    if _count(again) != _count(file):
        raise AssertionError(
            f"{path}: without its braces the file would ask for other packages; nothing was written"
        )
    return new


def _count(file: File) -> list[int]:
    """How many words each call has, once its braces are expanded."""
    return [sum(len(request.expansion) or 1 for request in call.requests) for call in file.calls()]
