"""An instruction → the install calls in it, in shell texts of every kind, or why one is not read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

from pinner.apt import command_line
from pinner.apt.command_line import Argument, Setting
from pinner.edit.span import Joined, Span
from pinner.recipe import arguments, texts
from pinner.recipe.arguments import Request
from pinner.recipe.dockerfile import KEYWORDS, UNREAD, Instruction, Stage
from pinner.recipe.ignored import Marked
from pinner.recipe.notes import Notes, Skipped, mentions
from pinner.recipe.values import Field, ShellText, fields, input_fields, is_plain, only_variable
from pinner.regex import later
from pinner.shell import functions, nested, prefixes, syntax
from pinner.shell.nested import POSIX_SHELLS
from pinner.shell.prefixes import Wrappers
from pinner.shell.syntax import Command, Script, Word, WordPart
from pinner.values import NamedTuple

# What aptitude takes for the name of a package, perhaps with a version, and for nothing else.
_EXACT = later(r"[a-z0-9](?:[a-z0-9+.-]*[a-z0-9])?(?:=[\w.+:~-]+)?")
# Commands that take the lines behind them for their input, where a shell reads its script from there.
_READS = later(
    r"""(?<![\w-])read(?![\w-])
    |(?:^|[;&(]|\bdo\b|\bthen\b)[ \t]*(?:sudo[ \t]+)?(?:cat|tee\b[^<\n;&|]*)
    [ \t]*(?:>>?[ \t]*[^\s<]+[ \t]*)?(?=$|[;&|)])""",
    re.MULTILINE | re.VERBOSE,
)
_DEEPEST = 8
# Names of commands that no package bears.
_COMMANDS = frozenset({"apt-get", "rm", "mkdir", "cp", "mv", "chmod", "chown", "ln", "cd", "echo", "export"})


class Install(NamedTuple):
    """One call of `apt-get install`, or of another command whose arguments may name versions.

    `span` reaches from the program's name (behind `sudo` and the like) to the last word. `options` are the option
    words with their values. `requests` are all its package arguments, in order. `recommends` and `suggests` are None
    where the call does not say and apt's configuration holds. `settings` are all that its options set, in order.
    """

    stage: int
    span: Span
    command: str
    options: tuple[Word, ...]
    requests: tuple[Request, ...]
    recommends: bool | None
    suggests: bool | None
    target_release: str
    settings: tuple[Setting, ...] = ()


class _Around(NamedTuple):
    """What a shell text stands in: the `shell` that runs it, and how many other texts."""

    shell: str
    depth: int = 0


class Reader:
    """Reads one instruction."""

    def __init__(self, notes: Notes, stage: Stage, instruction: Instruction, shell_name: str) -> None:
        self._notes = notes
        self._source = notes.dockerfile.text
        self._stage = stage
        self._instruction = instruction
        self._shell = shell_name

    @cached_property
    def _marked(self) -> Marked:
        return Marked(self._notes.dockerfile, self._stage, self._instruction)

    def read(self) -> Iterator[Install | Skipped]:
        """The calls of the instruction."""
        instruction = self._instruction
        for heredoc in instruction.heredocs:
            if not heredoc.terminated:
                yield self._skip(
                    instruction.body, "unparsable", f"the here-document {heredoc.name} has no end"
                )
                return
        text = instruction.text.text
        if instruction.keyword == UNREAD:
            yield self._skip(instruction.body, *instruction.argv)
            return
        if instruction.keyword == "RUN":
            if instruction.form == "exec":
                yield from self._exec()
            elif self._notes.mentions(text) or instruction.heredocs:
                yield from self._run()
            return
        for heredoc in instruction.heredocs:
            yield from self._unread(heredoc.content)
        if instruction.keyword in ("ENV", "ARG") and mentions(text) and prefixes.asks(text):
            yield self._holds(instruction.body, f"{instruction.keyword} {text}")

    def _unread(self, content: Span, owner: Command | None = None) -> Iterator[Skipped]:
        if not prefixes.asks(content.of(self._source)):
            return
        if owner is not None and prefixes.program(owner.words)[1] == "chroot":
            yield self._skip(content, "chroot", "the call installs into another root")
        else:
            yield self._skip(content, "heredoc", "the command is in a here-document")

    def _skip(self, span: Span, reason: str, detail: str) -> Skipped:
        return Skipped(self._stage.index, span, reason, detail, self._marked.says("allow", span.start))

    def _holds(self, span: Span, text: str) -> Skipped:
        """What is said of a variable that holds a call, unless that is followed where it is used."""
        return self._notes.holds(self._skip(span, "variable-command", "a variable holds the call"), text)

    def _exec(self) -> Iterator[Install | Skipped]:
        if not any(self._notes.mentions(argument) for argument in self._instruction.argv):
            return
        strings = texts.exec_form(self._source, self._instruction)
        words = tuple(word for word, _ in strings)
        at, name = prefixes.program(words)
        operand = nested.script_operand(words[at + 1 :]) if name in POSIX_SHELLS else None
        around = _Around(name, 1)
        if operand is not None and operand >= 0:
            _, text = strings[at + 1 + operand]
            yield from self._script(text, around)
        elif words:
            command = Command(words, self._instruction.body, False, True, (0, 0))
            yield from self._command(command, None, around)

    def _run(self) -> Iterator[Install | Skipped]:
        instruction = self._instruction
        text = instruction.text
        heredocs = instruction.heredocs
        if self._shell not in POSIX_SHELLS:
            if prefixes.asks(instruction.span.of(self._source)):
                yield self._skip(instruction.body, "shell", f"{self._shell} runs it, which is not read")
            return
        around = _Around(self._shell)
        if len(heredocs) == 1 and heredocs[0].word == instruction.body:
            lines = Joined.without(self._source, heredocs[0].content, ())
            body = nested.heredoc(lines, expands=False, tabs="<<-" in text.text)
            yield from self._heredoc(body, around)
        else:
            yield from self._script(texts.with_heredocs(self._source, instruction), around)

    def _input(self, owner: Command | None, body: Joined, depth: int) -> Iterator[Install | Skipped]:
        """The calls in a here-document that the command `owner` gets, if that is a shell."""
        if (
            owner is None
            or owner.nested
            or not owner.certain
            or depth >= _DEEPEST
            or not nested.is_shell_input(owner)
            or _READS.search(body.text)
        ):
            yield from self._unread(body.span(0, len(body.text)), owner)
            return
        _, name = prefixes.program(owner.words)
        yield from self._heredoc(body, _Around(name, depth + 1))

    def _heredoc(self, body: Joined, around: _Around) -> Iterator[Install | Skipped]:
        """The calls in a here-document that a shell runs."""
        program = nested.interpreter(body.text)
        if program and program not in POSIX_SHELLS:
            yield from self._unread(body.span(0, len(body.text)))
        elif self._notes.mentions(body.text):
            yield from self._script(nested.unfolded(body), around)

    def _script(self, text: Joined, around: _Around) -> Iterator[Install | Skipped]:
        """The calls of a shell text."""
        try:
            script = syntax.read(self._source, text)
            commands = script.commands(self._notes.installer, self._notes.harmless)
        except syntax.UnparsableError:
            if prefixes.asks(text.text):
                span = self._instruction.body if around.depth == 0 else text.span(0, len(text.text))
                yield self._skip(span, "unparsable", "its shell text is not understood")
            return
        if script.unread and prefixes.asks(text.text[slice(*script.unread)]):
            yield self._skip(
                text.span(*script.unread), "unparsable", "this part of the script is not understood"
            )
        for comment in script.comments():
            self._marked.comment(comment)
        for assignment in script.assignments(self._notes.installer):
            if prefixes.asks(assignment.literal):
                yield self._holds(assignment.span, assignment.raw)
        for command in commands:
            name = command.words[0].value if command.words else None
            if name is None or name not in script.functions:
                yield from self._command(command, script, around)
                continue
            # What a function installs is read where its body calls apt, and here if it runs what it is given.
            wrappers = {**self._notes.wrappers, name: ""}
            asks = prefixes.asks(" ".join(word.literal for word in command.words[1:]))
            runs = functions.runs(script, name) if asks or prefixes.find(command.words, wrappers) else ""
            if runs == "words":
                yield from self._command(command, script, around, wrappers)
            elif runs and asks:
                yield self._skip(
                    command.span, "wrapper", f"what the function {name} makes of it is not followed"
                )
        heredocs = [each for each in script.heredocs if self._notes.mentions(text.text, *each.body)]
        owners = nested.owners(script, [each.operator for each in heredocs]) if heredocs else []
        for each, owner in zip(heredocs, owners, strict=True):
            body = nested.heredoc(text.part(*each.body), expands=each.expands, tabs=each.tabs)
            reader = owner if each.descriptor in ("", "0") else None
            yield from self._input(reader, body, around.depth)

    def _command(
        self, command: Command, script: Script | None, around: _Around, wrappers: Wrappers | None = None
    ) -> Iterator[Install | Skipped]:
        """The calls of a command; `wrappers` are programs that run others, those of the file unless given."""
        wrappers = self._notes.wrappers if wrappers is None else wrappers
        command, holder = self._written_out(command, script)
        program = prefixes.find(command.words, wrappers)
        if program is None:
            return
        fed: list[Field] = []
        if program.reason == "xargs" and program.name and script is not None:
            last = command.words[-1]
            fed = input_fields(self._text(script), last)
            self._notes.uses.packages.add(last.span.end)
        if program.reason and not fed:
            text = self._string(command, script, wrappers) if around.depth < _DEEPEST else None
            if program.reason == "string" and text is not None and not command.nested:
                _, name = prefixes.program(command.words, wrappers)
                name = around.shell if name == "eval" else name
                yield from self._script(nested.unfolded(text), _Around(name, around.depth + 1))
            elif program.reason != "mmdebstrap":
                yield self._skip(command.span, program.reason, program.detail)
            elif why := self._root(command, script, wrappers):
                yield self._skip(command.span, program.reason, f"{program.detail}: {why}")
            if program.reason != "xargs" or not program.name:
                return
        if program.reason:
            runner, _ = prefixes.program(command.words, wrappers)
            program = program._replace(at=runner + 1 + program.at)
        at = command.words[program.at].span
        own = command.words[program.at + 1 : -1 if program.fills else None]
        words = (*(_given(text, at) for text in program.given), *own)
        given = [*self._expanded(words, script), *((each.word, each) for each in fed)]
        call = command_line.parse(program.name, [_argument(field.word) for _, field in given])
        found = [given[at] for at in call.arguments]
        if call.subcommand in command_line.VERSIONED or call.subcommand in command_line.REMOVALS:
            self._note(found, script)
        if call.subcommand not in command_line.VERSIONED:
            if call.uncertain:
                yield self._skip(command.span, "variable-unknown", "a variable decides what apt does")
            elif program.name in ("apt-get", "apt") and (meant := command_line.meant(call)):
                detail = f"{program.name} has no command {call.subcommand}; did you mean {meant}?"
                yield self._skip(command.span, "unknown-command", detail)
            elif (unpinned := command_line.UNPINNED.get(call.subcommand)) and not call.boolean(
                "APT::Get::Simulate"
            ):
                yield self._skip(command.span, *unpinned)
            return
        if holder is not None:
            if any(field.word.span == holder.span for _, field in found):
                return  # what is said of the variable is true of its packages
            self._notes.followed[holder.variables[0]] += 1
        span = Span(command.words[program.at].span.start, command.span.end)
        if program.reason and not found:
            return  # all its arguments come from elsewhere, which is said
        if command.nested:
            yield self._skip(span, "command-substitution", "the command is in a command substitution")
            return
        if not command.certain:
            yield self._skip(span, "unparsable", "its shell text is not understood")
            return
        bash = around.shell == "bash" and self._notes.expands_braces
        requests = tuple(self._requests(program.name, call, [field for _, field in found], bash=bash))
        yield Install(
            self._stage.index,
            span,
            f"{program.name} {call.subcommand}" if program.name != "install_packages" else program.name,
            tuple(given[at][1].word for at in call.options),
            requests,
            call.boolean("APT::Install-Recommends") if call.subcommand != "download" else False,
            call.boolean("APT::Install-Suggests"),
            call.value("APT::Default-Release") or "",
            call.settings,
        )

    def _written_out(self, command: Command, script: Script | None) -> tuple[Command, Word | None]:
        """The command with the words of a variable that holds a call, and where that variable is used."""
        for at, word in enumerate(command.words[:4] if script is not None and self._notes.holders else ()):
            part = only_variable(word) if word.value is None else None
            if part is None or part.text not in self._notes.holders or part.quoted or script is None:
                continue
            ways = self._notes.trace.ways.get(script.shell.origin(part.start), ())
            own = fields(self._text(script), word)
            if len(ways) == 1 and all(each.word.value is not None for each in own):
                words = (_given(each.word.value or "", word.span) for each in own)
                made = (*command.words[:at], *words, *command.words[at + 1 :])
                return command._replace(words=made), word
        return command, None

    def _text(self, script: Script) -> ShellText:
        return ShellText(self._source, script.shell, self._notes.trace)

    def _expanded(self, words: tuple[Word, ...], script: Script | None) -> list[tuple[Word, Field]]:
        """What the words of a command expand to, each with the word it comes from."""
        found = []
        for word in words:
            if word.value is not None or script is None:
                found.append((word, Field(word)))
                continue
            for field in fields(self._text(script), word):
                # Each has its own identity, by which the reader of the command line tells it from its like.
                found.append((word, field._replace(word=field.word._replace())))
        return found

    def _instruction_at(self, word: Word) -> str:
        """The instruction that a line of words seems to begin with: the line above was not meant to go on."""
        if word.raw not in KEYWORDS:
            return ""
        line = self._source.rfind("\n", 0, word.span.start) + 1
        alone = not self._source[line : word.span.start].strip()
        return word.raw if alone and line > self._instruction.span.start else ""

    def _root(self, command: Command, script: Script | None, wrappers: Wrappers) -> str:
        """Why the packages of the root that a call of mmdebstrap makes are not read, "" if there is a stage of it."""
        from pinner.recipe import roots

        if script is None or command.nested or not command.certain:
            return "how it is called is not followed"
        at, _ = prefixes.program(command.words, wrappers)
        given = self._expanded(command.words[at + 1 :], script)
        found = roots.read(self._source, script.shell, [field for _, field in given], command.span)
        if isinstance(found, str):
            return found
        self._notes.roots.append(found)
        for word, _ in given:
            for part in word.parts:
                if part.kind == "variable":
                    self._notes.uses.packages.add(script.shell.origin(part.start))
        stages = self._notes.dockerfile.stages
        if any(each.suite and each.instructions[0].span == command.span for each in stages):
            return ""
        return "a variable that names its packages has another use"

    def _string(self, command: Command, script: Script | None, wrappers: Wrappers) -> Joined | None:
        """The script that `sh -c` or `su -c` is given."""
        at, name = prefixes.program(command.words, wrappers)
        operand = nested.script_operand(command.words[at + 1 :], name)
        if script is None or operand is None or operand < 0:
            return None
        return nested.string(script, command.words[at + 1 + operand])

    def _note(self, found: list[tuple[Word, Field]], script: Script | None) -> None:
        """Take note of the variables that name packages for apt, each package a word of its own."""
        for word, field in found:
            part = only_variable(word)
            if part is None or script is None or re.search(r"\s", field.word.value or ""):
                continue
            if part.quoted and field.word.value is None:
                continue  # it may be several packages, which are one word here
            if is_plain(self._text(script), part):
                self._notes.uses.packages.add(script.shell.origin(part.start))

    def _requests(
        self, program: str, call: command_line.ParsedCommand, found: list[Field], *, bash: bool
    ) -> Iterator[Request]:
        swallowed, joined, behind = "", False, False
        exact = program != "aptitude" or all(_EXACT.fullmatch(field.word.value or "") for field in found)
        marked = self._marked
        for field, request in zip(found, arguments.read(found, bash=bash), strict=True):
            result = request
            at = request.word.span.start
            swallowed = swallowed or self._instruction_at(request.word)
            joined = joined or (request.name in _COMMANDS and bool(result.action == "pin" and behind))
            behind = True
            if joined:
                detail = "a command seems to begin here: is a && missing before it?"
                result = result._replace(kind="other", action="skip", reason="swallowed", detail=detail)
            elif swallowed:
                detail = f"a continuation mark above makes the instruction {swallowed} a part of this call"
                result = result._replace(kind="other", action="skip", reason="swallowed", detail=detail)
            if marked.says("allow", at):
                result = result._replace(allowed=True)
            if marked.says("ignore", at):
                result = refused(result, "ignored", "ignored by a comment")
            if call.error:
                result = refused(result, "refused", call.error)
            elif not exact:
                result = refused(
                    result,
                    "aptitude",
                    "aptitude has its own solver, and not all arguments here are plain package names",
                )
            if field.through:
                self._notes.carried[result] = field.through | self._notes.carried.get(result, frozenset())
            yield result


def _given(text: str, at: Span) -> Word:
    """A word that a wrapper at this place adds to a command."""
    return Word(text, text, at, (WordPart("bare", text, 0, 0),), at.end)


def _argument(word: Word) -> Argument:
    """A word as apt's command line reader gets it: its text, or what stands before its first expansion."""
    if word.value is not None:
        return Argument(word.value)
    text = ""
    for part in word.parts:
        if part.kind not in ("bare", "quoted"):
            break
        text += part.text
    return Argument(text, known=False)


def refused(request: Request, reason: str, detail: str) -> Request:
    """`request`, skipped because of its call; what is skipped for its own sake stays so."""
    if request.action == "skip" and not request.expansion:
        return request
    return request._replace(action="skip", reason=reason, detail=detail, expansion=())
