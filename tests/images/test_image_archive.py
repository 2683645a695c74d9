"""Images in local archives: OCI layouts and what `docker save` writes."""

from __future__ import annotations

import gzip
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pinner.errors import InputError, PinnerError, TrustError
from pinner.images.image_archive import inspect_archive
from tests.registry import OCI, OCI_INDEX, Content, Made, descriptor, digest, index, make, tar

STATUS = "Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2-1\n"
BASE: dict[str, Content] = {
    "etc/os-release": ("->", "../usr/lib/os-release"),
    "usr/lib/os-release": "ID=debian\nVERSION_CODENAME=trixie\n",
    "var/lib/dpkg/status": STATUS,
}
TOP: dict[str, Content] = {"etc/apt/sources.list": "deb http://x y z\n"}


def blob(content: bytes) -> tuple[str, bytes]:
    return f"blobs/{digest(content).replace(':', '/')}", content


def layout(*images: Made, top: bytes = b"") -> dict[str, Content]:
    """The files of an OCI layout; `top` is an index that index.json points to."""
    files = dict(blob(one) for image in images for one in (image.manifest, image.config, *image.layers))
    entries = json.loads(top or index(*images, media_type=OCI_INDEX))["manifests"]
    if top:
        files |= dict([blob(top)])
        entries = [descriptor(top, OCI_INDEX)]
    return {
        "oci-layout": '{"imageLayoutVersion": "1.0.0"}',
        "index.json": json.dumps({"schemaVersion": 2, "manifests": entries}),
        **files,
    }


def saved(*images: Made, names: Callable[[int], str] = "{}/layer.tar".format) -> dict[str, Content]:
    """The files that `docker save` wrote before it wrote OCI layouts."""
    files: dict[str, Content] = {}
    listed = []
    for image in images:
        config = digest(image.config)[7:] + ".json"
        stack = [names(len(files) + number) for number in range(len(image.layers))]
        files |= {config: image.config, **dict(zip(stack, image.layers, strict=True))}
        listed.append({"Config": config, "RepoTags": ["app:1"], "Layers": stack})
    return {**files, "manifest.json": json.dumps(listed)}


def directory(path: Path, files: dict[str, Content]) -> Path:
    for name, content in files.items():
        file = path / "layout" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        assert isinstance(content, (str, bytes))
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    return path / "layout"


def archive(path: Path, files: dict[str, Content], form: int = tarfile.PAX_FORMAT) -> Path:
    (path / "image.tar").write_bytes(tar(files, form))
    return path / "image.tar"


@pytest.mark.parametrize("put", [directory, archive])
@pytest.mark.parametrize("packing", ["gzip", "zstd"])
@pytest.mark.parametrize("nested", [True, False])
def test_an_oci_layout(
    tmp_path: Path, put: Callable[[Path, dict[str, Content]], Path], packing: str, nested: bool
) -> None:
    images = [
        make(BASE, TOP, media_type=OCI, packing=packing, platform=platform)
        for platform in ("linux/amd64", "linux/arm64/v8")
    ]
    top = index(*images, media_type=OCI_INDEX) if nested else b""
    path = put(tmp_path, layout(*images, top=top))
    image = inspect_archive(path, "linux/arm64")
    assert (image.reference, image.platform) == (str(path), "linux/arm64")
    assert (image.digest, image.index_digest) == (images[1].digest, digest(top) if nested else "")
    assert (image.distribution, image.suite, image.suite_from) == ("debian", "trixie", "os-release")
    assert (image.status, image.sources) == (STATUS, (("/etc/apt/sources.list", "deb http://x y z\n"),))
    assert not inspect_archive(path, "linux/arm64", layers=False).status


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_docker_save(tmp_path: Path, form: int) -> None:
    path = archive(tmp_path, saved(make(BASE, TOP, packing="plain")), form)
    image = inspect_archive(path, "linux/amd64")
    assert (image.digest, image.suite, image.status) == ("", "trixie", STATUS)
    assert image.sources == (("/etc/apt/sources.list", "deb http://x y z\n"),)


def test_docker_save_with_a_layer_that_is_a_link(tmp_path: Path) -> None:
    made = make(BASE, TOP, packing="plain")
    files = saved(made)
    files |= {"other/layer.tar": files["0/layer.tar"], "0/layer.tar": ("->", "../other/layer.tar")}
    assert inspect_archive(archive(tmp_path, files), "linux/amd64").status == STATUS


OCI_IMAGE = make(BASE, media_type=OCI)
SAVED = make(BASE, packing="plain")


def without(files: dict[str, Content], name: str) -> dict[str, Content]:
    return {key: value for key, value in files.items() if key != name}


@pytest.mark.parametrize(
    ("files", "error", "words"),
    [
        ({"a": "b"}, InputError, "neither index.json nor manifest.json"),
        ({"index.json": "{}"}, InputError, "schema version 2"),
        ({"index.json": "x" * (9 << 20)}, InputError, "longer than"),
        ({"index.json": OCI_IMAGE.manifest}, InputError, "not an index"),
        (
            without(layout(OCI_IMAGE), blob(OCI_IMAGE.config)[0]),
            InputError,
            "the archive has no blobs/sha256",
        ),
        (
            without(layout(OCI_IMAGE), blob(OCI_IMAGE.layers[0])[0]),
            InputError,
            "the archive has no blobs/sha256",
        ),
        (layout(OCI_IMAGE) | {blob(OCI_IMAGE.config)[0]: b"{}"}, TrustError, "another digest"),
        (layout(OCI_IMAGE) | {blob(OCI_IMAGE.manifest)[0]: SAVED.manifest}, TrustError, "another digest"),
        (layout(OCI_IMAGE) | {blob(OCI_IMAGE.layers[0])[0]: b"short"}, TrustError, "ends after"),
        (layout(OCI_IMAGE, make(TOP, media_type=OCI)), InputError, "holds 2 images for linux/amd64"),
        (
            layout(make(BASE, media_type=OCI, platform="linux/s390x")),
            InputError,
            "no image for linux/amd64; it has",
        ),
        (saved(SAVED, make(TOP, packing="plain")), InputError, "holds 2 images for linux/amd64"),
        (saved(make(platform="linux/arm64")), InputError, "no image for linux/amd64; it has linux/arm64"),
        (saved(SAVED) | {"0/layer.tar": tar(TOP)}, TrustError, "another digest"),
        (saved(SAVED) | {"manifest.json": "{}"}, InputError, "no image for linux/amd64; it has none"),
        (saved(SAVED) | {"manifest.json": "[1]"}, InputError, "not what `docker save` writes"),
        (
            saved(SAVED) | {"manifest.json": '[{"Config": "../../x", "Layers": []}]'},
            InputError,
            "the archive has no ../../x",
        ),
        (without(saved(SAVED), "0/layer.tar"), InputError, "the archive has no 0/layer.tar"),
    ],
)
def test_archives_that_cannot_be_used(
    tmp_path: Path, files: dict[str, Content], error: type[PinnerError], words: str
) -> None:
    with pytest.raises(error, match=words):
        inspect_archive(archive(tmp_path, files), "linux/amd64")


def test_files_that_are_no_archive(tmp_path: Path) -> None:
    file = tmp_path / "image"
    with pytest.raises(InputError, match="cannot be read: No such file"):
        inspect_archive(file, "linux/amd64")
    file.write_bytes(gzip.compress(tar(BASE)))
    with pytest.raises(InputError, match="gunzip it first"):
        inspect_archive(file, "linux/amd64")
    file.write_bytes(b"x" * 1000)
    with pytest.raises(InputError, match="not a whole tar"):
        inspect_archive(file, "linux/amd64")
    file.write_bytes(tar(layout(OCI_IMAGE))[:4000])
    with pytest.raises(InputError, match="not a whole tar"):
        inspect_archive(file, "linux/amd64")
