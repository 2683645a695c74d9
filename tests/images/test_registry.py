"""Images read from a registry: what comes out, what is asked for, and what mischief leads to."""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pinner.archive.cache import Cache
from pinner.archive.network import Network
from pinner.errors import FetchError, InputError, PinnerError, TrustError
from pinner.images.image import Image
from pinner.images.registry import Limit
from pinner.images.registry import Registry as Client
from tests.registry import (
    DOCKER,
    OCI,
    OCI_INDEX,
    Content,
    Registry,
    Reply,
    Request,
    digest,
    index,
    make,
    packed,
    serve,
    tar,
)

NOW = datetime(2026, 8, 24, 12, tzinfo=UTC)
STATUS = "Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2-1\n"
SOURCES = "Types: deb\nURIs: http://deb.debian.org/debian\nSuites: bookworm\nComponents: main\n"
OS_RELEASE = 'ID=debian\nVERSION_CODENAME=bookworm\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n'
BOOKWORM = "# debian.sh --arch 'amd64' out/ 'bookworm' '@1721606400'"
BASE: dict[str, Content] = {
    "etc/": None,
    "etc/os-release": ("->", "../usr/lib/os-release"),
    "usr/lib/os-release": OS_RELEASE,
    "etc/apt/sources.list.d/debian.sources": SOURCES,
    "etc/apt/apt.conf.d/docker-clean": 'Dir::Cache::pkgcache "";\n',
    "var/lib/dpkg/status": STATUS,
    "usr/bin/bash": "x" * 10_000,
}


@pytest.fixture
def registry() -> Iterator[Registry]:
    with serve(Registry()) as stand_in:
        yield stand_in


@pytest.fixture
def other() -> Iterator[Registry]:
    with serve(Registry()) as stand_in:
        yield stand_in


def client(registry: Registry, path: Path, **options: Any) -> Client:
    own: dict[str, Any] = {"insecure": [registry.host]}
    own |= {name: options.pop(name) for name in ("logins", "insecure", "hasty") if name in options}
    settings: dict[str, Any] = {"now": NOW, "wait": lambda seconds: None}
    return Client(Network(Cache(path / "cache"), **settings | options), **own)


def inspect(registry: Registry, path: Path, name: str = "app:1", platform: str = "linux/amd64") -> Image:
    return client(registry, path).inspect(f"{registry.host}/{name}", platform)


# --- what comes out


@pytest.mark.parametrize("media_type", [DOCKER, OCI])
@pytest.mark.parametrize("packing", ["gzip", "zstd", "plain"])
def test_an_image(registry: Registry, tmp_path: Path, media_type: str, packing: str) -> None:
    made = make(BASE, media_type=media_type, packing=packing, history=[BOOKWORM, "CMD bash"])
    registry.put("app:1", made)
    assert inspect(registry, tmp_path) == Image(
        reference=f"{registry.host}/app:1",
        platform="linux/amd64",
        digest=made.digest,
        index_digest="",
        distribution="debian",
        suite="bookworm",
        suite_from="history",
        size=sum(map(len, made.layers)),
        status=STATUS,
        sources=(("/etc/apt/sources.list.d/debian.sources", SOURCES),),
        apt_conf=(("/etc/apt/apt.conf.d/docker-clean", 'Dir::Cache::pkgcache "";\n'),),
        preferences=(),
    )


def test_layers_hide_what_lies_below(registry: Registry, tmp_path: Path) -> None:
    top: dict[str, Content] = {
        "etc/apt/sources.list.d/.wh.debian.sources": "",
        "etc/apt/sources.list": "deb http://x y z\n",
        "etc/apt/apt.conf.d/.wh..wh..opq": "",
        "etc/apt/apt.conf.d/99new": "A 1;\n",
        "var/lib/dpkg/status": STATUS.replace("5.2-1", "5.2-2"),
    }
    registry.put("app:1", make(BASE, top))
    image = inspect(registry, tmp_path)
    assert image.status == STATUS.replace("5.2-1", "5.2-2")
    assert image.sources == (("/etc/apt/sources.list", "deb http://x y z\n"),)
    assert image.apt_conf == (("/etc/apt/apt.conf.d/99new", "A 1;\n"),)
    assert (image.suite, image.suite_from) == ("bookworm", "os-release")


def test_reading_stops_where_nothing_below_can_matter(registry: Registry, tmp_path: Path) -> None:
    top = {
        **BASE,
        "etc/apt/.wh..wh..opq": "",
        "etc/apt/sources.list": "",
        "var/lib/dpkg/.wh..wh..opq": "",
        "var/lib/apt/.wh..wh..opq": "",
    }
    made = make({"big": "x" * 100}, top)
    registry.put("app:1", made)
    assert inspect(registry, tmp_path).suite == "bookworm"
    assert not registry.asked(digest(made.layers[0]))


def test_without_layers_only_the_configuration_is_read(registry: Registry, tmp_path: Path) -> None:
    made = make(BASE, history=[BOOKWORM])
    registry.put("app:1", made)
    image = client(registry, tmp_path).inspect(f"{registry.host}/app:1", "linux/amd64", limit=Limit(0, 0))
    assert (image.suite, image.status, image.sources) == ("bookworm", "", ())
    assert not registry.asked(digest(made.layers[0]))


def test_distroless(registry: Registry, tmp_path: Path) -> None:
    registry.put(
        "app:1",
        make(
            {
                "./usr/lib/os-release": 'ID="debian"\nVERSION="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\n',
                "./var/lib/dpkg/status.d/base": "Package: base-files\nVersion: 12\nArchitecture: amd64\n",
                "./var/lib/dpkg/status.d/base.md5sums": "0  x\n",
            },
            {"./var/lib/dpkg/status.d/tzdata": "Package: tzdata\nVersion: 2024a\nArchitecture: all"},
        ),
    )
    image = inspect(registry, tmp_path)
    assert image.suite == "bookworm"
    assert image.status == (
        "Package: base-files\nVersion: 12\nArchitecture: amd64\n\nPackage: tzdata\nVersion: 2024a\nArchitecture: all\n"
    )


@pytest.mark.parametrize(
    ("links", "expected"),
    [
        ({"etc/apt/sources.list": ("->", "/opt/my.list"), "opt/my.list": "mine"}, "mine"),
        ({"etc/apt/sources.list": ("->", "../../../../opt/my.list"), "opt/my.list": "mine"}, "mine"),
        # A directory on the way is a link too; the file is found at the third look.
        (
            {"etc/apt/sources.list": ("->", "/opt/my.list"), "opt": ("->", "srv"), "srv/my.list": "mine"},
            "mine",
        ),
        # Hard links: the first name that is written has the content.
        ([("a/first", "mine"), ("etc/apt/sources.list", ("=", "a/first"))], "mine"),
        ({"etc/apt/sources.list": ("->", "/dev/null")}, None),
        ({"etc/apt/sources.list": ("->", "/nowhere")}, None),
        ({"etc/apt/sources.list": None}, None),
    ],
)
def test_links_stay_in_the_image(
    registry: Registry, tmp_path: Path, links: dict[str, Content], expected: str | None
) -> None:
    base = {key: value for key, value in BASE.items() if "sources" not in key}
    registry.put("app:1", make(base, links))
    sources = inspect(registry, tmp_path).sources
    assert sources == ((("/etc/apt/sources.list", expected),) if expected else ())


# --- platforms


def test_platforms(registry: Registry, tmp_path: Path) -> None:
    names = ("linux/amd64", "linux/arm/v5", "linux/arm/v7", "linux/arm64/v8", "unknown/unknown")
    images = {name: make({"a": name}, platform=name) for name in names}
    top = index(*images.values())
    index_digest = registry.put("app:1", *images.values(), top=top)
    for wanted, got in (
        ("linux/amd64", "linux/amd64"),
        ("linux/arm64", "linux/arm64/v8"),
        ("linux/arm64/v8", "linux/arm64/v8"),
        ("linux/arm/v7", "linux/arm/v7"),
        ("linux/arm", "linux/arm/v7"),
        ("linux/arm/v6", "linux/arm/v5"),
        ("linux/amd64/v3", "linux/amd64"),
    ):
        image = inspect(registry, tmp_path, platform=wanted)
        assert (image.digest, image.index_digest) == (images[got].digest, index_digest), wanted
    with pytest.raises(
        InputError, match="no image for linux/s390x; it has linux/amd64, linux/arm/v5, linux/arm/v7"
    ):
        inspect(registry, tmp_path, platform="linux/s390x")


def test_an_index_that_does_not_say_platforms(registry: Registry, tmp_path: Path) -> None:
    images = [make({}, platform=name, media_type=OCI) for name in ("linux/amd64", "linux/arm64")]
    registry.put(
        "app:1", *images, top=index(*images, media_type=OCI_INDEX, named=False), media_type=OCI_INDEX
    )
    assert inspect(registry, tmp_path, platform="linux/arm64").digest == images[1].digest


def test_a_single_image_for_another_platform(registry: Registry, tmp_path: Path) -> None:
    registry.put("app:1", make({}))
    with pytest.raises(InputError, match="no image for linux/arm64; it has linux/amd64"):
        inspect(registry, tmp_path, platform="linux/arm64")


# --- the cache


def test_the_second_run_asks_only_what_the_tag_means(registry: Registry, tmp_path: Path) -> None:
    registry.put("app:1", make(BASE))
    first = inspect(registry, tmp_path)
    registry.log.clear()
    assert inspect(registry, tmp_path) == first
    assert registry.log == []
    later = client(registry, tmp_path, now=NOW + timedelta(minutes=11))
    assert later.inspect(first.reference, "linux/amd64") == first
    assert [one.method for one in registry.log] == ["HEAD"]


def test_offline(registry: Registry, tmp_path: Path) -> None:
    registry.put("app:1", make(BASE))
    offline = client(registry, tmp_path, offline=True)
    with pytest.raises(FetchError, match="not in the cache") as caught:
        offline.inspect(f"{registry.host}/app:1", "linux/amd64")
    assert "--offline" in str(caught.value)
    first = inspect(registry, tmp_path)
    assert offline.inspect(first.reference, "linux/amd64") == first


def test_a_digest_needs_no_tag(registry: Registry, tmp_path: Path) -> None:
    made = make(BASE)
    registry.put("app:1", made)
    image = inspect(registry, tmp_path, f"app@{made.digest}")
    assert image.reference == f"{registry.host}/app@{made.digest}"
    assert not registry.asked("HEAD")


def test_damage_in_the_cache_is_repaired(registry: Registry, tmp_path: Path) -> None:
    registry.put("app:1", make(BASE))
    first = inspect(registry, tmp_path)
    for file in (tmp_path / "cache" / "images").iterdir():
        file.write_bytes(file.read_bytes()[:-5])
    assert inspect(registry, tmp_path) == first


def test_a_registry_that_gives_no_digest_with_a_head(registry: Registry, tmp_path: Path) -> None:
    made = make(BASE)
    registry.put("app:1", made)
    registry.mischief = lambda request: Reply() if request.method == "HEAD" else None
    assert inspect(registry, tmp_path).digest == made.digest


# --- logins


def config_file(path: Path, **settings: object) -> Path:
    file = path / "config.json"
    file.write_text(json.dumps(settings))
    return file


def auth(user: str, password: str) -> dict[str, str]:
    return {"auth": b64encode(f"{user}:{password}".encode()).decode()}


def test_anonymous_token(registry: Registry, tmp_path: Path) -> None:
    registry.put("team/app:1", make(BASE))
    registry.auth = "bearer"
    assert inspect(registry, tmp_path, "team/app:1").suite == "bookworm"
    (token,) = registry.asked("/token")
    assert token.path == "/token?scope=repository%3Ateam%2Fapp%3Apull&service=stand-in"
    assert "Authorization" not in token.headers


@pytest.mark.parametrize("scheme", ["bearer", "basic"])
def test_a_login(registry: Registry, tmp_path: Path, scheme: str) -> None:
    registry.put("app:1", make(BASE))
    registry.auth, registry.login = scheme, ("me", "s3cret:x")
    file = config_file(tmp_path, auths={registry.host: auth("me", "s3cret:x")})
    image = client(registry, tmp_path, logins=[file]).inspect(f"{registry.host}/app:1", "linux/amd64")
    assert image.suite == "bookworm"


def test_an_identity_token(registry: Registry, tmp_path: Path) -> None:
    registry.put("app:1", make(BASE))
    registry.auth, registry.identity = "bearer", "refresh-me"
    file = config_file(tmp_path, auths={registry.host: {"identitytoken": "refresh-me"}})
    image = client(registry, tmp_path, logins=[file]).inspect(f"{registry.host}/app:1", "linux/amd64")
    assert image.suite == "bookworm"


@pytest.mark.parametrize("scheme", ["bearer", "basic"])
def test_a_login_is_missing_or_wrong(registry: Registry, tmp_path: Path, scheme: str) -> None:
    registry.put("app:1", make(BASE))
    registry.auth, registry.login = scheme, ("me", "s3cret")
    wrong = config_file(tmp_path, auths={registry.host: auth("me", "old")})
    for logins in ([], [wrong]):
        with pytest.raises(FetchError) as caught:
            client(registry, tmp_path, logins=logins).inspect(f"{registry.host}/app:1", "linux/amd64")
        assert caught.value.status == 401
        assert f"docker login {registry.host}" in str(caught.value)
        assert "old" not in str(caught.value)


def test_an_expired_token_is_renewed(registry: Registry, tmp_path: Path) -> None:
    registry.put("app:1", make(BASE))
    registry.auth = "bearer"
    expired = [True]

    def mischief(request: Request) -> Reply | None:
        if "/blobs/" in request.path and expired and request.headers.get("Authorization"):
            expired.pop()
            return Reply(401, b"", {"WWW-Authenticate": f'Bearer realm="{registry.address}/token"'})
        return None

    registry.mischief = mischief
    assert inspect(registry, tmp_path).suite == "bookworm"
    assert len(registry.asked("/token")) == 2


def test_no_login_goes_to_another_host(registry: Registry, other: Registry, tmp_path: Path) -> None:
    """A blob's redirection to a store: neither the login nor the token may follow."""
    registry.put("app:1", make(BASE))
    other.put("app:1", make(BASE))
    file = config_file(
        tmp_path, auths={registry.host: auth("me", "s3cret"), other.host: auth("you", "theirs")}
    )

    def mischief(request: Request) -> Reply | None:
        if "/blobs/" in request.path:
            return Reply(307, b"moved", {"Location": f"{other.address}{request.path}"})
        return None

    for number, scheme in enumerate(("bearer", "basic")):
        registry.auth, registry.login = scheme, ("me", "s3cret")
        registry.mischief = mischief
        options = {"logins": [file], "insecure": [registry.host, other.host]}
        cache = tmp_path / str(number)
        assert (
            client(registry, cache, **options).inspect(f"{registry.host}/app:1", "linux/amd64").suite
            == "bookworm"
        )
    assert len(other.log) == 4
    assert not any("Authorization" in request.headers for request in other.log)


def test_netrc_is_not_read(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login me password s3cret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    registry.put("app:1", make(BASE))
    inspect(registry, tmp_path)
    assert not any("Authorization" in request.headers for request in registry.log)


def test_a_mirror_of_docker_hub(registry: Registry, tmp_path: Path) -> None:
    registry.put("library/debian:latest", make(BASE))
    options = {"mirrors": {"https://registry-1.docker.io": registry.address}, "insecure": []}
    file = config_file(tmp_path, auths={"https://index.docker.io/v1/": auth("me", "hub")})
    hub = client(registry, tmp_path, logins=[file], **options)
    assert hub.inspect("debian", "linux/amd64").reference == "docker.io/library/debian:latest"
    registry.auth, registry.login = "basic", ("me", "hub")
    with pytest.raises(FetchError):
        hub.inspect("index.docker.io/debian:other", "linux/amd64")
    assert not any("Authorization" in request.headers for request in registry.log)


# --- mischief


def test_statuses(registry: Registry, tmp_path: Path) -> None:
    registry.put("app:1", make(BASE))
    for status, words in (
        (403, "gives no access"),
        (404, "no such image"),
        (429, "no more requests for now"),
        (500, "HTTP status 500"),
        (418, "HTTP status 418"),
    ):
        registry.mischief = lambda request, status=status: Reply(status)  # type: ignore[misc]
        with pytest.raises(FetchError, match=words) as caught:
            inspect(registry, tmp_path)
        assert caught.value.status == status
        assert caught.value.hint


def test_too_many_requests_are_waited_for(registry: Registry, tmp_path: Path) -> None:
    registry.put("app:1", make(BASE))
    busy = [Reply(429, b"", {"Retry-After": "7"}), Reply(429, b"", {"Retry-After": "3"})]
    registry.mischief = lambda request: busy.pop() if busy else None
    waits: list[float] = []
    assert (
        client(registry, tmp_path, wait=waits.append).inspect(f"{registry.host}/app:1", "linux/amd64").suite
    )
    assert waits == [3.0, 7.0]
    registry.mischief = lambda request: Reply(429, b"", {"Retry-After": "3600"})
    with pytest.raises(FetchError, match="asks to wait 3600 seconds"):
        client(registry, tmp_path, wait=waits.append).inspect(f"{registry.host}/app:2", "linux/amd64")
    assert waits == [3.0, 7.0]


@pytest.mark.parametrize("ranges", [True, False])
def test_a_broken_transfer_goes_on(registry: Registry, tmp_path: Path, ranges: bool) -> None:
    made = make(BASE, packing="plain")
    registry.put("app:1", made)
    breaks = [5000, 9000]

    def mischief(request: Request) -> Reply | None:
        if digest(made.layers[0]) not in request.path:
            return None
        reply = registry.part(made.layers[0], request) if ranges else Reply(200, made.layers[0])
        reply.cut = breaks.pop(0) if breaks else None
        return reply

    registry.mischief = mischief
    assert inspect(registry, tmp_path).status == STATUS
    assert len(registry.asked("/blobs/" + digest(made.layers[0]))) == 3


def test_a_transfer_that_breaks_for_ever(registry: Registry, tmp_path: Path) -> None:
    made = make(BASE)
    registry.put("app:1", made)
    registry.mischief = lambda request: Reply(200, b"x" * 99, cut=9) if "blobs" in request.path else None
    with pytest.raises(FetchError, match="cut short"):
        inspect(registry, tmp_path)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda blob: blob[:-20], TrustError, "ends after"),
        (lambda blob: blob + b"x", TrustError, "longer than"),
        (lambda blob: blob[:-1] + bytes([blob[-1] ^ 1]), TrustError, "another digest"),
        (lambda blob: b"<html>" + blob[6:], TrustError, "another digest"),
    ],
)
def test_other_bytes_than_the_manifest_vouches_for(
    registry: Registry, tmp_path: Path, change: Any, error: type[PinnerError], words: str
) -> None:
    made = make(BASE)
    registry.put("app:1", made)
    registry.blobs[f"app/{digest(made.layers[0])}"] = change(made.layers[0])
    with pytest.raises(error, match=words):
        inspect(registry, tmp_path)
    assert not list((tmp_path / "cache" / "images").glob("*.layer"))


def test_a_manifest_and_a_config_of_another_digest(registry: Registry, tmp_path: Path) -> None:
    made, evil = make(BASE), make({}, history=["# debian.sh --arch 'amd64' out/ 'sid' '@1'"])
    registry.put("app:1", made)
    registry.documents[f"app/{made.digest}"] = evil.manifest, evil.media_type
    with pytest.raises(TrustError, match="another digest"):
        inspect(registry, tmp_path)
    registry.put("app:1", made)
    registry.blobs[f"app/{digest(made.config)}"] = evil.config
    with pytest.raises(TrustError, match="another digest"):
        inspect(registry, tmp_path)


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (gzip.compress(tar(BASE))[:-30], "not whole gzip"),
        (packed(tar(BASE), "zstd")[:-30], "not whole zstd"),
        (tar(BASE)[:3000], "not a whole tar"),
        (b"this is no tar" * 100, "not a whole tar"),
        (gzip.compress(tar({"../../etc/apt/sources.list": "evil"})), "leaves the image"),
        (gzip.compress(tar({"/../etc/apt/sources.list": "evil"})), "leaves the image"),
        (gzip.compress(tar({"var/lib/dpkg/status": b"x" * (9 << 20)})), "are read at most"),
        (gzip.compress(tar({"etc/apt/sources.list": ("->", "sources.list")})), "circles"),
        (
            gzip.compress(tar([(f"var/lib/dpkg/status.d/{i}", b"y" * (1 << 20)) for i in range(20)]), 1),
            "more in the directories",
        ),
    ],
)
def test_layers_that_cannot_be_used(registry: Registry, tmp_path: Path, layer: bytes, words: str) -> None:
    registry.put("app:1", make(layer))
    with pytest.raises(InputError, match=words):
        inspect(registry, tmp_path)


def test_a_layer_that_needs_much_memory(registry: Registry, tmp_path: Path) -> None:
    registry.put("app:1", make(packed(tar({"zeros": bytes(40 << 20)}), "zstd", window=27)))
    with pytest.raises(InputError, match="too much memory"):
        inspect(registry, tmp_path)


def test_a_tar_bomb(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pinner.images.layers._ROOM", 1 << 20)
    registry.put("app:1", make(gzip.compress(tar({"zeros": bytes(8 << 20)}), 9)))
    with pytest.raises(InputError, match="tar bomb"):
        inspect(registry, tmp_path)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (b"not json", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "not a JSON object"),
        (b'{"schemaVersion": 1}', "schema version 2"),
        (b'{"schemaVersion": 2}', "neither an index nor"),
        (b'{"schemaVersion": 2, "mediaType": "text/html", "config": {}}', "kind that is not read"),
        (b'{"schemaVersion": 2, "manifests": [{"digest": "../../x", "size": 1}]}', "an invalid digest"),
        (b'{"schemaVersion": 2, "manifests": {}}', "not a JSON array"),
        (b'{"schemaVersion": 2, "config": {"digest": "sha256:' + b"0" * 64 + b'", "size": -1}}', "no size"),
    ],
)
def test_documents_that_cannot_be_used(
    registry: Registry, tmp_path: Path, document: bytes, words: str
) -> None:
    registry.put("app:1", top=document, media_type=DOCKER)
    with pytest.raises(InputError, match=words):
        inspect(registry, tmp_path)


def test_a_layer_of_an_unknown_kind(registry: Registry, tmp_path: Path) -> None:
    made = make(BASE)
    made.manifest = made.manifest.replace(b"diff.tar.gzip", b"diff.tar.gzip+encrypted")
    registry.put("app:1", made)
    with pytest.raises(InputError, match=r"not read: application.*encrypted"):
        inspect(registry, tmp_path)


def test_an_index_within_itself_ends(registry: Registry, tmp_path: Path) -> None:
    top = b"{}"
    for _ in range(9):
        entry = {"digest": registry.put("app:1", top=top, media_type=OCI_INDEX), "size": len(top)}
        top = json.dumps({"schemaVersion": 2, "manifests": [entry]}).encode()
    registry.put("app:1", top=top, media_type=OCI_INDEX)
    with pytest.raises(InputError, match="indices within indices"):
        inspect(registry, tmp_path)


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("{address}/v2/app/manifests/1", "again and again"),
        ("file:///etc/passwd", "no address for HTTP"),
        ("ftp://x/", "no address for HTTP"),
        ("http://[::", "this is not an address for HTTP"),
        ("http://user:pass@127.0.0.1/", "no address for HTTP"),
    ],
)
def test_redirections_that_lead_nowhere(
    registry: Registry, tmp_path: Path, location: str, words: str
) -> None:
    registry.mischief = lambda request: Reply(
        307, b"", {"Location": location.format(address=registry.address)}
    )
    with pytest.raises(FetchError, match=words):
        inspect(registry, tmp_path)


@pytest.mark.parametrize("realm", ["ftp://x/token", "", "http:///token"])
def test_a_token_service_that_is_none(registry: Registry, tmp_path: Path, realm: str) -> None:
    registry.mischief = lambda request: Reply(401, b"", {"WWW-Authenticate": f'Bearer realm="{realm}"'})
    with pytest.raises(TrustError, match="token service"):
        inspect(registry, tmp_path)


def test_an_address_without_tls_is_not_used_unasked(registry: Registry, tmp_path: Path) -> None:
    registry.put("app:1", make(BASE))
    with pytest.raises(FetchError) as caught:
        client(registry, tmp_path, insecure=[]).inspect(f"{registry.host}/app:1", "linux/amd64")
    assert caught.value.url.startswith("https://")
    assert registry.log == []


def test_control_characters_are_not_shown(registry: Registry, tmp_path: Path) -> None:
    registry.put("app:1", make(gzip.compress(tar({"../\x1b[2J": ""}))))
    with pytest.raises(InputError) as caught:
        inspect(registry, tmp_path)
    assert "\x1b" not in str(caught.value)


def test_progress(registry: Registry, tmp_path: Path) -> None:
    made = make(BASE)
    registry.put("app:1", made)
    seen: list[tuple[str, int, int]] = []
    progress = client(registry, tmp_path, progress=lambda *step: seen.append(step))
    progress.inspect(f"{registry.host}/app:1", "linux/amd64")
    size = len(made.layers[0])
    assert seen[-1] == (f"{registry.host}/app:1", size, size)


def test_memory_does_not_grow_with_the_layer(registry: Registry, tmp_path: Path) -> None:
    import tracemalloc

    registry.put("app:1", make({**BASE, "big": bytes(64 << 20)}, packing="zstd"))
    tracemalloc.start()
    try:
        assert inspect(registry, tmp_path).suite == "bookworm"
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()
