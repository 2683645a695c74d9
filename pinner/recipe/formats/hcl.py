"""HCL, and its form as JSON, as a tree of expressions that know where their texts stand (HCL specification, 2).

The grammar is tree-sitter's. Evaluated are literals, templates, names, attributes, lists and objects; what functions,
conditions and operators make is not known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING

from pinner.edit.span import Joined, Lines, Span
from pinner.errors import InputError
from pinner.recipe.formats import yamltext
from pinner.regex import later
from pinner.shell.expand import REPLACED
from pinner.values import NamedTuple

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

#: What an expression evaluates to: None is not known, `NULL` is HCL's null.
HclValue = str | list["HclValue"] | dict[str, "HclValue"] | None
NULL: HclValue = [None]
#: What stands in a text for what is not known of it.
UNKNOWN = f"${{{REPLACED}}}"

_ESCAPE = later(r"\\(?:u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[nrt\"\\])")
_MEANING = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_DOUBLED = later(r"\$\$(?=\{)|%%(?=\{)")
_INDENT = later(r"^[ \t]*(?=[^ \t\n])", re.MULTILINE)
_DEEPEST = 50
_END = "END_OF_TEXT"


class Expression(NamedTuple):
    """`kind` is `template`, `name`, `list`, `object`, `null` or `unknown`.

    A template has `text`, which `parts` of it, by their place in it, replace; a name its words in `names`.
    """

    kind: str
    text: Joined | None = None
    parts: tuple[tuple[int, int, Expression], ...] = ()
    names: tuple[str, ...] = ()
    items: tuple[Expression, ...] = ()
    entries: tuple[tuple[Expression, Expression], ...] = ()


class HclBody(NamedTuple):
    """What stands between braces: attributes by name, and blocks as type, label and body."""

    attributes: dict[str, Expression]
    blocks: list[tuple[str, str, HclBody]]

    def labelled(self, kind: str) -> Iterator[tuple[str, HclBody]]:
        """The blocks of a type, with their labels."""
        return ((label, body) for each, label, body in self.blocks if each == kind)


def read(text: str) -> HclBody:
    """The file. Raises `InputError` (without path) for what is no HCL."""
    root = _parser().parse(_ascii(text)).root_node
    if root.has_error:
        at = _fault(root)
        lines = Lines(text)
        line, column = lines.position(at)
        raise InputError("not valid HCL", line=line, column=column, excerpt=lines.excerpt(Span(at, at)))
    return _body(next((each for each in root.children if each.type == "body"), None), text, 0)


def read_json(text: str) -> HclBody:
    """The same where it is written as JSON. Raises `InputError` (without path)."""
    plain = yamltext.plain_json(text)
    root = yamltext.parse(plain)
    return _json_body(root, plain) if root is not None else HclBody({}, [])


def value(expression: Expression, known: Mapping[str, HclValue], depth: int = 0) -> HclValue:
    """What an expression is, with the values that are known of names."""
    if depth > _DEEPEST:
        return None
    if expression.kind == "null":
        return NULL
    if expression.kind == "template":
        text = joined(expression, known)
        return None if text is None or UNKNOWN in text.text else text.text
    if expression.kind == "name":
        found = known.get(expression.names[0])
        for name in expression.names[1:]:
            found = found.get(name) if isinstance(found, dict) else None
        return found
    if expression.kind == "list":
        return [value(each, known, depth + 1) for each in expression.items]
    if expression.kind == "object":
        entries = ((value(key, known, depth + 1), own) for key, own in expression.entries)
        return {key: value(own, known, depth + 1) for key, own in entries if isinstance(key, str)}
    return None


def joined(expression: Expression, known: Mapping[str, HclValue]) -> Joined | None:
    """The text of a template with its places; what is not known of it is `UNKNOWN`. None for other expressions."""
    if expression.text is None:
        return None
    ranges = []
    for start, end, part in expression.parts:
        found = value(part, known)
        ranges.append((start, end, found if isinstance(found, str) else UNKNOWN))
    doubled = [(*match.span(), match[0][0]) for match in _DOUBLED.finditer(expression.text.text)]
    within = [each for each in doubled if not any(start <= each[0] < end for start, end, _ in ranges)]
    return expression.text.read_as(sorted([*ranges, *within]))


def _ascii(text: str) -> bytes:
    return text.encode("ascii", "replace")  # one byte for each character


@cache
def _parser() -> Parser:
    import tree_sitter_hcl
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_hcl.language()))


def _fault(root: Node) -> int:
    """Where the grammar is first at a loss."""
    node = root
    while inner := next((each for each in node.children if each.has_error or each.is_missing), None):
        node = inner
    return node.start_byte


def _body(node: Node | None, text: str, depth: int) -> HclBody:
    found = HclBody({}, [])
    if node is None or depth > _DEEPEST:
        return found
    for each in node.children:
        if each.type == "attribute":
            name, _, own = each.children[:3]
            found.attributes[_of(name, text)] = _expression(own, text, 0)
        elif each.type == "block":
            kind, *labels = (one for one in each.children if one.type in ("identifier", "string_lit"))
            inner = next((one for one in each.children if one.type == "body"), None)
            label = _of(labels[0], text).strip('"') if labels else ""
            found.blocks.append((_of(kind, text), label, _body(inner, text, depth + 1)))
    return found


def _of(node: Node, text: str) -> str:
    return text[node.start_byte : node.end_byte]


def _expression(node: Node, text: str, depth: int) -> Expression:
    inner = [each for each in node.named_children if each.type != "comment"]
    if depth > _DEEPEST or not inner:
        return Expression("unknown")
    first = inner[0]
    if first.type == "variable_expr" and all(each.type == "get_attr" for each in inner[1:]):
        return Expression("name", names=tuple(_of(each, text).lstrip(". ") for each in inner))
    if len(inner) != 1:
        return Expression("unknown")
    if first.type in ("literal_value", "template_expr", "collection_value"):
        return _literal(first.named_children[0], text, depth + 1)
    return _expression(first, text, depth + 1) if first.type == "expression" else Expression("unknown")


def _literal(node: Node, text: str, depth: int) -> Expression:
    if node.type == "null_lit":
        return Expression("null")
    if node.type in ("numeric_lit", "bool_lit"):
        return Expression("template", Joined.without(text, Span(node.start_byte, node.end_byte), ()))
    if node.type in ("string_lit", "quoted_template"):
        return _template(node, text, _quoted(text, node.start_byte + 1, node.end_byte - 1), depth)
    if node.type == "heredoc_template":
        return _template(node, text, _heredoc(node, text), depth)
    if node.type == "tuple":
        inner = (each for each in node.named_children if each.type == "expression")
        return Expression("list", items=tuple(_expression(each, text, depth + 1) for each in inner))
    if node.type == "object":
        entries = []
        for each in node.named_children:
            if each.type == "object_elem":
                key, own = (one for one in each.named_children if one.type == "expression")
                name = _expression(key, text, depth + 1)
                if name.kind == "name" and not _of(key, text).startswith("("):  # a bare word is a text there
                    name = Expression(
                        "template", Joined.without(text, Span(key.start_byte, key.end_byte), ())
                    )
                entries.append((name, _expression(own, text, depth + 1)))
        return Expression("object", entries=tuple(entries))
    return Expression("unknown")


def _template(node: Node, text: str, own: Joined, depth: int) -> Expression:
    """A template; what it interpolates is found by where it stands in the file."""
    parts = []
    for each in node.named_children:
        if each.type in ("template_interpolation", "template_directive"):
            inner = next((one for one in each.named_children if one.type == "expression"), None)
            known = inner is not None and each.type == "template_interpolation"
            part = (
                _expression(inner, text, depth + 1) if known and inner is not None else Expression("unknown")
            )
            parts.append((own.index(each.start_byte), own.index(each.end_byte - 1) + 1, part))
    return Expression("template", own, tuple(parts))


def _quoted(text: str, start: int, end: int) -> Joined:
    whole = Joined.without(text, Span(start, end), ())
    ranges = []
    for match in _ESCAPE.finditer(whole.text):
        name = match[0][1:]
        char = chr(int(name[1:], 16)) if name[0] in "uU" else _MEANING[name]
        ranges.append((*match.span(), char))
    return whole.replaced(ranges, "json")


def _heredoc(node: Node, text: str) -> Joined:
    """The lines of a here-document, those of `<<-` without the indentation that they share."""
    opened = text.find("\n", node.children[1].end_byte) + 1
    closed = max(text.rfind("\n", 0, node.end_byte) + 1, opened)
    body = text[opened:closed]
    gaps = []
    if _of(node.children[0], text) == "<<-":
        indents = list(_INDENT.finditer(body))
        least = min((len(match[0]) for match in indents), default=0)
        gaps = [Span(opened + match.start(), opened + match.start() + least) for match in indents if least]
    return Joined.without(text, Span(opened, closed), gaps)


def _json_body(node: yamltext.Node, text: str) -> HclBody:
    found = HclBody({}, [])
    for name, own in node.entries or ():
        if own.entries is None:
            found.attributes[name.text] = _json(own, text)
        for label, each in own.entries or ():
            found.blocks.append((name.text, label.text, _json_attributes(each, text)))
    return found


def _json_attributes(node: yamltext.Node, text: str) -> HclBody:
    return HclBody({name.text: _json(own, text) for name, own in node.entries or ()}, [])


def _json(node: yamltext.Node, text: str, depth: int = 0) -> Expression:
    if depth > _DEEPEST:
        return Expression("unknown")
    if node.items is not None:
        return Expression("list", items=tuple(_json(each, text, depth + 1) for each in node.items))
    if node.entries is not None:
        pairs = ((_json(key, text, depth + 1), _json(each, text, depth + 1)) for key, each in node.entries)
        return Expression("object", entries=tuple(pairs))
    if not node.style and node.value == "null":
        return Expression("null")
    written = yamltext.scalar(text, node)
    if written is None:
        return Expression("unknown")
    if not node.style or not any(each in written.text for each in ("${", "%{")):
        return Expression("template", written)
    try:
        own = read(f"x=<<{_END}\n{written.text}\n{_END}\n").attributes["x"]
    except InputError:
        return Expression("unknown")
    return Expression("template", written, own.parts)
