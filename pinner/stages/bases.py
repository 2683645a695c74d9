"""What base images say of themselves: asked of a registry or read from an archive, or as the lock has it.

An image that the lock knows is taken as it was when it was locked, by its digest: `lock` keeps, `refresh` moves.

A default platform that an image is not made for does not count for its stages: it was not asked for, and nothing is
built there. An archive of `docker save` proves nothing of that kind, since it holds one platform.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from posixpath import basename
from typing import TYPE_CHECKING, Literal

from pinner.apt import conf, decisions, preferences
from pinner.apt.packages import Package
from pinner.distributions.catalogue import PLATFORMS
from pinner.errors import FetchError, InputError, PinnerError, Refused
from pinner.lock.schema import Closure, Lock, LockedImage
from pinner.stages.locked_images import KeptImage, kept
from pinner.stages.locked_images import locked as locked_image
from pinner.stages.starting_set import MINBASE, Root
from pinner.values import NamedTuple

if TYPE_CHECKING:
    from pinner.images.image import Image, PathText

InspectMode = Literal["never", "auto", "always"]

#: The images of names (or of `name@digest`) for platforms, in order: None if the network is not to be used. Of those
#: whose digest is in the collection the layers are known, and need not be read.
Inspect = Callable[[Sequence[tuple[str, str]], Collection[str]], Sequence["Image | PinnerError | None"]]

_LABEL = "image sha256:"

#: Bytes of packed layers that are read without being asked for.
LARGEST = 200_000_000
#: The same where the layers alone tell the suite, without which nothing can be pinned.
LARGEST_UNKNOWN = 1_000_000_000


class ImageContent(NamedTuple):
    """A base image on one platform.

    `digest` is that of the platform's manifest, `index` of what the image's name means ("" where the lock does not say
    it). `distribution` and `suite` are as the image tells them, "" if it does not. `root` are its packages, `sources`
    the sources files in apt's order. `configuration` are its files of apt.conf(5), `preferences` those that say which
    version to prefer, `keys` those that its sources name for others' keys, `architectures` dpkg's own; all are empty
    where the layers were not `read`. `unread` is a clause about settings that decide about versions and that pinner
    does not follow.
    """

    digest: str
    index: str  # type: ignore[assignment]
    distribution: str
    suite: str
    root: Root = MINBASE
    sources: tuple[PathText, ...] = ()
    configuration: tuple[PathText, ...] = ()
    preferences: tuple[PathText, ...] = ()
    unread: str = ""
    keys: tuple[tuple[str, bytes], ...] = ()
    architectures: tuple[PathText, ...] = ()
    read: bool = False
    locked: LockedImage | None = None


class Bases:
    """Answers what base images hold, each once. `notes` gets what people should know.

    `inspect` is the world; an image that cannot be read is an error if `strict`, else a note.
    """

    def __init__(self, inspect: Inspect, notes: dict[str, None], *, strict: bool) -> None:
        self._inspect = inspect
        self._strict = strict
        self._notes = notes
        self._kept: dict[str, LockedImage] = {}
        self._inspected: dict[tuple[str, str], Image | PinnerError | None] = {}
        self._found: dict[tuple[str, str], ImageContent | None] = {}
        self._unread: dict[tuple[str, str, str], list[str]] = {}

    def look(self, lock: Lock) -> ImageLookup:
        """What tells what images hold, given those that `lock` knows."""
        images = {image.digest: image for image in lock.images}
        known: dict[tuple[str, str], ImageContent] = {}
        for target in lock.targets:
            closure, platform = target.closure, target.platform
            if closure.digest and platform in PLATFORMS and (closure.image, platform) not in known:
                known[closure.image, platform] = self._locked(closure, platform, images.get(closure.digest))
        return ImageLookup(self, known)

    def _locked(self, closure: Closure, platform: str, image: LockedImage | None) -> ImageContent:
        """What a lock knows of an image: all of it, or its digest and that of its packages."""
        root = _as_locked(closure, platform)
        if image is not None:
            with suppress(InputError, ValueError):  # a list that is not what was locked is read anew
                read = kept(image, closure.image)
                label = label_of(read.packages) if read.packages else MINBASE.label
                if label == root.label or not root.told:
                    own = _root(label, platform, read.packages) if read.packages else MINBASE
                    self._kept[image.digest] = image
                    return _content(read, own)._replace(locked=image)
        return ImageContent(closure.digest, "", "", closure.suite, root)

    def ahead(self, names: Iterable[tuple[str, str]]) -> None:
        """Ask together for the images that `content` is going to be asked for."""
        wanted = [each for each in dict.fromkeys(names) if each not in self._inspected]
        self._inspected |= zip(wanted, self._inspect(wanted, self._kept), strict=True)

    def content(
        self, image: str, name: str, platform: str, locked: ImageContent | None
    ) -> ImageContent | None:
        """What `image` holds on a platform, of which a lock knows so much; `name` is what is asked for."""
        if locked is not None and locked.locked is not None:
            return locked
        if (name, platform) not in self._found:
            self.ahead([(name, platform)])
            self._found[name, platform] = self._read(image, name, platform, locked)
        return self._found[name, platform]

    def _read(self, image: str, name: str, platform: str, locked: ImageContent | None) -> ImageContent | None:
        found = self._inspected[name, platform]
        if not isinstance(found, PinnerError):
            return self._of_image(found, locked, platform) if found else None
        from pinner.images.image import NoPlatform

        if self._strict and locked is None:
            raise found
        if isinstance(found, NoPlatform):
            self._note(_short(image, found))
            return locked
        if isinstance(found, FetchError) and not found.status:  # it is the same for all images of the host
            instead = "are taken as locked" if locked else "are assumed to be minimal"
            self._note(f"base images are not read, and {instead}: {found.message}")
        else:
            instead = "it is taken as locked" if locked else "what it holds is assumed"
            self._note_unread(image, platform, instead, _short(image, found).removeprefix(f"{image}: "))
        return locked

    def _of_image(self, image: Image, known: ImageContent | None, platform: str) -> ImageContent:
        locked = self._kept.get(image.digest)
        if locked is not None and not image.read:
            read = kept(locked, image.reference)
            own = MINBASE
            if read.packages:
                own = _root(label_of(read.packages), platform, read.packages)
            return _content(read, own)._replace(locked=locked, index=image.index_digest or image.digest)
        if not image.read:
            self._note(
                f"{image.reference} has {image.size // 1_000_000} MB: what it holds is assumed, not read "
                "(--images always reads it)"
            )
        packages: tuple[Package, ...] = ()
        root = MINBASE
        if image.status:
            from pinner.apt import installed

            packages = installed.packages(image.status, image.states)
            label = known.root.label if known and known.digest == image.digest else ""
            label = label if label.startswith(_LABEL) else label_of(packages)
            root = _root(label, platform, packages)
        return _content(image, root)._replace(locked=locked_image(image, packages))

    def fault(self, image: str, name: str, platform: str) -> PinnerError | None:
        """Why an image cannot be read on a platform, if that is so."""
        self.content(image, name, platform, None)
        found = self._inspected[name, platform]
        return found if isinstance(found, PinnerError) else None

    def _note(self, text: str) -> None:
        self._notes[text] = None

    def _note_unread(self, image: str, platform: str, instead: str, reason: str) -> None:
        """One note for all the platforms of an image that are the same case."""
        platforms = self._unread.setdefault((image, instead, reason), [])
        for names in (platforms, [*platforms, platform.removeprefix("linux/")]):
            text = f"warning: {image} ({', '.join(names)}) was not read, {instead}: {reason}"
            self._notes.pop(text, None)
        platforms[:] = names
        self._note(text)


class ImageLookup:
    """Answers what base images hold, given those that a lock knows, by name and platform."""

    def __init__(self, bases: Bases, known: Mapping[tuple[str, str], ImageContent]) -> None:
        self._bases = bases
        self._known = known

    def __call__(self, image: str, platform: str) -> ImageContent | None:
        """What an image holds on a platform, None if that is not known. Raises what reading it raises."""
        if image == "scratch":
            return None
        return self._bases.content(
            image, self._name(image, platform), platform, self._known.get((image, platform))
        )

    def lacks(self, image: str, platform: str) -> bool:
        """Whether an image is not made for a platform: as it says, or as the lock has it where it cannot be read."""
        if image == "scratch" or (image, platform) in self._known:
            return False
        fault = self._bases.fault(image, image, platform)
        if fault is None:
            return False
        from pinner.images.image import NoPlatform

        return isinstance(fault, NoPlatform) or any(name == image for name, _ in self._known)

    def ahead(self, images: Iterable[tuple[str, str]]) -> None:
        """Names images, with platforms, that are going to be asked for, so that they are read together."""
        self._bases.ahead(
            (self._name(image, platform), platform)
            for image, platform in images
            if image != "scratch" and not self._is_whole(image, platform)
        )

    def _is_whole(self, image: str, platform: str) -> bool:
        known = self._known.get((image, platform))
        return known is not None and known.locked is not None

    def _name(self, image: str, platform: str) -> str:
        locked = self._known.get((image, platform))
        return f"{image.partition('@')[0]}@{locked.digest}" if locked else image


def _short(image: str, error: PinnerError) -> str:
    """The message with the image's name as the file has it."""
    from pinner.images import reference

    with suppress(InputError):
        return error.message.replace(f"{reference.parse(image)}: ", f"{image}: ", 1)
    return error.message


def _as_locked(closure: Closure, platform: str) -> Root:
    """The packages of a locked image of which nothing but their digest is known."""
    if not closure.installed.startswith(_LABEL):
        return MINBASE

    def read() -> tuple[Package, ...]:
        raise Refused(f"what {closure.image} holds is known by its digest alone, and it cannot be read now")

    return Root(closure.installed, PLATFORMS[platform], read=read)


def _root(label: str, platform: str, packages: tuple[Package, ...]) -> Root:
    """The packages of an image; many are compared by it, so that it is cheap to compare."""
    return Root(label, PLATFORMS[platform], read=lambda: packages)


def _content(image: Image | KeptImage, root: Root) -> ImageContent:
    if root.told:
        root = root._replace(suggests_important=_suggests_important(image.apt_conf))
    unread = ""
    try:
        for path, text in image.preferences:
            preferences.read(path, text)
        places = decisions.of(image.apt_conf).places
        if any(basename(each) not in ("-", "none", "") for each in {*places} - {*decisions.Places()}):
            raise InputError("it moves what apt reads")
    except InputError as error:
        where = f"{error.path} of the image" if error.path else "apt.conf of the image"
        unread = f"{where} is not followed: {error.message}"
    return ImageContent(
        image.digest,
        image.index_digest or image.digest,
        image.distribution,
        image.suite,
        root,
        image.sources,
        () if unread else image.apt_conf,
        () if unread else image.preferences,
        unread,
        image.keys,
        image.architectures,
        image.read,
    )


def _suggests_important(texts: Iterable[tuple[str, str]]) -> bool:
    """`APT::AutoRemove::SuggestsImportant` of apt.conf files, which is true if none says otherwise."""
    settings = conf.BEGIN
    with suppress(InputError):  # apt would refuse them all
        for path, text in texts:
            settings = conf.read(text, path, settings)
    return settings.boolean("APT::AutoRemove::SuggestsImportant", True) is not False


def label_of(packages: Iterable[Package]) -> str:
    """How the lock names what an image holds: by the SHA-256 of names, architectures and versions, sorted."""
    lines = sorted(f"{each.name}:{each.architecture}={each.version}\n" for each in packages)
    return f"{_LABEL}{sha256(''.join(lines).encode()).hexdigest()}"
