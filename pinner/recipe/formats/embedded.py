"""A Dockerfile that stands in another file: read as BuildKit gets it, with places in the file that it stands in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pinner.edit.span import Joined, Lines, Span
from pinner.errors import InputError
from pinner.recipe import dockerfile, texts
from pinner.recipe.builds import VARIABLE, Build
from pinner.recipe.dockerfile import UNREAD, Dockerfile, Instruction, Stage
from pinner.shell import expand, nested, prefixes

#: The arguments that whoever builds an image gives, by name: None where a value is not known.
Arguments = Mapping[str, Joined | None]


def stages(
    source: str, inner: Joined, name: str, first: int, given: Arguments, build: Build
) -> Iterator[Stage]:
    """The stages of the Dockerfile `inner`, which stands in `source`, as `build` makes them, numbered from `first` on;
    the values of its arguments are `given` with their places.

    The last is called `name`, those before it by their own names behind it. Raises `InputError`, with the place in
    `source`, for what BuildKit would refuse.
    """
    try:
        values = {key: value.text if value is not None else None for key, value in given.items()}
        parsed = dockerfile.parse(inner.text, builds=[build._replace(args=values)])
    except InputError as error:
        starts = [0, *(at + 1 for at, char in enumerate(inner.text) if char == "\n")]
        at = inner.origin(min(starts[max(error.line - 1, 0)] + max(error.column - 1, 0), len(inner.text)))
        lines = Lines(source)
        error.line, error.column = lines.position(at)
        error.excerpt = lines.excerpt(Span(at, at))
        raise
    defaults = {
        key: instruction
        for instruction in parsed.arguments
        for key in _declared(instruction, parsed.escape)
        if len(_declared(instruction, parsed.escape)) == 1 and "=" in instruction.text.text
    }
    last = len(parsed.stages) - 1
    for stage in parsed.stages:
        own = "" if stage.index == last else f".{stage.name or stage.index}"
        found: list[Instruction] = []
        for each in stage.instructions:
            names = _declared(each, parsed.escape) if each.keyword == "ARG" else []
            found += _argument(each, names, inner, given, defaults) if names else [_outer(each, inner)]
        said = tuple(
            each._replace(span=inner.span(each.span.start, each.span.end)) for each in stage.directives
        )
        parent = stage.parent + first if stage.parent is not None else None
        yield stage._replace(
            index=stage.index + first,
            name=f"{name}{own}",
            parent=parent,
            instructions=tuple(found),
            directives=said,
        )


def comments(inner: Joined) -> Iterator[Span]:
    """The comment lines of a Dockerfile, where they stand in the outer file."""
    for span in dockerfile.parse(inner.text).comments:
        yield inner.span(span.start, span.end)


def parsed(text: str, found: list[Stage], told: list[Span]) -> Dockerfile:
    """The file with these stages and comment lines."""
    return Dockerfile(text, "\\", tuple(found), tuple(sorted(set(told))))


def _declared(instruction: Instruction, escape: str) -> list[str]:
    return [word.partition("=")[0] for word in expand.words(instruction.text.text, escape)]


def _argument(
    instruction: Instruction,
    names: list[str],
    inner: Joined,
    given: Arguments,
    defaults: Mapping[str, Instruction],
) -> Iterator[Instruction]:
    """An ARG of a stage, behind it what is given for its names, or before the first stage."""
    outer = _outer(instruction, inner)
    bare = len(names) == 1 and "=" not in instruction.text.text
    if bare and names[0] not in given and names[0] in defaults:
        default = _outer(defaults[names[0]], inner)
        yield default._replace(span=outer.span, body=outer.body)
        return
    yield outer
    at = Span(outer.span.end, outer.span.end)
    for name in names:
        if name in given:
            value = given[name]
            nothing = Joined("", (0,), (at.start,), (at.start,))
            unknown = () if value is not None else (f"the value of {name} is not known here",)
            yield Instruction(VARIABLE, at, at, nothing if value is None else value, argv=(name, *unknown))


def _outer(instruction: Instruction, inner: Joined) -> Instruction:
    """An instruction with its places in the outer file; the here-documents of a RUN are part of its text."""
    heredocs = instruction.heredocs
    text, form = instruction.text, instruction.form
    keyword, argv = instruction.keyword, instruction.argv
    if keyword == "RUN" and heredocs and all(each.terminated for each in heredocs):
        if len(heredocs) == 1 and heredocs[0].word == instruction.body:
            lines = Joined.without(inner.text, heredocs[0].content, ())
            body = nested.heredoc(lines, expands=False, tabs="<<-" in text.text)
            program = nested.interpreter(body.text)
            if program and program not in nested.POSIX_SHELLS:
                asks = prefixes.asks(body.text)
                keyword, text = (UNREAD if asks else "LABEL"), Joined("", (0,), (0,), (0,))
                argv = ("heredoc", "the command is in a here-document")
            else:
                text = nested.unfolded(body)
        else:
            text = texts.with_heredocs(inner.text, instruction)
        heredocs = ()
    return instruction._replace(
        keyword=keyword,
        span=_span(instruction.span, inner),
        body=_span(instruction.body, inner),
        text=text.through(inner),
        form=form,
        argv=argv,
        heredocs=tuple(
            each._replace(word=_span(each.word, inner), content=_span(each.content, inner))
            for each in heredocs
        ),
    )


def _span(span: Span, inner: Joined) -> Span:
    return inner.span(span.start, span.end)
