"""Files whose stages read a repository that does not answer: read again without it.

What it may serve is unknown then; all else is pinned. The distribution's own archive is not done without.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pinner.apt.sources import Keys
from pinner.apt.sources_list import SourceEntry
from pinner.distributions import repositories
from pinner.distributions.repositories import ANYTHING
from pinner.errors import FetchError, InputError, PinnerError, TrustError
from pinner.shell.content import KeyOrigin
from pinner.stages.archives import Archives
from pinner.stages.image_names import Named
from pinner.stages.install_commands import File, read_all, read_file
from pinner.stages.repositories import UnreadRepository, pocket_of
from pinner.stages.suites import Options
from pinner.values import NamedTuple


class Prepared(NamedTuple):
    """Files whose archives are loaded, and the errors of the others by path.

    `read` are all that could be read, by path, as they are while every repository answers; `unread` the errors of those
    that could not. `options` are those that each of the `files` is read by; `unserved` the errors of those whose
    archives cannot be had; `unreachable` the errors of the repositories that are done without.
    """

    read: Mapping[str, File]
    unread: Mapping[str, PinnerError]
    files: list[File]
    options: Mapping[str, Options]
    unserved: Mapping[str, PinnerError]
    unreachable: Sequence[FetchError]

    @property
    def fatal(self) -> PinnerError | None:
        """The first error of reading that is of no place in a file, and no archive's or registry's."""
        own = (each for each in self.unread.values() if not isinstance(each, FetchError | TrustError))
        return next((each for each in own if not (isinstance(each, InputError) and each.line)), None)


def prepare(texts: Mapping[str, str], options: Mapping[str, Options], archives: Archives) -> Prepared:
    """Read files, each by its own options, and load what they need, without the repositories of others that do not
    answer. Raises as `prepare_each`."""
    found = read_all(texts, options)
    read = {path: each for path, each in found.items() if isinstance(each, File)}
    unread = {path: each for path, each in found.items() if not isinstance(each, File)}
    by_path = dict(read)
    failed = dict(archives.prepare_each([*read.values()]))
    silent: dict[str, FetchError] = {}
    while new := {
        uri: error
        for path, error in failed.items()
        if isinstance(error, FetchError) and (uri := _silent(by_path[path], error)) and uri not in silent
    }:
        silent |= new
        options = {path: _without(own, new) for path, own in options.items()}
        by_path |= {path: read_file(path, texts[path], options[path]) for path in failed}
        failed = dict(archives.prepare_each([by_path[path] for path in failed]))
    good = [file for file in by_path.values() if file.path not in failed]
    return Prepared(read, unread, good, options, failed, tuple(silent.values()))


def _silent(file: File, error: FetchError) -> str:
    """The third-party repository that a file's stages read and that does not answer, "" if it is none."""
    if error.status and error.status < 500:
        return ""
    return next((each.uri for each in _foreign(file) if error.url.startswith(each.uri.rstrip("/"))), "")


def _foreign(file: File) -> Iterator[SourceEntry]:
    for call in file.every():
        where = call.base.where
        if isinstance(where, Named):
            for each in where.listed or ():
                if pocket_of(each.entry, where.suite, where.distribution) is None:
                    yield each.entry


def _without(options: Options, silent: Mapping[str, FetchError]) -> Options:
    """The options by which these repositories are not trusted."""
    before = options.world.vouch

    def vouch(path: str, entry: SourceEntry, origins: tuple[KeyOrigin, ...]) -> Keys | str:
        row = repositories.find(entry.uri, entry.suite)
        error = silent.get(row.uri if row else entry.uri)
        if error is None:
            return before(path, entry, origins)
        raise UnreadRepository(
            f"{entry.uri}, which does not answer ({error.message})", row.serves if row else ANYTHING
        )

    known = tuple(each for each in options.known if each.uri not in silent)
    return options._replace(known=known, world=options.world._replace(vouch=vouch))
