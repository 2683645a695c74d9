"""Stages made at random of what people write about apt's files, each with install commands between the changes."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

APT = "/etc/apt"
OWN = f"{APT}/sources.list.d/debian.sources"
DEB = "http://deb.debian.org/debian"
SIGNED = "/usr/share/keyrings/debian-archive-keyring.gpg"
X, Y, KEY = "http://x.example/r", "http://y.example/flat", "/usr/share/keyrings/x.gpg"
ESCAPED = KEY.replace("/", "\\/")
OWN_SUITES = ("bookworm-backports", "trixie", "bookworm bookworm-backports", "bullseye")
#: What each install command asks for: packages of its own, which all suites serve in versions of their own.
PACKAGES = 4
MOST_CALLS = 6


@dataclass
class Made:
    """Instructions, by keyword, and the files of the build context that they use."""

    instructions: list[tuple[str, str]] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)

    @property
    def dockerfile(self) -> str:
        """The Dockerfile."""
        lines = ["FROM debian:bookworm"]
        for keyword, text in self.instructions:
            lines.append(f"RUN <<'EOF'\n{text}\nEOF" if keyword == "SCRIPT" else f"{keyword} {text}")
        return "\n".join(lines) + "\n"


class Maker:
    """Makes one stage by a random generator."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.made = Made()
        self._calls = 0
        self._files = self._links = 0
        self._pending: list[str] = []
        self._updated = False

    def _one(self, *of: str) -> str:
        return self._random.choice(of)

    def _maybe(self, text: str, chance: float = 0.5) -> str:
        return text if self._random.random() < chance else ""

    def make(self) -> Made:
        """A stage of some changes, with installs behind them."""
        changes: list[Callable[[], str]] = [
            *[self._source] * 6,
            *[self._edit] * 3,
            *[self._preference] * 2,
            *[self._setting] * 2,
            self._removal,
            self._condition,
            self._function,
            self._loop,
            self._script,
        ]
        if self._random.random() < 0.3:
            self._install()
        for _ in range(self._random.randint(1, 4)):
            self._pending.append(self._random.choice(changes)())
            if self._random.random() < 0.4:
                self._flush()
            if self._random.random() < 0.4:
                self._install()
        self._install(update=True)
        return self.made

    def _run(self, commands: list[str]) -> None:
        commands = [each for each in commands if each]
        if not commands:
            return
        if any("\n" in each for each in commands) or self._random.random() < 0.15:
            self.made.instructions.append(("SCRIPT", "\n".join(["set -e", *commands])))
        else:
            joint = self._one(" && ", " && \\\n    ", "; ") if len(commands) > 1 else ""
            begin = "set -eux; " if joint == "; " else ""
            self.made.instructions.append(("RUN", begin + joint.join(commands)))

    def _flush(self) -> None:
        self._run(self._pending)
        self._pending = []

    def _install(self, *, update: bool = False) -> None:
        if self._calls >= MOST_CALLS:
            return
        names = [f"c{self._calls}p{number}" for number in range(PACKAGES)]
        self._calls += 1
        commands = list(self._pending)
        self._pending = []
        # Images come without lists: where no update is seen it was one that is not, of all sources.
        if update or self._random.random() < 0.7 or not self._updated:
            commands.append(self._update())
            self._updated = True
        commands.append(self._call(" ".join(names)))
        self._run(commands)

    def _update(self) -> str:
        options = self._maybe(self._one(" -qq", " -y", " -o Acquire::Languages=none"), 0.3)
        if self._random.random() < 0.06:
            options = f" -o Dir::Etc::sourcelist={APT}/sources.list.d/r0.list -o Dir::Etc::sourceparts=-"
            options += self._maybe(" -o APT::Get::List-Cleanup=0")
        return f"apt-get update{options}"

    def _call(self, names: str) -> str:
        said = self.made.dockerfile + " ".join((*self._pending, *self.made.files.values()))
        option = self._one(
            *[""] * 12,
            *(f" -t {each}" for each in ("bookworm-backports", "stable", "a") if each in said),
            *([" --target-release=trixie"] * 2 if "trixie" in said else ()),
            " -o APT::Default-Release=bookworm",
            " -o Dir::Etc::SourceParts=/dev/null",
            f" -o Dir::Etc::SourceList={APT}/other.list",
            " -o Dir::Etc::Preferences=/opt/pref",
            " -o Dir::Etc::PreferencesParts=/nonexistent",
            " -c /opt/x.conf",
            " -o APT::Architectures::=arm64",
        )
        if "/opt/x.conf" in option:
            self._put("/opt/x.conf", self._conf())
        if "/opt/pref" in option:
            self._put("/opt/pref", self._pin())
        before = self._one(*["apt-get"] * 6, "DEBIAN_FRONTEND=noninteractive apt-get", "env X=1 apt-get")
        if self._random.random() < 0.03:
            self._put("/opt/own.conf", self._conf())
            before = "APT_CONFIG=/opt/own.conf apt-get"
        return f"{before} install -y{self._maybe(' --no-install-recommends')}{option} {names}"

    # --- texts -------------------------------------------------------------------------------------------------

    def _line(self) -> str:
        """A line of sources.list(5)."""
        uri, suites, components = self._random.choice(
            [
                (
                    DEB,
                    ["bookworm", "bookworm-backports", "trixie", "bullseye", "bookworm-updates"],
                    ["main", "main contrib"],
                ),
                (X, ["a", "b"], ["main", "extra", "main extra"]),
                (f"{X}/", ["a", "b"], ["main"]),
                (Y, ["./"], [""]),
            ]
        )
        own = uri.startswith("http://deb.")
        options = [
            self._maybe(f"signed-by={SIGNED if own else KEY}", 0.8 if own else 0.98),
            self._maybe(
                self._one("arch=amd64", "arch=amd64,arm64", "arch=arm64", "arch-=arm64", "arch+=arm64"), 0.2
            ),
            self._maybe(self._one("check-valid-until=no", "lang=none", "by-hash=no", "trusted=yes"), 0.15),
        ]
        options = [each for each in options if each]
        shown = f" [{self._maybe(' ', 0.1)}{' '.join(options)}]" if options else ""
        kind = self._one(*["deb"] * 9, "deb-src")
        comment = self._maybe(" # x", 0.1)
        blank = self._one(*[" "] * 9, "\t", "  ")
        words = f"{kind}{shown}{blank}{uri} {self._random.choice(suites)} {self._random.choice(components)}"
        return self._maybe("#", 0.05) + words.rstrip() + comment

    def _stanza(self) -> str:
        """A stanza of a Deb822 sources file."""
        own = self._random.random() < 0.5
        lines = [
            f"Types: {self._one('deb', 'deb', 'deb', 'deb deb-src', 'deb-src')}",
            f"URIs: {DEB if own else self._one(X, f'{X}/', f'{X} {X}')}",
            f"Suites: {self._one(*(OWN_SUITES if own else ('a', 'b', 'a b')))}",
            f"Components: {self._one('main', 'main contrib') if own else self._one('main', 'extra', 'main extra')}",
            f"Signed-By: {SIGNED if own else KEY}",
            self._maybe(
                self._one("Enabled: no", "Enabled: yes", "Architectures: amd64", "Architectures: arm64"), 0.3
            ),
            self._maybe(self._one("# a comment", "X-Note: x", "Trusted: yes", "Check-Valid-Until: no"), 0.2),
        ]
        lines = [each for each in lines if each]
        if self._random.random() < 0.2:
            self._random.shuffle(lines)
        return "\n".join(lines)

    def _pin(self) -> str:
        """A record of apt_preferences(5)."""
        names = self._one("*", "*", "c*", "c*p1 c*p2", "/p[01]$/", "c0p0 c1p1", "nothing", "c?p0")
        pin = self._one(
            *(
                "release a=oldstable",
                "release n=bookworm-backports",
                "release n=trixie",
                "release o=X",
                "release l=Debian",
            ),
            *(
                "release c=contrib",
                "release c=extra",
                "release n=a",
                "release a=b",
                "release o=Debian,n=trixie",
            ),
            *(
                "origin x.example",
                'origin "y.example"',
                "version 3*",
                "version 2.*",
                "release v=12*",
                "release n=/book/",
            ),
        )
        priority = self._one("1001", "990", "900", "600", "500", "400", "100", "1", "-1", "-10")
        lines = [f"Package: {names}", f"Pin: {pin}", f"Pin-Priority: {priority}"]
        return self._maybe("Explanation: x\n", 0.1) + "\n".join(lines) + self._maybe(f"\n\n{'#' * 3} x", 0.05)

    def _conf(self) -> str:
        """Lines of apt.conf(5)."""
        said = self.made.dockerfile + " ".join((*self._pending, *self.made.files.values()))
        releases = [each for each in ("trixie", "bookworm-backports", "bullseye", "bookworm") if each in said]
        return self._one(
            f'APT::Default-Release "{self._random.choice(releases)}";',
            f'APT {{ Default-Release "{self._random.choice(releases)}"; }};',
            'APT::Install-Recommends "false";\nAPT::Install-Suggests "false";',
            '// x\nAPT::Get::Assume-Yes "true";',
            f'Dir::Etc::SourceList "{APT}/other.list";',
            'Dir::Etc::SourceParts "/opt/parts";',
            'Dir { Etc { Preferences "/opt/pref"; }; };',
            'Dir::Etc::PreferencesParts "/dev/null";',
            'Acquire::Check-Valid-Until "false";',
            'APT::Default-Release "trixie";\n#clear APT::Default-Release;',
            'apt::default-release "a"; /* x */',
            '#include "/opt/more.conf"',
            'Acquire::Retries "3"; Acquire::http::Timeout "10";',
            'APT::Default-Release "";',
        )

    # --- ways to write -----------------------------------------------------------------------------------------

    def _put(self, path: str, text: str) -> None:
        """A file for what comes, by an instruction of its own."""
        self._flush()
        name = f"f{len(self.made.files)}"
        self.made.files[name] = f"{text}\n"
        self.made.instructions.append(("COPY", f"{name} {path}"))
        if "#include" in text:
            self._put("/opt/more.conf", 'APT::Default-Release "trixie";')

    def _written(self, path: str, text: str) -> str:
        """A command that writes a text to a file."""
        quoted = text.replace("'", "'\\''")
        lines = text.split("\n")
        many = len(lines) > 1
        way = self._random.randrange(12)
        if "#include" in text:
            self._put("/opt/more.conf", 'APT::Default-Release "trixie";')
        if way == 0 and not many:
            return f"echo '{quoted}' {self._one('>', '>', '>>')} {path}"
        if way == 1:
            form = "".join("%s\\n" for _ in lines) if many else "%s\\n"
            arguments = " ".join("'" + each.replace("'", "'\\''") + "'" for each in lines)
            return f"printf '{form}' {arguments} > {path}"
        if way == 2:
            return (
                f"echo '{quoted}' | tee {self._maybe('-a ')}{path} {self._maybe('> /dev/null', 0.8)}".rstrip()
            )
        if way == 3:
            return f"cat > {path} <<'X'\n{text}\nX"
        if way == 4:
            shown = text.replace("bookworm", "$NAME").replace("trixie", "${OTHER:-trixie}")
            shown = shown.replace("\\", "\\\\") if "\\" in shown else shown
            return f". /etc/os-release\nNAME=$VERSION_CODENAME\ncat <<X > {path}\n{shown}\nX"
        if way == 5:
            self._put(path, text)
            return ""
        if way == 6:
            self._put("/opt/file", text)
            return self._one(
                f"cp /opt/file {path}",
                f"install -D -m 644 /opt/file {path}",
                f"cat /opt/file >> {path}",
                f"mv /opt/file {path}",
            )
        if way > 8 and not many and not {"'", '"', "$"} & {*text}:
            return self._indirectly(path, text)
        if way == 7 and "'" not in text and '"' not in text:
            return f"sh -c 'echo \"{text}\" > {path}'" if not many else f'echo "{text}" > {path}'
        return "{ " + " ".join(f"echo '{each}';" for each in quoted.split("\n")) + " } > " + path

    def _indirectly(self, path: str, text: str) -> str:
        """A command that writes a plain line to a file by other programs and names."""
        folder, _, name = path.rpartition("/")
        self._links += 1
        link = f"/opt/link{self._links}"
        writes = f"echo '{text}' > {path}"
        encoded = b64encode(f"{text}\n".encode()).decode()
        return self._one(
            f"ln -s {folder} {link} && echo '{text}' > {link}/{name}",
            f"touch {link} && rm -f {path} && ln -s {link} {path} && echo '{text}' > {link}",
            f"echo {encoded} | base64 -d > {path}",
            f'eval "{writes}"',
            f"eval command {writes}",
            f'trap "{writes}" EXIT',
            f'chroot / sh -c "{writes}"',
            f'runuser -u root -- sh -c "{writes}"',
            f'flock /tmp sh -c "{writes}"',
            f"( cd {folder} && echo '{text}' | dd of={name} status=none )",
            f"cd {folder}; cd /; cd -; echo '{text}' | install -m 644 /dev/stdin {name}; cd /",
            f"find {folder} -maxdepth 0 -exec sh -c \"{writes}\" ';'",
            f'perl -e \'open(F, ">{path}"); print F "{text}\\n"\'',
        )

    def _source(self) -> str:
        deb822 = self._random.random() < 0.4
        names = (
            ("r0.sources", "x.sources", "y.sources", "x.list")
            if deb822
            else ("r0.list", "x.list", "y.list", "x.sources")
        )
        name = self._random.choice(
            [
                *names[:3] * 5,
                names[3],
                "x.list.save",
                "x",
                ".x.list",
                "x y.list".replace(" ", "-"),
                "x_1.list",
            ]
        )
        path = f"{APT}/sources.list.d/{name}"
        if not deb822 and self._random.random() < 0.3:
            path = self._one(f"{APT}/sources.list", f"{APT}/other.list", "/opt/parts/x.list")
        if path.startswith("/opt/parts") and self._random.random() < 0.8:
            return f"mkdir -p /opt/parts\n{self._written(path, self._line())}"
        text = self._stanza() if deb822 else self._line()
        if self._random.random() < 0.25:
            text += f"\n\n{self._stanza()}" if deb822 else f"\n{self._line()}"
        return self._written(path, text)

    def _preference(self) -> str:
        names = ("x", "x.pref", "50x", "x-y.pref", "x.txt", "a.b.pref", "x.pref.bak")
        path = f"{APT}/preferences.d/{self._random.choice(names[:4] * 3 + names[4:])}"
        text = self._pin() + (f"\n\n{self._pin()}" if self._random.random() < 0.3 else "")
        return self._written(self._one(path, path, path, f"{APT}/preferences"), text)

    def _setting(self) -> str:
        path = f"{APT}/apt.conf.d/{self._one('99x', 'x.conf', '00x', 'x.bak', 'y-z.conf', 'x.y')}"
        return self._written(self._one(path, path, path, f"{APT}/apt.conf"), self._conf())

    def _edit(self) -> str:
        return self._one(
            f"sed -i 's/^Components: main$/Components: main contrib/' {OWN}",
            f"sed -i -e 's/bookworm-updates//' -e 's/Types: deb$/Types: deb deb-src/' {OWN}",
            f"sed -i 's|{DEB}$|{X}|;s/Signed-By: .*/Signed-By: {ESCAPED}/' {OWN}",
            f"sed -i '/security/,$d' {OWN}",
            f"sed -i 's/bookworm/trixie/g' {OWN}",
            f"sed -i 's/^Suites: \\(.*\\)$/Suites: \\1 bookworm-backports/' {OWN}",
            f"sed -ri 's/^(Suites:.*)$/\\1 bullseye/;T' {OWN}",
            f"sed -i '1,/^$/{{s/main/main contrib/}}' {OWN}",
            f"sed -i 's/main/contrib/' {APT}/sources.list.d/*.list || true",
            f"[ ! -f {APT}/sources.list ] || sed -i 's/^deb /deb [signed-by={ESCAPED}] /' {APT}/sources.list",
            f"find {APT}/sources.list.d -name '*.list' -exec sed -i 's/main/main extra/' {{}} +",
            f"echo >> {OWN} && sed -i '$d' {OWN}",
            f"awk '{{gsub(/bookworm-updates/, \"bookworm-backports\"); print}}' {OWN} > /tmp/s && mv /tmp/s {OWN}",
            f"grep -v '^#' {OWN} > /tmp/s && cp /tmp/s {OWN}",
            f"sed -i 's/^Types:/Enabled: no\\nTypes:/' {OWN}",
            f"sed '/^Components/s/$/ contrib/' {OWN} > {APT}/sources.list.d/more.sources",
        )

    def _removal(self) -> str:
        return self._one(
            f"rm -f {APT}/sources.list.d/x.list",
            f"rm -rf {APT}/sources.list.d/*.list",
            f"rm -f {APT}/preferences.d/*",
            f"rm -rf {APT}/apt.conf.d/*",
            f"mv {APT}/sources.list.d/r0.list {APT}/sources.list.d/r0.list.off 2> /dev/null || true",
            f"cp /dev/null {APT}/sources.list",
            f": > {APT}/sources.list.d/r0.list",
            f"truncate -s 0 {APT}/sources.list.d/y.list",
            "rm -rf /var/lib/apt/lists/*",
            f"rm {OWN} && echo 'deb [signed-by={SIGNED}] {DEB} bookworm main' > {APT}/sources.list",
            f"find {APT} -name '*.list' -delete",
            "apt-get clean",
        )

    def _condition(self) -> str:
        inner = self._simple()
        return self._one(
            f'if [ "$(dpkg --print-architecture)" = amd64 ]; then {inner}; fi',
            f'if [ "$(dpkg --print-architecture)" = arm64 ]; then {inner}; else {self._simple()}; fi',
            f"if [ -f {APT}/sources.list.d/x.list ]; then {inner}; fi",
            f"if grep -q bookworm /etc/os-release; then {inner}; else exit 1; fi",
            f"case $(. /etc/os-release; echo $VERSION_ID) in 11) {self._simple()};; 12|13) {inner};; *) exit 1;; esac",
            f"test -e /nothing/here || {inner}",
            f'[ -n "$UNSET" ] || {inner}',
            f"if [ -e /nothing/here ]; then {inner}; fi",
            f"[ -d {APT}/preferences.d ] && {inner}",
            f"! false && {inner}",
            f"( cd {APT} && {inner} )",
        )

    def _simple(self) -> str:
        line = next(line for line in iter(self._line, None) if "\t" not in line)
        return f"echo '{line}' > {APT}/sources.list.d/{self._one('r0', 'x', 'c')}.list"

    def _function(self) -> str:
        name = self._one("add_source", "repo")
        return (
            f'{name}() {{ echo "deb [signed-by=$1] $2 $3 ${{4:-main}}" '
            + f"{self._one('>', '>>')} {APT}/sources.list.d/$5.list; }}\n"
            + f"{name} {KEY} {X} {self._one('a', 'b')} {self._one('main', 'extra')} f\n"
            + self._maybe(f"{name} {SIGNED} {DEB} trixie '' g")
        )

    def _loop(self) -> str:
        return self._one(
            f"for s in bookworm-backports {self._one('trixie', 'bullseye')}; do "
            f'echo "deb [signed-by={SIGNED}] {DEB} $s main" >> {APT}/sources.list.d/loop.list; done',
            f"for s in a b; do printf 'deb [signed-by=%s] {X} %s main\\n' {KEY} $s "
            f"> {APT}/sources.list.d/$s.list; done",
            f"for f in {APT}/sources.list.d/*.sources; do sed -i 's/main/main contrib/' \"$f\"; done",
            f"printf 'a main\\nb extra\\n' | while read -r s c; do "
            f'echo "deb [signed-by={KEY}] {X} $s $c" >> {APT}/sources.list.d/w.list; done',
            f"echo bookworm-backports | xargs -I{{}} echo 'deb [signed-by={SIGNED}] {DEB} {{}} main' "
            f"> {APT}/sources.list.d/g.list",
        )

    def _script(self) -> str:
        inner = self._random.choice(
            [self._source, self._edit, self._preference, self._loop, self._function]
        )()
        if not inner:
            return ""
        name = f"s{len(self.made.files)}.sh"
        self.made.files[name] = f"#!/bin/sh\nset -e\n{inner}\n"
        self._flush()
        self.made.instructions.append(("COPY", f"{name} /opt/{name}"))
        return self._one(f"sh /opt/{name}", f"sh -e /opt/{name}", f". /opt/{name}", f"cd /opt && sh ./{name}")


def make(seed: int) -> Made:
    """The stage of a seed."""
    return Maker(Random(seed)).make()
