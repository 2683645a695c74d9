"""Which kind of file a text is, and how each kind is read.

A new kind, in five lines:
1. `recipe/formats/NAME.py` has `read(text, around)`, which gives stages of RUNs: shell texts and names of
   packages by `scripts.jobs`, Dockerfiles by `formats.embedded.stages`.
2. A row of `_TABLE` says what people call its files, how these are named, and what a text of the kind looks like under
   another name.
3. What the format's own interpolation decides is replaced, or marked as unknown, before these readers see a text.
4. `tests/recipe/test_NAME.py` has a table: a text, the words that are found in it, and the text with pins.
5. A file that installs packages and that pinner does not read is a row of `_OTHERS` alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import lru_cache
from importlib import import_module

from pinner.errors import InputError
from pinner.recipe import dockerfile
from pinner.recipe.builds import Build
from pinner.recipe.dockerfile import Dockerfile
from pinner.regex import later
from pinner.shell import nested, prefixes
from pinner.values import NamedTuple


class Around(NamedTuple):
    """What other files say of a file.

    `before` and `after` are the texts that make up a configuration with it; `complete` tells whether there are no more
    of them, None leaves that to the file. `builds` are how a Dockerfile is built, `variables` those of a `.env`.
    """

    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    complete: bool | None = None
    builds: tuple[Build, ...] = ()
    variables: Mapping[str, str | None] = {}


FileKind = str


class _Kind(NamedTuple):
    """`title` is what people call such files. `names` is a pattern of paths, `looks` of texts whose names do not tell
    it, which a search takes if they hold `anywhere`; `also` is one of texts that a search takes even if they do not
    speak of installing packages. A `listing` is only taken where the command line or the configuration names it.
    """

    name: FileKind
    title: str
    names: re.Pattern[str]
    looks: re.Pattern[str] | None = None
    also: re.Pattern[str] | None = None
    anywhere: re.Pattern[str] | None = None
    listing: bool = False


_TABLE = (
    _Kind(
        "dockerfile",
        "Dockerfiles",
        later(
            r"(?:.*/)?(?:(?:docker|container)file(?:\..+|(?!s\b)[\w-][^/]*)?|[^/]+\.(?:docker|container)file)",
            re.IGNORECASE,
        ),
    ),
    _Kind("script", "shell scripts", later(r"(?:.*/)?[^/]+\.(?:sh|bash)")),
    _Kind(
        "github",
        "GitHub workflows and actions",
        later(r"(?:.*/)?\.github/workflows/[^/]+\.ya?ml|(?:.*/)?action\.ya?ml"),
        later(r"^(?:jobs|runs)[ \t]*:", re.MULTILINE),
        later(r"^[ \t-]*(?:uses[ \t]*:[^\n]*\bapt\b|apt[\w-]*[ \t]*:)", re.MULTILINE),
    ),
    _Kind(
        "gitlab", "GitLab CI files", later(r"(?:.*/)?(?:[^/]*\.)?gitlab-ci\.ya?ml"), also=later("include:")
    ),
    _Kind("devcontainer", "devcontainer.json", later(r"(?:.*/)?\.?devcontainer\.json")),
    _Kind(
        "compose",
        "Compose files",
        later(r"(?:.*/)?(?:docker-)?compose(?:[._-][^/]*)?\.ya?ml"),
        later(r"^services[ \t]*:", re.MULTILINE),
        anywhere=later("dockerfile_inline"),
    ),
    _Kind("bake", "Bake files", later(r"(?:.*/)?(?:[^/]*[._-])?bake(?:[._-][^/]*)?\.(?:hcl|json)")),
    _Kind(
        "circleci",
        "CircleCI's configuration",
        later(r"(?:.*/)?\.circleci/(?:.*/)?[^/]+\.ya?ml"),
    ),
    _Kind(
        "cloud-init",
        "cloud-init's user data",
        later(r"(?:.*/)?cloud-(?:init|config)[^/]*\.ya?ml"),
        later(r"\A(?:##[^\n]*\n)*#cloud-config\b"),
        later(r"^packages[ \t]*:", re.MULTILINE),
        anywhere=later(""),
    ),
    _Kind(
        "ansible",
        "Ansible's tasks and playbooks",
        later(
            r"(?:.*/)?(?:tasks|handlers|playbooks?|molecule)/(?:.*/)?[^/]+\.ya?ml|(?:.*/)?(?:site|[^/]*playbook[^/]*)\.ya?ml"
        ),
        later(
            r"^(?:---.*\n|#.*\n|\s*\n)*- +(?:hosts|name|(?:ansible\.builtin\.)?(?:apt|import_playbook)) *:"
        ),
        later(r"^[ \t-]*(?:ansible\.builtin\.)?apt[ \t]*:", re.MULTILINE),
    ),
    _Kind(
        "packages",
        "lists of packages",
        later(r"(?:.*/)?(?:apt|packages|apt-packages)\.txt|(?:.*/)?Aptfile"),
        listing=True,
    ),
)
KINDS: tuple[FileKind, ...] = tuple(kind.name for kind in _TABLE)
#: What people call the files that a search takes.
TITLES = ", ".join(kind.title for kind in _TABLE if not kind.listing)
_BY_NAME = {kind.name: kind for kind in _TABLE}

_NOT = later(
    r".*\.(?:dockerignore|containerignore|lock|bak|orig|rej|swp)|.*~"
    r"|(?:docker|container)file[\w-].*\.(?:bat|c|cpp|cs|css|go|h|html|ini|java|js|json|kt|lock|log|md|php|pl|png|ps1|py|rb"
    r"|rs|rst|scala|sh|svg|toml|tsx?|txt|xml|ya?ml)",
    re.IGNORECASE,
)
#: Why a search passes over a template.
TEMPLATE = "a template, which is read if it is named"
_TEMPLATES = (
    *(".j2", ".jinja", ".jinja2", ".tmpl", ".tpl", ".gotmpl", ".template", ".in", ".erb", ".ejs"),
    *(".mustache", ".hbs", ".m4"),
)
# All names of the other kinds end so.
_ENDS = (".sh", ".bash", ".yml", ".yaml", ".json", ".hcl", ".txt", "Aptfile")
_TEMPLATE_TEXT = later(
    r"^[ \t]*(?:\{[{%#](?!#)|<%)|^[ \t]*FROM[ \t][^\n#]*(?:\{\{|%%\w|@\w+@)|^[^'\"#\n]*\{\{[ \t]*\w",
    re.MULTILINE,
)
_TEMPLATE_LINE = later(r"^[ \t]*(?:\{%|%\{|<%|\{\{)", re.MULTILINE)
_FROM = later(r"^[ \t]*FROM[ \t]", re.MULTILINE | re.IGNORECASE)
_LOOSE = later(r"(?:docker|container)file.+", re.IGNORECASE)
#: Files of other programs that may install packages, by what people call them.
_OTHERS = (
    ("Azure Pipelines", later(r"(?:.*/)?(?:\.?azure-pipelines[^/]*|\.azure-pipelines/.*)\.ya?ml")),
    ("Bitbucket", later(r"(?:.*/)?bitbucket-pipelines\.ya?ml")),
    ("Drone", later(r"(?:.*/)?\.drone\.ya?ml")),
    ("Woodpecker", later(r"(?:.*/)?\.woodpecker\.ya?ml|(?:.*/)?\.woodpecker/.*\.ya?ml")),
    ("Travis CI", later(r"(?:.*/)?\.travis\.ya?ml")),
    ("Cirrus CI", later(r"(?:.*/)?\.cirrus\.ya?ml")),
    ("AppVeyor", later(r"(?:.*/)?\.?appveyor\.ya?ml")),
    ("Buildkite", later(r"(?:.*/)?\.buildkite/.*\.ya?ml")),
    ("Semaphore", later(r"(?:.*/)?\.semaphore/.*\.ya?ml")),
    ("Cloud Build", later(r"(?:.*/)?cloudbuild[^/]*\.(?:ya?ml|json)")),
    ("CodeBuild", later(r"(?:.*/)?buildspec[^/]*\.ya?ml")),
    ("Gitpod", later(r"(?:.*/)?\.gitpod\.ya?ml")),
    ("Read the Docs", later(r"(?:.*/)?\.?readthedocs\.ya?ml")),
    ("Jenkinsfile", later(r"(?:.*/)?(?:[^/]*[._-])?Jenkinsfile(?:[._-][^/]*)?", re.IGNORECASE)),
    ("Earthfile", later(r"(?:.*/)?Earthfile")),
    ("Vagrantfile", later(r"(?:.*/)?Vagrantfile")),
    ("Packer", later(r"(?:.*/)?[^/]+\.pkr\.(?:hcl|json)|(?:.*/)?packer[^/]*\.json")),
    ("Terraform and other HCL", later(r"(?:.*/)?[^/]+\.(?:tf|hcl)")),
    ("mkosi", later(r"(?:.*/)?mkosi(?:\.[^/]+)?\.(?:conf|default)|(?:.*/)?mkosi\.conf\.d/[^/]+\.conf")),
    ("Singularity", later(r"(?:.*/)?(?:Singularity|Apptainer)(?:\.[^/]+)?|(?:.*/)?[^/]+\.def")),
    ("Makefile", later(r"(?:.*/)?(?:GNUm|[Mm])akefile(?:\.[^/]+)?|(?:.*/)?[^/]+\.mk")),
)
_LISTS = {
    "mkosi": later(r"^[ \t]*(?:Build)?Packages[ \t]*=", re.MULTILINE),
    "Read the Docs": later(r"^[ \t]*apt_packages[ \t]*:", re.MULTILINE),
}


@lru_cache(maxsize=1 << 14)
def by_name(path: str) -> FileKind | None:
    """The kind of file that a path (with forward slashes) names, or that a template of this name becomes; None if
    the name does not tell."""
    path = path.replace("\n", " ")  # which a name may hold, and no pattern knows
    name = path.rpartition("/")[2]
    if path.endswith(_ENDS):
        for kind in _TABLE[1:]:
            if kind.names.fullmatch(path):
                return kind.name
    if name == "Dockerfile" or (
        "file" in path.lower() and _TABLE[0].names.fullmatch(path) and not _NOT.fullmatch(name)
    ):
        return "dockerfile"
    return by_name(path.rpartition(".")[0]) if name.lower().endswith(_TEMPLATES) else None


def of(path: str, text: str) -> FileKind:
    """The kind of a file; what neither name nor text tells is taken for a Dockerfile."""
    found = by_name(path)
    if found is not None:
        return found
    if path.endswith(".txt"):
        return "packages"
    return by_look(path, text) or ("gitlab" if path.endswith((".yml", ".yaml")) else "dockerfile")


def may_look(path: str) -> bool:
    """Whether a text under this name may be of a kind that its name does not tell."""
    return path.endswith((".yml", ".yaml")) or path.rpartition("/")[2] == "user-data"


def by_look(path: str, text: str, *, search: bool = False) -> FileKind | None:
    """The kind of a text whose name does not tell it, None if it is not clear; for a `search`, only what is sure."""
    if is_script(text):
        return "script"
    if not may_look(path):
        return None
    own = (kind for kind in reversed(_TABLE) if kind.looks and kind.looks.search(text))
    sure = (kind.name for kind in own if not search or (kind.anywhere and kind.anywhere.search(text)))
    return next(sure, None)


def is_listing(kind: FileKind) -> bool:
    """Whether a search takes files of this kind only where the configuration names them."""
    return _BY_NAME[kind].listing


def passed_over(kind: FileKind, path: str, text: str, wrappers: Iterable[str] = ()) -> str:
    """Why a search does not take a file of this kind, "" if it does. `wrappers` are programs that run apt."""
    name = path.rpartition("/")[2]
    if kind == "dockerfile":
        marked = any(each in text for each in ("{{", "{%", "{#", "<%", "%%", "@"))
        if name.lower().endswith(_TEMPLATES) or (marked and _TEMPLATE_TEXT.search(text)):
            return TEMPLATE
        return "no FROM in it" if _LOOSE.fullmatch(name) and not _FROM.search(text) else ""
    asks = prefixes.mentions(text) or any(name in text for name in wrappers)
    also = _BY_NAME[kind].also
    if not (asks or (also and also.search(text))):
        return "it installs nothing"
    if name.lower().endswith(_TEMPLATES):
        return TEMPLATE
    return TEMPLATE if _TEMPLATE_LINE.search(text) and not _is_read(kind, text) else ""


def _is_read(kind: FileKind, text: str) -> bool:
    with suppress(InputError):
        parse(kind, text)
        return True
    return False


def other(path: str) -> str:
    """The program that reads a file, if that may install packages and is none of the kinds; "" for any other."""
    return next((name for name, names in _OTHERS if names.fullmatch(path)), "")


def installs(name: str, text: str) -> bool:
    """Whether a file of such a program installs packages."""
    return prefixes.asks(text) or (name in _LISTS and _LISTS[name].search(text) is not None)


def runs_apt(path: str, text: str) -> bool:
    """Whether a text of no kind is YAML that holds a command which installs packages, for whatever program."""
    from pinner.recipe import scripts
    from pinner.recipe.formats import yamltext

    with suppress(InputError):
        if path.endswith((".yml", ".yaml")) and prefixes.asks(text) and (root := yamltext.parse(text)):
            return any(scripts.others(root, ()))
    return False


def is_script(text: str) -> bool:
    """Whether a text's first line names a shell."""
    return text.startswith("#!") and nested.shell_of(text[:200]) in nested.POSIX_SHELLS


def parse(kind: FileKind, text: str, around: Around = Around()) -> Dockerfile:  # noqa: B008
    """The text as stages and RUNs. Raises `InputError`.

    `around` is the configuration that a file belongs to.
    """
    read: Dockerfile
    if kind == "dockerfile":
        read = dockerfile.parse(text, builds=around.builds)
    elif kind == "script":
        from pinner.recipe import scripts

        read = scripts.script(text)
    else:
        read = import_module(f"pinner.recipe.formats.{kind.replace('-', '_')}").read(text, around)
    if "mmdebstrap" not in text:
        return read
    from pinner.recipe import roots

    return roots.added(read)
