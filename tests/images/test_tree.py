"""Layers on top of each other, against the plain way: unpacked one after the other, from below."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pinner.errors import InputError
from pinner.images.layers import LayerEntries, LayerEntry
from pinner.images.tree import ImageTree

PATHS = ("a", "b", "a/c", "a/d", "a/c/e", "a/c/f", "b/e")


@st.composite
def layers(draw: st.DrawFn) -> LayerEntries:
    """A layer as a diff makes it: with the directories above each entry, and nothing below what is no directory."""
    found: dict[str, LayerEntry] = {}
    marks: list[LayerEntry] = []
    for path in draw(st.lists(st.sampled_from(PATHS), unique=True).map(sorted)):
        above = [path[:end] for end, sign in enumerate(path) if sign == "/"]
        if any(one in found and found[one].kind != "directory" for one in above):
            continue
        kind = draw(st.sampled_from(["file", "file", "directory", "opaque", "whiteout"]))
        for one in above:
            found.setdefault(one, LayerEntry(one, "directory"))
        if kind == "opaque":
            found[path] = LayerEntry(path, "directory")
            marks.append(LayerEntry(path, "opaque"))
        elif kind == "whiteout":
            marks.append(LayerEntry(path, "whiteout"))
        elif kind == "file":
            found[path] = LayerEntry(path, "file", draw(st.sampled_from("xyz")))
        else:
            found[path] = LayerEntry(path, "directory")
    return tuple(draw(st.permutations([*found.values(), *marks])))


def unpacked(stack: list[LayerEntries]) -> dict[str, str]:
    """The files of a root into which `stack`, the topmost first, was unpacked."""
    root: dict[str, str | None] = {}
    for layer in reversed(stack):
        for mark in (entry for entry in layer if entry.kind in ("whiteout", "opaque")):
            for path in list(root):
                if path.startswith(f"{mark.path}/") or (path == mark.path and mark.kind == "whiteout"):
                    del root[path]
        for entry in sorted((e for e in layer if e.kind in ("file", "directory")), key=lambda e: e.path):
            if entry.kind == "file":
                for path in [path for path in root if path.startswith(f"{entry.path}/")]:
                    del root[path]
                root[entry.path] = entry.text
            else:
                root[entry.path] = None
    return {path: text for path, text in root.items() if text is not None}


@given(st.lists(layers(), max_size=5))
@example(
    [(LayerEntry("a", "directory"),), (LayerEntry("a", "file", "x"),), (LayerEntry("a/c", "file", "y"),)]
)
def test_like_unpacking_from_below(stack: list[LayerEntries]) -> None:
    tree, root = ImageTree(stack), unpacked(stack)
    assert {path: text for path in PATHS if (text := tree.text(path)) is not None} == root


@given(st.lists(layers(), max_size=5), st.integers(0, 5))
def test_what_is_settled_stays(stack: list[LayerEntries], known: int) -> None:
    top, whole = ImageTree(stack[:known]), ImageTree(stack)
    for path in PATHS:
        if top.settled(path):
            assert top.text(path) == whole.text(path)
        if top.settled(path, directory=True):
            files = [
                {name for name in tree.names(path) if tree.text(f"{path}/{name}")} for tree in (top, whole)
            ]
            assert files[0] == files[1]


def link(path: str, target: str) -> LayerEntry:
    return LayerEntry(path, "symlink", target)


@pytest.mark.parametrize(
    ("entries", "path", "real"),
    [
        ([], "etc/x", "etc/x"),
        ([link("etc/x", "y")], "etc/x", "etc/y"),
        ([link("etc/x", "../y")], "etc/x", "y"),
        ([link("etc/x", "../../../y")], "etc/x", "y"),
        ([link("etc/x", "/y/./z//")], "etc/x", "y/z"),
        ([link("etc", "usr/etc")], "etc/x", "usr/etc/x"),
        # `..` of a link's target is above the target, not above the link.
        ([link("a", "b/c")], "a/../x", "b/x"),
        ([link("a", "b"), link("b", "c")], "a/x", "c/x"),
        ([LayerEntry("etc/x", "hardlink", "a/b"), link("a", "c")], "etc/x", "c/b"),
    ],
)
def test_links(entries: list[LayerEntry], path: str, real: str) -> None:
    assert ImageTree([tuple(entries)]).real(path) == real


@pytest.mark.parametrize("entries", [[link("a", "a")], [link("a", "b"), link("b", "a")], [link("a", "a/a")]])
def test_circles(entries: list[LayerEntry]) -> None:
    with pytest.raises(InputError, match="circles"):
        ImageTree([tuple(entries)]).real("a")
