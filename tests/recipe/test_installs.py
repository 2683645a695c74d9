"""Finding install calls and their packages in a Dockerfile, and pinning them."""

from __future__ import annotations

import pytest

from pinner.edit.span import apply
from pinner.recipe.dockerfile import parse
from pinner.recipe.installs import Install, Request, Skipped, find, pin


def found(body: str, head: str = "FROM debian\n") -> list[Install | Skipped]:
    """What stands in one RUN."""
    text = f"{head}RUN {body}"
    result = list(find(parse(text)))
    for call in result:
        if isinstance(call, Install):
            assert all(request.word.span.of(text) == request.word.raw for request in call.requests)
    return result


def words(body: str) -> list[list[str]]:
    return [[r.word.raw for r in call.requests] for call in found(body) if isinstance(call, Install)]


def reasons(body: str) -> list[str]:
    return [call.reason for call in found(body) if isinstance(call, Skipped)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("sudo", ""),
        ("sudo -E", ""),
        ("sudo -u root -H", ""),
        ("sudo --user=root --", ""),
        ("sudo A=b C=d", ""),
        ("A=b", ""),
        ('A="b c" D=e', ""),
        ("env A=b", ""),
        ("env -u X - A=b", ""),
        ("/usr/bin/env", ""),
        ("eatmydata", ""),
        ("nice -n 5", ""),
        ("ionice -c3 nice", ""),
        ("exec", ""),
        ("command", ""),
        ("command -p", ""),
        ("time", ""),
        ("time -p", ""),
        ("timeout 30", ""),
        ("timeout -k 5 --signal=INT 30", ""),
        ("!", ""),
        ("nohup", ""),
        ("sudo timeout 3 eatmydata", ""),
        ("$SUDO", ""),
        ('"$SUDO" env A=b', ""),
        ("gosu root", ""),
        ("stdbuf -oL", ""),
        ("> /dev/null", ""),
        ("a &&", ""),
        ("a ;", ""),
        ("a ||", ""),
        ("a |", ""),
        ("a &", ""),
        ("a 2>&1 &&", ""),
        ("[ -f x ] &&", ""),
        ("[[ -f x ]] &&", ""),
        ("[ ! -w / ] &&", ""),
        ("if [ $a -ne 0 ] || [ dpkg $(b) '<<' \"$c\" ]; then x; fi;", ""),
        ("(( find /x -name a || true )) &&", ""),
        ("for ((i = 0; i < 3; i++)); do x; done;", ""),
        ("`# a comment; b` ", ""),
        ("for x in a; do if b; then c; fi done;", ""),
        ("for x in a; do case x in a) b ;; esac   done;", ""),
        ("f() { case x in a) b;; esac };", ""),
        ("export A=b;", ""),
        ("set -eux;", ""),
        ("(a;", ")"),
        ("{ a;", "; }"),
        ("if", "; then x; fi"),
        ("if ! ", "; then x; fi"),
        ("if a; then", "; fi"),
        ("if a; then b; else", "; fi"),
        ("while", "; do x; done"),
        ("until a; do", "; done"),
        ("for x in a b; do", "; done"),
        ("case x in a)", ";; esac"),
        ("f() {", "; }"),
        ("function f {", "; }"),
    ],
)
def test_a_call_is_found_between(before: str, after: str) -> None:
    assert words(f"{before} apt-get install x y{after}") == [["x", "y"]]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("apt install a", [["a"]]),
        ("/usr/bin/apt-get install a", [["a"]]),
        ("'apt-get' \"install\" a", [["a"]]),
        ("apt-get install a; apt-get install b", [["a"], ["b"]]),
        ("apt-get install a && apt-get install -y b || apt install c", [["a"], ["b"], ["c"]]),
        ("apt-get install a # b", [["a"]]),
        ("apt-get install `# b` a \\\n  `#c` \\\n  d`#e`", [["a", "d"]]),
        ("apt-get install a > x b 2>&1 c", [["a", "b", "c"]]),
        ("apt-get install a >/dev/null", [["a"]]),
        ("apt-get install a </dev/null b | tee x", [["a", "b"]]),
        ("apt-get > x install a", [["a"]]),
        ("true && apt-get > x install a", [["a"]]),
        ("sudo > x apt-get install a", [["a"]]),
        ("apt-get install a <<< x b", [["a", "b"]]),
        ("apt-get install \\\n  a \\\n  # c\n  b \\\n && x", [["a", "b"]]),
        ("apt-get install \\\n  a \\ \n\n  b", [["a", "b"]]),
        ("apt-get install a && echo 'it''s' \"a;b\" ; x", [["a"]]),
        ("echo é 'ü' && apt-get install a", [["a"]]),
        ("apt-get install a\\ b", [["a\\ b"]]),
        ("apt-get install a \\  b", [["a", "\\ ", "b"]]),
        ("apt-get install a \\ \\\n b && x", [["a", "\\ ", "b"]]),
        ("apt-get install a \\ && apt-get install b", [["a", "\\ "], ["b"]]),
        ("echo '\\' && apt-get install a '\\ ' b", [["a", "'\\ '", "b"]]),
        ("apt-get install \\\\ a", [["\\\\", "a"]]),
        ("apt-get install a;b", [["a"]]),
        ("apt-get install a&&apt-get install b", [["a"], ["b"]]),
        ("apt-get install", [[]]),
        (
            "apt-get install a${{ b && format('-{0}', c) || '' }}-d e",
            [["a${{ b && format('-{0}', c) || '' }}-d", "e"]],
        ),
        ("apt-get install [ a ] (", []),
        ('apt-get install "`ls [ a ]`" b', [['"`ls [ a ]`"', "b"]]),
        ("for x in a; do if b; then { ( apt-get install c ) ; } ; fi; done", [["c"]]),
        ('apt-get install a${X}b \'c\' "d" e"f"g', [["a${X}b", "'c'", '"d"', 'e"f"g']]),
        ("<<EOF cat && apt-get install a\nx\nEOF", [["a"]]),
        ("cat <<EOF > x && apt-get install a\nx\nEOF", [["a"]]),
        # Nothing of this is a call.
        ("echo apt-get install a", []),
        ("echo 'apt-get install a'", []),
        ("echo a # apt-get install a", []),
        ("cat <<< 'apt-get install a'", []),
        ("grep 'apt-get install' x", []),
        ("apt-get update", []),
        ("apt-get remove install", []),
        ("apt-get --install a", []),
        ("apt-cache install a", []),
        ("apt-get-install a", []),
        ("command -v apt-get install", []),
        ("x=apt-get", []),
        ("cat <<EOF > x\napt install\nEOF", []),
    ],
)
def test_calls(body: str, expected: list[list[str]]) -> None:
    assert words(body) == expected


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('eval "apt-get install $X" b', "string"),
        ("x=$(apt-get install a)", "command-substitution"),
        ("echo `apt-get install a`", "command-substitution"),
        ("xargs apt-get install < x", "xargs"),
        ("cat x | xargs -r < y apt-get install", "xargs"),
        ("chroot /x apt-get install a", "chroot"),
        ("apt satisfy -y 'a (>= 1)'", "satisfy"),
        ("apt-get build-dep a", "build-dep"),
        ("apt-get update && apt-get -y upgrade", "upgrade"),
        ("apt-get dist-upgrade", "upgrade"),
        ("apt-get -s upgrade", ""),
        ("dpkg -i a.deb", "dpkg"),
        ("dpkg --print-architecture && dpkg -l", ""),
        ("gdebi -n a.deb", "gdebi"),
        ("mk-build-deps -ir debian/control", "mk-build-deps"),
        ("mk-build-deps debian/control", ""),
        ("tasksel install ssh-server", "tasksel"),
        ("debootstrap --include=a x /y", "debootstrap"),
        ("mmdebstrap --include a x /y", "mmdebstrap"),
        ("debootstrap x /y", ""),
        ("again install_packages a", "wrapper"),
        ("again 3 apt-get install a", "wrapper"),
        ('f() { bash -c "$*"; }; f apt-get install a', "wrapper"),
        ('f() { eval "$1"; }; f "apt-get -y upgrade"', "wrapper"),
        ('f() { "$@"; }; f dpkg -i a.deb', "dpkg"),
        ('docker exec x /bin/bash -c "apt-get install a"', "wrapper"),
        ('chroot /x sh -c "apt-get install a"', "chroot"),
        ("docker compose exec -T x dpkg -i a.deb", "wrapper"),
        ("podman exec x apt-get -y upgrade", "wrapper"),
        ("lxc exec x -- gdebi a.deb", "wrapper"),
        ("chroot /x dpkg --unpack a.deb", "chroot"),
        ("ssh x sudo dpkg -i a.deb", "string"),
        ("ls *.deb | xargs dpkg -i", "dpkg"),
        ("dpkg --force-all --root=/x -iR a", "dpkg"),
        ('ansible all -b -a "apt-get install a"', "wrapper"),
        ("ansible all -m ansible.builtin.apt -a name=a", "wrapper"),
        ("ansible all --module-name=apt --args 'pkg=a state=present'", "wrapper"),
        ("ansible all -m copy -a 'src=apt name=a'", ""),
        ("qemu-debootstrap --include=a x /y", "debootstrap"),
        ("unattended-upgrade -d", "upgrade"),
        ('in_root "DEBIAN_FRONTEND=x apt-get install a"', "wrapper"),
        ('run "cd x && dpkg -i a.deb"', "wrapper"),
        ('fail_with "apt-get install -y a"', ""),
        ("dnf install gdebi dpkg", ""),
        (r"printf '#!/bin/sh\napt-get install -y a\n' > /i && sh /i", "string"),
        ("echo 'apt-get install a' > /bin/i; chmod +x /bin/i; i", "string"),
        ("echo 'apt-get install a' > /README; i", ""),
        ('git commit -m "apt-get install a"', ""),
        ("python <<E\nrun('dpkg -i a.deb')\nE", "heredoc"),
        ('X="apt-get install -y b" && $X a', "variable-command"),
        ('X="apt-get install -y a" make', "variable-command"),
        ("apt-get $X a", "variable-unknown"),
        ("apt-get $X update", ""),
        ("apt-get $X", "variable-unknown"),
        ("<<EOF\napt-get install a", "unparsable"),
        ("bash <<EOF\nread x\napt-get install a\nEOF", "heredoc"),
        ("apt-get install 'a", "unparsable"),
        ('apt-get install "a', "unparsable"),
        ("apt-get install a (", "unparsable"),
        ("if apt-get install a", "unparsable"),
        ("apt-get install a - 2>&1", "unparsable"),
    ],
)
def test_what_is_skipped_whole(body: str, reason: str) -> None:
    assert reasons(body) == ([reason] if reason else [])


@pytest.mark.parametrize(
    ("call", "command"),
    [
        ("apt-get reinstall -y a b", "apt-get reinstall"),
        ("apt-get install --reinstall a b", "apt-get install"),
        ("apt-fast install -y a b", "apt-fast install"),
        ("nala install --raw-dpkg -y a b", "nala install"),
        ("install_packages a b", "install_packages"),
        ("apt-get download a b", "apt-get download"),
        ("aptitude install -y a b", "aptitude install"),
        ("eatmydata apt-get install a b", "apt-get install"),
        ("retry -t 3 apt-get install a b", "apt-get install"),
        ("retry 3 apt-get install a b", "apt-get install"),
        ("xvfb-run -a -s '-ac' apt-get install a b", "apt-get install"),
        ("setarch i686 apt-get install a b", "apt-get install"),
        ("su - x -c 'apt-get install a b'", "apt-get install"),
        ("runuser -u x --command 'apt-get install a b'", "apt-get install"),
    ],
)
def test_commands_whose_words_may_have_versions(call: str, command: str) -> None:
    (found,) = find(parse(f"FROM debian:12\nRUN {call}\n"))
    assert isinstance(found, Install)
    assert (found.command, [each.name for each in found.requests if each.action == "pin"]) == (
        command,
        ["a", "b"],
    )


def test_what_stands_beside_xargs_is_read() -> None:
    skipped, found = find(parse("FROM debian:12\nRUN sudo xargs -r apt-get install -y curl < x\n"))
    assert isinstance(skipped, Skipped) and skipped.reason == "xargs"
    assert isinstance(found, Install) and [each.name for each in found.requests] == ["curl"]
    (skipped,) = find(parse("FROM debian:12\nRUN xargs -I{} apt-get install -y {} curl < x\n"))
    assert isinstance(skipped, Skipped) and skipped.reason == "xargs"


def test_the_rest_is_read_beside_what_is_skipped() -> None:
    text = "FROM a\nRUN apt-get install a\nRUN apt-get install 'b\nRUN apt-get install c\n"
    first, second, third = find(parse(text))
    assert isinstance(first, Install)
    assert isinstance(second, Skipped)
    assert isinstance(third, Install)


@pytest.mark.parametrize(
    ("shell", "read"),
    [
        ('["bash", "-c"]', True),
        ('["/bin/bash", "-o", "pipefail", "-c"]', True),
        ('["conda", "run", "-n", "x", "/bin/bash", "-c"]', True),
        ('["powershell", "-c"]', False),
        ('["C:\\\\x\\\\PowerShell.exe", "-c"]', False),
        ('["cmd", "/S", "/C"]', False),
    ],
)
def test_shell_instruction(shell: str, read: bool) -> None:
    for head in (f"FROM a\nSHELL {shell}\n", f"FROM a AS b\nSHELL {shell}\nFROM b\n"):
        (call,) = found("apt-get install a", head)
        assert isinstance(call, Install) is read


def test_variables_that_hold_a_call_are_named() -> None:
    (call,) = find(parse('FROM a\nENV X="apt-get install -y a"\nRUN $X b'))
    assert isinstance(call, Skipped)
    assert call.reason == "variable-command"


@pytest.mark.parametrize(
    ("word", "kind", "action", "reason", "name", "arch", "pinned", "release"),
    [
        ("curl", "plain", "pin", "", "curl", "", "", ""),
        ("'curl'", "plain", "pin", "", "curl", "", "", ""),
        ('cu"r"l', "plain", "pin", "", "curl", "", "", ""),
        ("c\\url", "plain", "pin", "", "curl", "", "", ""),
        ("g++", "plain", "pin", "", "g++", "", "", ""),
        ("g++-12", "plain", "pin", "", "g++-12", "", "", ""),
        ("libstdc++6", "plain", "pin", "", "libstdc++6", "", "", ""),
        ("python3.11", "plain", "pin", "", "python3.11", "", "", ""),
        ("Curl", "plain", "pin", "", "Curl", "", "", ""),
        ("foo.deb", "plain", "pin", "", "foo.deb", "", "", ""),
        ("curl:arm64", "arch", "pin", "", "curl", "arm64", "", ""),
        ("g++:any", "arch", "pin", "", "g++", "any", "", ""),
        ("curl=7.88.1-10", "pinned", "keep", "", "curl", "", "7.88.1-10", ""),
        ("curl=7.*", "pinned", "keep", "", "curl", "", "7.*", ""),
        ("'curl=7.*'", "pinned", "keep", "", "curl", "", "7.*", ""),
        ('curl="7.*"', "pinned", "keep", "", "curl", "", "7.*", ""),
        ("curl:arm64=1:2", "pinned", "keep", "", "curl", "arm64", "1:2", ""),
        ("curl=", "other", "skip", "refused", "curl", "", "", ""),
        ("curl=$V", "variable", "skip", "variable-pin", "curl", "", "", ""),
        ('"curl=${V}*"', "variable", "skip", "variable-pin", "curl", "", "", ""),
        ("curl:arm64=$V", "variable", "skip", "variable-pin", "curl", "arm64", "", ""),
        ("postgresql-$M=$V", "variable", "skip", "variable-pin", "", "", "", ""),
        ("curl/sid", "suite", "skip", "release", "curl", "", "", "sid"),
        ("curl/bookworm-backports", "suite", "skip", "release", "curl", "", "", "bookworm-backports"),
        ("curl-", "suffix", "skip", "removal", "curl", "", "", ""),
        ("g++-", "suffix", "skip", "removal", "g++", "", "", ""),
        ("ncbi-blast+", "plain", "pin", "", "ncbi-blast+", "", "", ""),
        ("standard^", "task", "skip", "task", "standard", "", "", ""),
        ("~ncurl", "pattern", "skip", "pattern", "", "", "", ""),
        ("'?name(curl)'", "pattern", "skip", "pattern", "", "", "", ""),
        ("libssl*", "glob", "skip", "glob", "", "", "", ""),
        ("'libssl?'", "glob", "skip", "glob", "", "", "", ""),
        ("php8.[12]", "glob", "skip", "glob", "", "", "", ""),
        ("'^curl$'", "other", "skip", "regex", "", "", "", ""),
        ("./x.deb", "file", "skip", "file", "", "", "", ""),
        ("/x/y.deb", "file", "skip", "file", "", "", "", ""),
        ("/x/$y.deb", "file", "skip", "file", "", "", "", ""),
        ("$X", "variable", "skip", "variable-unknown", "", "", "", ""),
        ('"${X[@]}"', "variable", "skip", "variable-unknown", "", "", "", ""),
        ("curl$X", "variable", "skip", "variable-unknown", "", "", "", ""),
        ("$(cat x)", "other", "skip", "command-substitution", "", "", "", ""),
        ("`cat x`", "other", "skip", "command-substitution", "", "", "", ""),
        ("linux-headers-$(uname -r)", "other", "skip", "command-substitution", "", "", "", ""),
        ("a$((1+1))", "other", "skip", "expansion", "", "", "", ""),
        ("python3{,-dev}", "brace", "skip", "brace", "", "", "", ""),
        ("{a,b}", "brace", "skip", "brace", "", "", "", ""),
        ("a{1..3}", "brace", "skip", "brace", "", "", "", ""),
        ("foo\\\nbar", "other", "skip", "split-word", "", "", "", ""),
        ("$(foo \\\n  bar)", "other", "skip", "command-substitution", "", "", "", ""),
        ("{{x}}", "other", "skip", "template", "", "", "", ""),
        ("{{ x }}", "other", "skip", "template", "", "", "", ""),
        ("<%= x %>", "other", "skip", "template", "", "", "", ""),
        ("@X@", "other", "skip", "template", "", "", "", ""),
        ("%%X%%-dev", "other", "skip", "template", "", "", "", ""),
        ("a,b", "other", "skip", "not-a-name", "", "", "", ""),
    ],
)
def test_kinds(
    word: str, kind: str, action: str, reason: str, name: str, arch: str, pinned: str, release: str
) -> None:
    (call,) = found(f"apt-get install {word} \\\n last")
    assert isinstance(call, Install)
    request, last = call.requests
    assert request.word.raw == word
    assert last.name == "last"
    assert (request.kind, request.action, request.reason) == (kind, action, reason)
    assert (request.name, request.arch, request.pin, request.release) == (name, arch, pinned, release)
    assert bool(request.detail) == (action == "skip")


@pytest.mark.parametrize(
    ("word", "version", "expected"),
    [
        ("curl", "1:2-3~x+b1", "curl=1:2-3~x+b1"),
        ("curl", "1:2-3*", 'curl="1:2-3*"'),
        ("'curl'", "1:2-3*", "'curl=1:2-3*'"),
        ('"curl"', "1:2-3*", '"curl=1:2-3*"'),
        ('cu"rl"', "1*", 'cu"rl=1*"'),
        ('"cu"rl', "1*", '"cu"rl="1*"'),
        ("cu\\rl", "1*", 'cu\\rl="1*"'),
        ("curl:arm64", "1", "curl:arm64=1"),
        ("g++", "4:12", "g++=4:12"),
    ],
)
def test_pin(word: str, version: str, expected: str) -> None:
    text = f"FROM a\nRUN apt-get install é {word}\\\n  b && c"
    call = find(parse(text))[0]
    assert isinstance(call, Install)
    edits = pin(text, {call.requests[1]: version})
    assert apply(text, edits) == text.replace(word + "\\\n", expected + "\\\n")


def test_pin_refuses_what_is_not_there() -> None:
    call = find(parse("FROM a\nRUN apt-get install a $b"))[0]
    assert isinstance(call, Install)
    with pytest.raises(ValueError, match="not to be pinned"):
        pin("FROM a\nRUN apt-get install c $b", {call.requests[0]: "1"})
    with pytest.raises(ValueError, match="not to be pinned"):
        pin("FROM a\nRUN apt-get install a $b", {call.requests[1]: "1"})


def test_a_call_says_what_it_is() -> None:
    text = "FROM a\nRUN sudo apt-get -qq install -t sid --no-install-recommends -o A=b curl; x"
    (call,) = find(parse(text))
    assert isinstance(call, Install)
    assert call.command == "apt-get install"
    assert call.span.of(text) == text[text.index("apt-get") : text.index(";")]
    assert [option.raw for option in call.options] == [
        "-qq",
        "-t",
        "sid",
        "--no-install-recommends",
        "-o",
        "A=b",
    ]
    assert (call.recommends, call.suggests, call.target_release) == (False, None, "sid")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("apt-get install --nonsense a", "refused"),
    ],
)
def test_a_call_may_make_all_its_words_skipped(body: str, reason: str) -> None:
    (call,) = found(body)
    assert isinstance(call, Install)
    assert [(r.name, r.action, r.reason) for r in call.requests] == [("a", "skip", reason)]


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        ("RUN apt-get install a \\\nRUN x", " swallowed swallowed"),
        ("RUN apt-get install a \\\n\n  COPY . /x", " swallowed swallowed swallowed"),
        ('RUN apt-get install a \\\nCMD ["x"]', " swallowed swallowed"),
        ("RUN apt-get install a RUN", " "),
        ("RUN apt-get install a \\\n run", " "),
        ("RUN apt-get install wget\\\ngit", "split-word"),
    ],
)
def test_likely_mistakes_are_told(text: str, reasons: str) -> None:
    calls = find(parse(f"FROM x\n{text}"))
    requests = [request for call in calls if isinstance(call, Install) for request in call.requests]
    assert " ".join(request.reason for request in requests) == reasons


@pytest.mark.parametrize(
    ("word", "made"),
    [
        ("python3{,-dev}", "python3 python3-dev"),
        ("{a,b}{1,2}", "a1 a2 b1 b2"),
        ("a{b{1,2},c}", "ab1 ab2 ac"),
        ("a{1..3}", "a1 a2 a3"),
        ("{a,b}" * 50, "several arguments"),
    ],
)
def test_braces_are_shown(word: str, made: str) -> None:
    (call,) = found(f"apt-get install {word}")
    assert isinstance(call, Install)
    assert call.requests[0].detail == f"bash makes {made} of it, sh does not"


def pins(text: str) -> list[str]:
    """The names that may be pinned in `text`."""

    def of(call: Install | Skipped) -> tuple[Request, ...]:
        return call.requests if isinstance(call, Install) else ()

    return [r.name for call in find(parse(text)) for r in of(call) if r.action == "pin"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# pinner: ignore\nRUN apt-get install a b", ""),
        ("# pinner: ignore\n# because\nRUN apt-get install a b", ""),
        ("# pinner: ignore\n\nRUN apt-get install a b", "a b"),
        ("# pinner: ignore\nRUN x\nRUN apt-get install a b", "a b"),
        ("RUN apt-get install \\\n a \\\n # pinner: ignore\n b c \\\n d", "a d"),
        ("RUN apt-get install \\\n a \\\n # pinner: ignore\n # because\n b c \\\n d", "a d"),
        ("RUN apt-get install \\\r\n a \\\r\n #pinner:ignore\r\n b c \\\r\n d", "a d"),
        ("RUN apt-get install \\\n a \\\n b # pinner: ignore", "a"),
        ("RUN apt-get install a # pinner: ignore", ""),
        ("RUN apt-get install \\\n a \\\n # pinner: ignore", "a"),
    ],
)
def test_ignore(text: str, expected: str) -> None:
    assert pins("FROM x\n" + text) == expected.split()


@pytest.mark.parametrize(
    "call",
    ["again apt-get install", "again 3 sudo apt-get install", "sh -e /x/again apt-get install", "lazy"],
)
def test_wrappers(call: str) -> None:
    calls = find(parse(f"FROM debian\nRUN {call} -y a"), {"again": "", "lazy": "apt-get install"})
    assert [r.name for each in calls if isinstance(each, Install) for r in each.requests] == ["a"]
