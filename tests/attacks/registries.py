"""What a hostile registry, or whoever put an image there, may do: one line a mischief, as in `archives`.

The image is `app:1`, an official one of bookworm otherwise; `Mischief` puts another or answers in the registry's place.
"""

from __future__ import annotations

import gzip
import json
import tarfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from tests.registry import (
    DOCKER_LIST,
    Content,
    Made,
    Registry,
    Reply,
    index,
    make,
    official,
    packed,
    tar,
)

STATUS = "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.36\n\n"
FILES: Mapping[str, Content] = {**official("bookworm"), "var/lib/dpkg/status": STATUS}
ZEROS = bytes(64 << 20)


class Mischief(NamedTuple):
    """With the status 0 curl is pinned, unless `unpinned`; what is said must match `says`."""

    name: str
    do: Callable[[Registry], object]
    status: int
    says: str = ""
    unpinned: bool = False
    ci: bool = False


def layer(*more: tuple[str, Content], files: Mapping[str, Content] = FILES) -> Callable[[Registry], object]:
    """The image with more members in its layer."""
    return image(tar([*files.items(), *more]))


def above(*members: tuple[str, Content]) -> Callable[[Registry], object]:
    """The image with a layer upon the other."""
    return image(tar([*FILES.items()]), tar(members))


def image(*layers: bytes, packing: str = "gzip") -> Callable[[Registry], object]:
    return lambda registry: registry.put(
        "app:1", make(*(gzip.compress(each, 1, mtime=0) for each in layers), packing=packing)
    )


def raw(layer: bytes) -> Callable[[Registry], object]:
    """The image of a layer as it is packed."""
    return lambda registry: registry.put("app:1", make(layer))


def bomb(pack: Callable[[bytes], bytes]) -> Callable[[Registry], object]:
    """A layer with a file of 1.25 GiB that are packed to less than 2 MB."""
    info = tarfile.TarInfo("x")
    info.size = 20 * len(ZEROS)
    return raw(pack(info.tobuf()) + pack(ZEROS) * 20)


def special(kind: bytes, name: str, **fields: Any) -> bytes:
    """A layer that begins with a member of a kind."""
    info = tarfile.TarInfo(name)
    info.type = kind
    for field, value in fields.items():
        setattr(info, field, value)
    return info.tobuf(tarfile.PAX_FORMAT) + tar([*FILES.items()])


def pax(records: bytes) -> bytes:
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, len(records)
    return info.tobuf(tarfile.USTAR_FORMAT) + records + bytes(-len(records) % 512) + tar([*FILES.items()])


def answers(pattern: str, reply: Callable[[Registry], Reply]) -> Callable[[Registry], object]:
    """What the registry says to requests for a path."""

    def do(registry: Registry) -> None:
        image(tar([*FILES.items()]))(registry)
        registry.mischief = lambda request: reply(registry) if pattern in request.path else None

    return do


def body(pattern: str, content: bytes, **headers: str) -> Callable[[Registry], object]:
    return answers(pattern, lambda _: Reply(200, content, headers))


def to(address: str) -> Callable[[Registry], Reply]:
    return lambda _: Reply(307, b"", {"Location": address})


def realm(address: str) -> Callable[[Registry], object]:
    challenge = {"WWW-Authenticate": f'Bearer realm="{address}",service="x"'}
    return answers("/v2/", lambda _: Reply(401, b"{}", challenge))


def document(change: Callable[[dict[str, Any]], object]) -> Callable[[Registry], object]:
    """The image's manifest, changed."""

    def do(registry: Registry) -> None:
        made = make(tar([*FILES.items()]))
        content = json.loads(made.manifest)
        change(content)
        registry.put(
            "app:1",
            Made(json.dumps(content).encode(), made.media_type, made.config, made.layers, made.platform),
        )

    return do


def listed(change: Callable[[list[dict[str, Any]]], object]) -> Callable[[Registry], object]:
    """An index of the image whose entries are changed."""

    def do(registry: Registry) -> None:
        made = make(tar([*FILES.items()]))
        content = json.loads(index(made))
        change(content["manifests"])
        registry.put("app:1", made, top=json.dumps(content).encode())

    return do


def attested(entries: list[dict[str, Any]]) -> None:
    """As BuildKit writes provenance: an entry for the platform unknown/unknown."""
    entries.insert(
        0,
        {
            **entries[0],
            "digest": "sha256:" + "1" * 64,
            "platform": {"os": "unknown", "architecture": "unknown"},
            "annotations": {"vnd.docker.reference.type": "attestation-manifest"},
        },
    )


def loop(registry: Registry) -> None:
    """Indices that name one another; none has an image."""
    inner = json.dumps({"schemaVersion": 2, "mediaType": DOCKER_LIST, "manifests": []}).encode()
    for _ in range(40):
        made = Made(inner, DOCKER_LIST, b"{}", [], "linux/amd64")
        entry = {"mediaType": DOCKER_LIST, "digest": made.digest, "size": len(inner)}
        registry.put("app:1", made)
        inner = json.dumps({"schemaVersion": 2, "mediaType": DOCKER_LIST, "manifests": [entry] * 40}).encode()
    registry.put("app:1", top=inner)


APT = "etc/apt/apt.conf.d/x"
EVIL = "Types: deb\nURIs: http://evil.example/debian\nSuites: bookworm\nComponents: main\nTrusted: yes\n"
REGISTRY: Sequence[Mischief] = (
    Mischief("nothing", layer(), 0),
    # documents
    Mischief("an endless manifest", body("/manifests/", ZEROS), 6),
    Mischief("a manifest of zeros", body("/manifests/", bytes(1000)), 3, "not JSON"),
    Mischief("a manifest that nests", body("/manifests/", b'{"a":' * 100_000), 3, "not JSON"),
    Mischief(
        "a number of 5,000 digits",
        body("/manifests/", b'{"schemaVersion": ' + b"9" * 5000 + b"}"),
        3,
        "not JSON",
    ),
    Mischief("surrogates in a manifest", body("/manifests/", b'{"mediaType": "\\ud800"}'), 3, r"\\ud800"),
    Mischief("10,000 layers", document(lambda d: d.update(layers=d["layers"] * 10_000)), 3, "more than 512"),
    Mischief("a negative size", document(lambda d: d["layers"][0].update(size=-1)), 3, "no size"),
    Mischief("a huge size", document(lambda d: d["layers"][0].update(size=10**18)), 6),
    Mischief(
        "a digest that is a path",
        document(lambda d: d["layers"][0].update(digest="sha256:../../x")),
        3,
        "invalid digest",
    ),
    Mischief(
        "layers that are elsewhere", document(lambda d: d["layers"][0].update(urls=["http://10.0.0.1/"])), 0
    ),
    Mischief("provenance beside the image", listed(attested), 0),
    Mischief("an index of 10,000", listed(lambda e: e.extend(e * 10_000)), 0),
    Mischief(
        "an index without the platform",
        listed(lambda e: e[0]["platform"].update(architecture="s390x")),
        3,
        "no image for",
    ),
    Mischief("an index that loops", loop, 3, "indices within"),
    # bytes
    Mischief("another layer", body("/blobs/", b"x" * 100), 6),
    Mischief("no layer", answers("/blobs/", lambda _: Reply(404)), 5),
    Mischief("an endless layer", body("/blobs/", ZEROS), 6),
    Mischief("gzip within gzip", image(gzip.compress(tar([*FILES.items()]))), 3, "whole tar"),
    Mischief("a bomb of gzip", bomb(gzip.compress), 3, "tar bomb"),
    Mischief("a bomb of zstd", bomb(lambda plain: packed(plain, "zstd")), 3, "tar bomb"),
    Mischief("a layer that wants 2 GiB", raw(packed(ZEROS, "zstd", 31)), 3, "too much memory"),
    Mischief("half a stream", raw(packed(tar([*FILES.items()]), "zstd")[:-9]), 3, "too early"),
    Mischief("100,000 streams", raw(gzip.compress(b"") * 100_000 + gzip.compress(tar([*FILES.items()]))), 0),
    Mischief("no tar", image(b"\x01" * 5_000), 3, "whole tar"),
    Mischief("half a tar", image(tar([*FILES.items()])[:700]), 3, "whole tar"),
    Mischief("a member of negative size", image(b"x" * 124 + b"\xff" * 12 + bytes(376)), 3, "whole tar"),
    Mischief("a member of 8 EB", image(special(tarfile.REGTYPE, "x", size=2**62)), 3, "whole tar"),
    Mischief("attributes that are a bomb", image(pax(b"6 a=b\n" * 400_000)), 3, "attributes"),
    Mischief("an attribute of false length", image(pax(b"999999999 path=x\n")), 3, "whole tar"),
    Mischief("a path of a megabyte", image(pax(b"1000018 path=" + b"a/" * 500_000 + b"b\n")), 3, "whole tar"),
    # what lies in it
    Mischief("a way out", layer(("../../etc/apt/sources.list.d/x.sources", EVIL)), 3, "leaves the image"),
    Mischief("an absolute path", layer(("/etc/apt/apt.conf.d/y", "")), 0),
    Mischief("a link out", above(("etc/apt/preferences", ("->", "../../../../../../etc/passwd"))), 0),
    Mischief(
        "a hard link out", above(("etc/apt/preferences", ("=", "../../../etc/passwd"))), 3, "leaves the image"
    ),
    Mischief("a link to itself", above(("etc/apt", ("->", "/etc/apt"))), 3, "in circles"),
    Mischief(
        "links to one another", above(("etc/apt", ("->", "b")), ("etc/b", ("->", "apt"))), 3, "in circles"
    ),
    Mischief("a device", image(special(tarfile.CHRTYPE, "etc/apt/preferences")), 0),
    Mischief("a pipe", image(special(tarfile.FIFOTYPE, "etc/apt/sources.list")), 0),
    Mischief("a whiteout of all", above((".wh..wh..opq", "")), 0, "", True),
    Mischief("a whiteout of what is not there", above(("etc/.wh.nothing", ""), (".wh.", "")), 0),
    Mischief("a file as a directory", above(("etc/apt/apt.conf.d", "x")), 0),
    Mischief("another archive", above(("etc/apt/sources.list.d/x.sources", EVIL)), 0, "", True),
    Mischief(
        "100,000 files of apt's",
        layer(*((f"etc/apt/apt.conf.d/{n}", "") for n in range(100_000))),
        3,
        "than can be real",
    ),
    Mischief("a huge file of apt's", layer((APT, "//" * (5 << 20))), 3, "read at most"),
    Mischief("settings that nest", layer((APT, "a { " * 50_000)), 0, "nest", unpinned=True),
    Mischief("a status that is none", layer(("var/lib/dpkg/status", "\x00\ud7ff" * 1000)), 3, "no field"),
    Mischief(
        "a version with a command",
        layer(("var/lib/dpkg/status", STATUS.replace("2.36", "1\n::error::x;id"))),
        3,
        "no field",
    ),
    # where it leads
    Mischief(
        "a redirection to a private host",
        answers("/blobs/", to("http://10.1.2.3/x")),
        5,
        "private|reach",
        ci=True,
    ),
    Mischief(
        "a redirection to the cloud's own", answers("/blobs/", to("http://169.254.169.254/")), 5, ci=True
    ),
    Mischief("a redirection to a file", answers("/blobs/", to("file:///etc/passwd")), 5, "no address"),
    Mischief(
        "redirections without end",
        answers("/v2/", lambda r: Reply(307, b"", {"Location": f"{r.address}/v2/x"})),
        5,
    ),
    Mischief("a redirection to no address", answers("/v2/", to("http://[::")), 5),
    Mischief("a token of a private host", realm("http://10.1.2.3/token"), 5, ci=True),
    Mischief("a token of a file", realm("file:///etc/passwd"), 6),
    Mischief("a token of user@host", realm("http://a@127.0.0.1/"), 6),
    Mischief("a token that is endless", lambda r: realm(f"{r.address}/token")(r), 5),
)
