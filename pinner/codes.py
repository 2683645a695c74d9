"""The codes of diagnostics: what each means and what to do about it. docs/codes.md is made from this table.

Where something is found, its code is a plain string, which tests/test_codes.py compares with this table: the enum is
made only when there is something to report, which takes some milliseconds.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

Severity = Literal["error", "warning", "note"]

#: Where pinner is developed; see `scripts/owner`.
HOME = "https://github.com/OWNER/pinner"
#: The page with an anchor for each code.
PAGE = f"{HOME}/blob/main/docs/codes.md"


class Code(StrEnum):
    """A code, what it means, what to do (both in Markdown), and how severe it is unless a command says otherwise.

    A new code is a row here, the string where it is found, and a row in that module's test.
    """

    help: str
    severity: Severity

    def __new__(cls, code: str, meaning: str = "", help_: str = "", severity: Severity = "warning") -> Code:
        """A member whose value is `code` and whose docstring is `meaning`."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.__doc__ = meaning
        member.help = help_
        member.severity = severity
        return member

    @property
    def meaning(self) -> str:
        """What the code says of a file."""
        return self.__doc__ or ""

    @property
    def url(self) -> str:
        """Where the code is documented."""
        return f"{PAGE}#{self.value}"

    # What stays without a pin: where it is installed.
    UNPINNED = "unpinned", "The argument has no pin.", "`pinner lock` pins it.", "note"
    SUITE_UNKNOWN = (
        "suite-unknown",
        "The base image's name does not name its suite.",
        "Name it: a comment `# pinner: suite=…`, `--suite`, or `[images]` in the configuration.",
    )
    OTHER_REPOSITORY = (
        "other-repository",
        "The stage, or its base image, changes apt's sources or preferences in a way that pinner does not follow.",
        "`[[source]]` in the configuration, `--trust-new-keys`, or `# pinner: repositories=ignore`.",
    )
    HOSTED_RUNNER = (
        "hosted-runner",
        "The command runs on a runner of the CI service, whose image changes every week.",
        "Run the job in a container, or leave the packages without pins.",
    )
    SEVERAL_SUITES = (
        "several-suites",
        "Install commands on several suites or platforms share the argument.",
        "Use a variable or a list of its own for each.",
    )
    CHROOT = "chroot", "The command installs into another root.", "Pin by hand."
    DEBOOTSTRAP = (
        "debootstrap",
        "Packages are installed into a new root, by a program that takes no versions.",
        "Use mmdebstrap, whose `--include` takes them.",
    )
    MMDEBSTRAP = (
        "mmdebstrap",
        "Packages are installed into a new root, from sources that are not followed.",
        "Name the suite and the mirrors as arguments.",
    )

    # What stays without a pin: how the argument is written.
    VARIABLE_UNKNOWN = (
        "variable-unknown",
        "A variable decides, and its value comes from outside or is put together in ways that are not followed.",
        "Give it a value in the file, or write the packages out.",
    )
    VARIABLE_PIN = (
        "variable-pin",
        "A variable holds the version, and its value comes from outside.",
        "Give it a value in the file, or write the version out.",
    )
    VARIABLE_ELSEWHERE = (
        "variable-elsewhere",
        "A Compose, Bake or Dev Containers file gives the build argument its value.",
        "Write the packages out in the Dockerfile.",
    )
    VARIABLE_OTHER_USE = (
        "variable-other-use",
        "The variable has another use, whose line is named, that would see the pins.",
        'Use a variable of its own for the packages; in place of a helper that asks `dpkg -s "$@"` first, call '
        "`apt-get install` itself.",
    )
    VARIABLE_COMMAND = "variable-command", "A variable holds the command.", "Write the command out."
    EXPANSION = (
        "expansion",
        "A shell expansion decides the argument.",
        "Give the variable a plain value in the file, or write the packages out.",
    )
    COMMAND_SUBSTITUTION = (
        "command-substitution",
        "The output of a command decides the argument.",
        "Write the packages out.",
    )
    TEMPLATE = "template", "A template fills in the argument.", "Write the packages out."
    SPLIT_WORD = (
        "split-word",
        "The line above ends in a backslash without a blank before it, so that two arguments become one.",
        "Put a blank before the backslash.",
    )
    SWALLOWED = (
        "swallowed",
        "The line above ends in a backslash, so that the next instruction is part of the command.",
        "Remove the backslash.",
    )
    GLOB = "glob", "The argument may stand for several packages.", "Write the packages out."
    REGEX = "regex", "apt takes the argument for a regular expression.", "Write the packages out."
    PATTERN = "pattern", "The argument is one of apt's search patterns.", "Write the packages out."
    TASK = "task", "The argument is a task: a group of packages.", "Write the packages out."
    TASKSEL = "tasksel", "tasksel installs the packages of a task.", "Install the packages with apt-get."
    BRACE = (
        "brace",
        "bash makes several arguments of it.",
        "Where bash runs it, `--expand-braces`; else write them out.",
    )
    SUFFIX = "suffix", "apt reads the `+` at the end as its mark for installing.", "Take the `+` away."
    RELEASE = "release", "`name/suite` chooses a release.", "Nothing: it stays as it is.", "note"
    FILE = "file", "The argument is a package file.", "Nothing.", "note"
    REMOVAL = "removal", "The argument is a package to remove.", "Nothing.", "note"
    REFUSED = "refused", "apt itself would refuse the command.", "Fix it."
    NOT_A_NAME = "not-a-name", "No package can have this name.", "Fix it."
    IGNORED = "ignored", "A comment or the configuration says to ignore it.", "Nothing.", "note"

    # What stays without a pin: a command that is not read.
    XARGS = "xargs", "The packages come from the input of xargs.", "Write the command out."
    OTHER_KEY = (
        "other-key",
        "The command is in a part of the file that something else runs, such as the input of an action.",
        "Pin by hand.",
    )
    STRING = "string", "The command is in a string that a shell runs.", "Write the command out."
    WRAPPER = (
        "wrapper",
        "A program that is not known runs apt, or gets the command as its arguments.",
        "Say under `[wrappers]` in the configuration what it runs, or write the command out.",
    )
    HEREDOC = "heredoc", "The command is in a here-document that is not run here.", "Pin by hand."
    SHELL = "shell", "Another shell than a POSIX one runs the command.", "Pin by hand."
    UNPARSABLE = (
        "unparsable",
        "A quote or here-document has no end, or the shell text is not understood.",
        "Fix it.",
    )
    YAML = (
        "yaml",
        "A way of writing a string in YAML that is not followed.",
        "Write it as a block (`run: |`).",
    )
    WORDS = (
        "words",
        "A command that is a list holds items that are not plain text.",
        "Write it as one string.",
    )
    BAKE = "bake", "A Dockerfile in a Bake file is made by functions.", "Write it as a text."
    PACKAGE_LIST = (
        "package-list",
        "A line of the list is neither package names nor a comment.",
        "Fix the list.",
    )
    APTITUDE = "aptitude", "aptitude has its own solver.", "Use apt-get."
    GDEBI = "gdebi", "gdebi installs a package file with its dependencies.", "`apt-get install ./FILE`."
    DPKG = "dpkg", "dpkg installs a package file.", "Nothing."
    BUILD_DEP = (
        "build-dep",
        "The build dependencies of a source package are installed.",
        "Install the packages with apt-get; `pinner resolve --build-dep` tells which they are.",
    )
    SATISFY = (
        "satisfy",
        "apt chooses packages for relations.",
        "Install the packages with apt-get; `pinner resolve --satisfy` tells which they are.",
    )
    MK_BUILD_DEPS = (
        "mk-build-deps",
        "The build dependencies of a source package are installed.",
        "Install the packages with apt-get.",
    )
    UPGRADE = "upgrade", "An upgrade installs whatever versions are current.", "Pin the packages instead."
    LATEST = "latest", "The state `latest` installs whatever version is current.", "Use the state `present`."

    # What stays without a pin: what the archive offers.
    VIRTUAL = (
        "virtual",
        "The name is a virtual package with one provider.",
        "Write the provider, which is named; `--rename-virtual` does it.",
    )
    IMAGE_NEWER = (
        "image-newer",
        "The base image holds a newer version than its archive offers.",
        "Nothing: a pin would be a downgrade, which apt refuses.",
    )
    PLATFORMS_DIFFER = (
        "platforms-differ",
        "No version text holds on all platforms.",
        "`--platform`, or a file for each platform.",
    )
    SNAPSHOT = (
        "snapshot",
        "The file is left as it is, since the snapshot lacks another version that it asks for.",
        "Choose another moment: `pinner snapshot find`.",
    )

    # What apt cannot install.
    UNKNOWN_PACKAGE = (
        "unknown-package",
        "There is no such package.",
        "Fix the name; near ones are shown.",
        "error",
    )
    NO_CANDIDATE = (
        "no-candidate",
        "The package has no version that apt would install.",
        "See `pinner why NAME`: preferences or the suite exclude it.",
        "error",
    )
    TARGET_RELEASE = (
        "target-release",
        "No source has the release that `-t` names.",
        "Fix the release.",
        "error",
    )
    ARCHITECTURE = (
        "architecture",
        "The stage does not have the architecture that the argument names.",
        "`dpkg --add-architecture` before it.",
        "error",
    )
    PLATFORM = (
        "platform",
        "A platform that was asked for lacks the package.",
        "Leave the platform out with `--platform`, or the argument with `# pinner: ignore`.",
        "error",
    )
    GONE = (
        "gone",
        "No enabled pocket has the version any more: `apt-get install` fails.",
        "`pinner refresh` moves the pin; `--rescue` makes the build read a snapshot.",
        "error",
    )
    UNINSTALLABLE = (
        "uninstallable",
        "The versions exist, but apt cannot install the command as it stands.",
        "The message says which packages exclude each other.",
        "error",
    )
    UNFOLLOWED = (
        "unfollowed",
        "pinner does not know whether apt would carry out the command.",
        "Look at it by hand.",
    )

    NO_LISTS = (
        "no-lists",
        "There are no package lists: no `apt-get update` has run before the command, or they were removed again.",
        "Put `apt-get update &&` before it.",
    )

    UNKNOWN_COMMAND = (
        "unknown-command",
        "apt has no such command, and one whose name is nearly the same.",
        "Fix the name, which is shown.",
        "error",
    )

    # How pins stand.
    UNKNOWN = (
        "unknown",
        "The pin could not be checked; that is not a pass.",
        "The message says why.",
        "error",
    )
    SECURITY = (
        "security",
        "A security update is waiting: a newer version is in a security pocket.",
        "`pinner refresh --only security`.",
    )
    SUPERSEDED = (
        "superseded",
        "The version is there, and apt would take a newer one.",
        "`pinner refresh`.",
        "note",
    )
    LAG = (
        "lag",
        "A newer version has been there for longer than the policy allows.",
        "`pinner refresh`.",
        "error",
    )
    DRIFT = "drift", "The file and `pinner.lock` disagree.", "`pinner lock`.", "error"
    INCOMPLETE = (
        "incomplete",
        "The lock does not say all that a stage installs, since a command of it could not be followed.",
        "Fix the command, which is named, and run `pinner lock`.",
    )
    CVE_FIXED = (
        "cve-fixed",
        "A known vulnerability that the version waiting in the archive fixes.",
        "`pinner refresh`.",
    )
    CVE_OPEN = (
        "cve-open",
        "A known vulnerability that no version in the archive fixes.",
        "Nothing yet; `[[policy.accept]]` accepts it.",
        "note",
    )
    CVE_UNKNOWN = (
        "cve-unknown",
        "It is not known which vulnerabilities a release has.",
        "Nothing: they are not published in a form that pinner reads.",
    )
    STALE_RELEASE = (
        "stale-release",
        "A pocket's Release has not changed for too long.",
        "Check whether the mirror is still updated.",
    )
    END_OF_LIFE = (
        "end-of-life",
        "The security support of the suite ends soon or has ended.",
        "Move to a newer release.",
    )
    NOT_SERVED = (
        "not-served",
        "The security pocket does not serve the platform.",
        "Nothing pinner can do: no security update reaches it.",
    )
    IMAGE_SUITE = (
        "image-suite",
        "A base image has moved to another suite since it was locked.",
        "`pinner refresh`.",
        "error",
    )
    IMAGE_PASSED = (
        "image-passed",
        "A base image now holds a newer version than a pin: apt refuses the downgrade.",
        "`pinner refresh`.",
        "error",
    )
    IMAGE_MOVED = (
        "image-moved",
        "The base image's tag has moved since it was locked.",
        "`pinner refresh`.",
    )

    # Why a pin is not refreshed.
    EXCLUDED = "excluded", "`--package` or `--exclude` leaves the package out.", "Nothing.", "note"
    HELD = "held", "`[policy]` in the configuration holds the package.", "Nothing, or name it.", "note"
    MIN_AGE = "min-age", "The newer version is too young for the policy.", "Wait.", "note"
    DOWNGRADE = (
        "downgrade",
        "apt would take a version that is older than the pin.",
        "`--allow-older`, if that is right.",
        "error",
    )
    REMOVES = (
        "removes",
        "With the newer version apt would remove a package that the stage asks for by name.",
        "Take one of the two off, or wait until the archive has versions of both that fit together.",
        "error",
    )
    SCATTERED = (
        "scattered",
        "The version is not written in one place that could be replaced.",
        "Write name and version out.",
        "error",
    )
    TOGETHER = (
        "together",
        "It has to move together with a pin that cannot move.",
        "See the message for that pin.",
        "note",
    )

    # What could not be used at all.
    UNUSABLE = "unusable", "A file, the lock or the configuration cannot be used.", "Fix it.", "error"
    UNSATISFIABLE = "unsatisfiable", "apt would find no solution.", "The message has the causes.", "error"
    UNREACHABLE = (
        "unreachable",
        "An archive or registry did not answer.",
        "Try again; see the message.",
        "error",
    )
    UNTRUSTED = (
        "untrusted",
        "What an archive sent does not match its signature, digest, size or date.",
        "Find out why before you use it.",
        "error",
    )
