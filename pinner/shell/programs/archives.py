"""tar and the like: what is packed, and unpacked over apt's files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from posixpath import join, normpath

from pinner.regex import later
from pinner.shell.content import UNKNOWN, Content, FileTree, KeyOrigin, PartlyKnown
from pinner.shell.outcomes import Invocation, ProgramResult
from pinner.shell.process import Process
from pinner.shell.programs.options import ParsedOptions, read_options
from pinner.shell.state import Overlay

_VALUED = "fCXTbIKNVLg"
_LONG = (
    "file",
    "directory",
    "exclude",
    "strip-components",
    "transform",
    "xform",
    "owner",
    "group",
    "use-compress-program",
)
# What an archive is called that may bring apt's files along; most that are unpacked over the root are single programs.
_ALARM = later(r"(?i)(?:^|[^a-z])(?:apt|sources?|repos?|rootfs|etc|sysroot)(?:[^a-z]|$)")
#: Options that change what is packed or unpacked in ways that are not followed.
_CHANGES = (
    *("transform", "xform", "wildcards", "one-top-level", "X", "exclude-from", "T", "files-from"),
    *("k", "keep-old-files", "skip-old-files", "keep-newer-files"),
)
_MOST = 2_000


class UnpackedTree:
    """The files of an archive of the build context, as files of a stage."""

    def __init__(self, texts: Mapping[str, str | None], strip: int = 0, only: Iterable[str] = ()) -> None:
        """`texts` are by path; the first `strip` parts of a path fall away, `only` are the paths that are unpacked."""
        wanted = [each.strip("/").removeprefix("./") for each in only]
        self._texts = {
            "/".join(path.split("/")[strip:]): text
            for path, text in texts.items()
            if path.count("/") >= strip
            and (not wanted or any(path == each or path.startswith(f"{each}/") for each in wanted))
        }

    def read(self, path: str) -> Content | None:
        """A file of the archive."""
        path = path.strip("/")
        return Content(self._texts[path]) if path in self._texts else None

    def names(self, path: str) -> Iterable[str]:
        """The names in a folder."""
        below = f"{path.strip('/')}/".lstrip("/")
        return {each[len(below) :].partition("/")[0] for each in self._texts if each.startswith(below)}

    def is_dir(self, path: str) -> bool:
        """Whether there is such a folder."""
        return any(True for _ in self.names(path))


def reaches(place: str) -> bool:
    """Whether what is unpacked at a place may lie among apt's files."""
    return place in ("/", "/etc") or place.startswith("/etc/apt")


def unpacked(
    shell: Process,
    content: Content,
    place: str,
    strip: int = 0,
    only: Iterable[str] = (),
    but: Sequence[str] = (),
) -> bool:
    """Lay the files of an archive over a place, if it is one of the build context that can be read, perhaps but for
    what some patterns match."""
    origin = content.origins[0] if len(content.origins) == 1 else None
    context = shell.walk.context
    texts = shell.walk.archives.get(origin.context) if origin else None
    if texts is None and origin and origin.context and context:
        texts = context.archive(origin.context)
    if texts is None:
        return False
    tree: FileTree = UnpackedTree(texts, strip, only)
    tree = PartlyKnown(tree, but) if but else tree
    shell.state.cover(Overlay(place, tree, "", shell.walk.at))
    for path in (*shell.state.sources(), *shell.state.preferences()):
        if path.startswith(place.rstrip("/") + "/"):
            shell.changed(path)
    return True


def comes_unseen(shell: Process, place: str, by: str, only: Iterable[str] = ()) -> None:
    """Files that are not seen come to a place among apt's, perhaps `only` some of them."""
    if (
        place != "/"
        or _ALARM.search(by.rstrip("/*.").rpartition("/")[2])
        or any(re.match(r"(?:\./|/)?etc/apt\b", each) for each in only)
    ):
        shell.unknown(by)
    else:
        shell.unseen(by)


def _options(words: list[str]) -> ParsedOptions:
    """The options of tar: the first word may be a bundle without a hyphen, whose values follow in order."""
    if not words or words[0].startswith("-"):
        return read_options(words, _VALUED, _LONG)
    rest = words[1:]
    bundle = [(letter, rest.pop(0) if letter in _VALUED and rest else "") for letter in words[0]]
    found = read_options(rest, _VALUED, _LONG)
    return ParsedOptions((*bundle, *found.options), found.operands)


def _packed(call: Invocation, folder: str, names: Iterable[str]) -> Content:
    """An archive of files and folders of the stage."""
    state, walk = call.shell.state, call.shell.walk
    tops = {normpath(join(folder, name)): name for name in names}
    files = {
        normpath(f"{name}/{path[len(top) :]}").strip("/"): path
        for top, name in tops.items()
        for path in islice(state.below(top), _MOST)
    }
    if not files or len(files) >= _MOST or UNKNOWN in folder:
        return Content(UNKNOWN)
    read = ((name, state.read(path)) for name, path in files.items())
    own = f"?archive {len(walk.archives)}"
    walk.archives[own] = {name: content.known for name, content in read if content is not None}
    return Content(origins=(KeyOrigin(context=own),))


def _tar(call: Invocation) -> ProgramResult:
    options = _options(call.words)
    state = call.shell.state
    place = state.path(options.value("C", "directory") or ".")
    if options.has("c", "create"):
        below = f"{state.cwd.rstrip('/')}/"
        names = [
            path.removeprefix(below) for each in options.operands for path in state.glob(join(below, each))
        ]
        changed = options.has("exclude", *_CHANGES) or len(options.values("C", "directory")) > 1
        made = Content(UNKNOWN) if changed else _packed(call, place, names)
        name = options.value("f", "file")
        if name in ("", "-"):
            return ProgramResult("done", made)
        call.shell.write(name, made)
        return ProgramResult()
    if not options.has("x", "extract", "get") or options.has("O", "to-stdout"):
        return ProgramResult("done", Content(UNKNOWN))
    name = options.value("f", "file")
    content = state.read(state.path(name)) if name not in ("", "-") else call.input
    own = content is not None and any(each.context in call.shell.walk.archives for each in content.origins)
    if not own and not reaches(place) and not reaches(state.real(place)):
        return ProgramResult()
    count = options.value("strip-components")
    strip = int(count) if count.isdecimal() else 0
    changed = options.has(*_CHANGES) or any(char in each for each in options.operands for char in "*?[")
    if content is not None and not changed:
        but = options.values("exclude")
        if unpacked(call.shell, content, place, strip, options.operands, but):
            return ProgramResult()
    by = next((each.url for each in content.origins if each.url), name) if content is not None else name
    if place != "/" or options.has("C", "directory") or options.operands:
        comes_unseen(call.shell, place, by or call.name, options.operands)
    return ProgramResult()


def _unzip(call: Invocation) -> ProgramResult:
    """unzip, 7z and cpio, whose archives are not read."""
    words, folder = call.words, "."
    if call.name == "unzip":
        options = read_options(words, "dPx")
        folder = options.value("d") or "."
        words = list(options.operands)
    elif call.name == "cpio":
        options = read_options(words, "DHFCEIMORp", ("directory",))
        if not options.has("i", "extract", "p", "pass-through"):
            return ProgramResult("done", Content(UNKNOWN))
        folder = options.value("D", "directory") or (options.operands or (".",))[0]
    else:
        folder = next((word[2:] for word in words if word.startswith("-o") and word[2:]), ".")
    place = call.shell.state.path(folder)
    if reaches(place) and (place != "/" or folder != "."):
        comes_unseen(call.shell, place, next(iter(words), call.name))
    return ProgramResult("done", Content(UNKNOWN))


ROWS = {"tar": _tar, "bsdtar": _tar, **dict.fromkeys(("unzip", "7z", "7za", "7zr", "cpio"), _unzip)}
