"""`pinner export sbom` serves scanners: read by the rules that grype and trivy document, it gives what is open."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from pinner.apt.version import compare
from pinner.workflow.bill import system_of
from tests.cli.workbench import Workbench, debian
from tests.registry import Made, Registry, index, make, official, serve
from tests.simulator import SimulatedArchive
from tests.workflow.test_vulnerable import configure, tracker

pytest.importorskip("cyclonedx")
pytest.importorskip("spdx_tools")

#: By distribution and source package, as the security trackers have it: in which version something was mended.
ADVISORIES = {
    "debian 12": {
        "openssl": ("CVE-1", "3.0.15-1~deb12u1"),
        "gnutls28": ("CVE-2", "3.7.9-2+deb12u2"),
        "glibc": ("CVE-3", "2.36-9"),
        "jq": ("CVE-4", "1.6-2.1"),
        "zlib": ("CVE-5", "1:1.2.13.dfsg-2"),
    },
    "debian 11": {"jq": ("CVE-0", "99")},
}
OPEN = {("libssl3", "CVE-1"), ("libgnutls30", "CVE-2"), ("zlib1g", "CVE-5")}


def status(*stanzas: str) -> str:
    return "".join(f"{stanza}\nStatus: install ok installed\n\n" for stanza in stanzas)


def image(platform: str) -> Made:
    arch = platform.rpartition("/")[2]
    packages = {
        "libc6": ("2.36-8", "glibc"),
        "libgnutls30": ("3.7.9-2+deb12u1+b1", "gnutls28 (3.7.9-2+deb12u1)"),
        "zlib1g": ("1:1.2.13.dfsg-1", "zlib"),
        "jq": ("1.6-2.1", "jq"),
    }
    content = official("bookworm") | {
        "var/lib/dpkg/status": status(
            *(
                f"Package: {name}\nArchitecture: {arch}\nVersion: {version}\nSource: {source}"
                for name, (version, source) in packages.items()
            )
        )
    }
    return make(content, platform=platform, history=["# debian.sh --arch 'amd64' out/ 'bookworm' '@1'"])


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    """A lock of curl, which takes an old libssl3 and a newer libc6 than the image has."""
    archive = SimulatedArchive()
    suite = debian(archive, "bookworm").package("curl", "7.88", depends="libc6 (>= 2.36-9), libssl3")
    suite.package("libc6", "2.36-9", source="glibc")
    suite.package("libssl3", "3.0.11-1~deb12u2+b1", source="openssl (3.0.11-1~deb12u2)")
    debian(archive, "bullseye").package("curl", "7.74")
    (tmp_path / "project").mkdir()
    with archive.serve(), serve(Registry()) as registry:
        images = image("linux/amd64"), image("linux/arm64")
        registry.put("app:1", *images, top=index(*images))
        bench = Workbench(tmp_path / "project", archive, tmp_path)
        bench.write("Dockerfile", f"FROM {registry.host}/app:1\nRUN apt-get install -y curl\n")
        result = bench.run("lock", "--images", "auto", "--insecure-registry", registry.host)
        assert result.status == 0, result
        yield bench


def advised(distribution: str, names: Iterable[tuple[str, str]]) -> set[str]:
    known = ADVISORIES.get(distribution, {})
    return {
        known[name][0] for name, version in names if name in known and compare(version, known[name][1]) < 0
    }


def grype(purls: Iterable[str]) -> set[tuple[str, str]]:
    """By each package's URL alone: its own name, and that of `upstream`, whose version is its own if it says none;
    the distribution is `distro`, NAME-VERSION."""
    from packageurl import PackageURL

    found = set()
    for text in purls:
        purl = PackageURL.from_string(text)
        if purl.type != "deb":
            continue
        assert isinstance(purl.qualifiers, dict) and purl.version
        source, _, version = purl.qualifiers.get("upstream", "").partition("@")
        name, _, release = purl.qualifiers["distro"].partition("-")
        names = {(purl.name, purl.version), (source, version or purl.version)}
        found |= {(purl.name, cve) for cve in advised(f"{name} {release}", names)}
    return found


def trivy(bom: Mapping[str, Any]) -> set[tuple[str, str]]:
    """By the one component of an operating system, and the source package in the properties of what depends on it."""
    (system,) = (part for part in bom["components"] if part["type"] == "operating-system")
    (below,) = (each["dependsOn"] for each in bom["dependencies"] if each["ref"] == system["bom-ref"])
    found = set()
    for part in bom["components"]:
        if part["bom-ref"] not in below:
            assert part["type"] != "library", "what is not below the operating system goes unsearched"
            continue
        given = {each["name"].rpartition(":")[2]: each["value"] for each in part["properties"]}
        version = given["SrcVersion"]
        version = f"{given['SrcEpoch']}:{version}" if "SrcEpoch" in given else version
        version = f"{version}-{given['SrcRelease']}" if "SrcRelease" in given else version
        for cve in advised(f"{system['name']} {system['version']}", [(given["SrcName"], version)]):
            found.add((part["name"], cve))
    return found


@pytest.mark.parametrize("platform", ["linux/amd64", "linux/arm64"])
def test_cyclonedx_tells_scanners_what_is_open(bench: Workbench, platform: str) -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    result = bench.run("export", "sbom", "--platform", platform)
    assert (result.status, result.err) == (0, "")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(result.out) is None
    bom = json.loads(result.out)
    purls = [part["purl"] for part in bom["components"] if "purl" in part]
    assert grype(purls) == trivy(bom) == OPEN
    assert {f"arch={platform.rpartition('/')[2]}" in purl for purl in purls} == {True}
    (base,) = (part for part in bom["components"] if part["type"] == "container")
    assert (
        base["purl"].startswith("pkg:oci/app@sha256")
        and base["version"] == f"sha256:{base['hashes'][0]['content']}"
    )
    edges = {each["ref"]: each.get("dependsOn", []) for each in bom["dependencies"]}
    assert [each.partition(":")[0] for each in edges[base["bom-ref"]]] == ["jq", "libgnutls30", "zlib1g"]
    assert base["bom-ref"] in edges["root"]


@pytest.mark.parametrize("platform", ["linux/amd64", "linux/arm64"])
def test_spdx_tells_scanners_what_is_open(bench: Workbench, platform: str) -> None:
    from spdx_tools.spdx.parser.jsonlikedict.json_like_dict_parser import JsonLikeDictParser
    from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

    result = bench.run("export", "sbom", "--format", "spdx", "--platform", platform)
    assert (result.status, result.err) == (0, "")
    bom = json.loads(result.out)
    assert validate_full_spdx_document(JsonLikeDictParser().parse(bom)) == []
    assert (
        grype(ref["referenceLocator"] for p in bom["packages"] for ref in p.get("externalRefs", [])) == OPEN
    )
    (system,) = (p for p in bom["packages"] if p.get("primaryPackagePurpose") == "OPERATING_SYSTEM")
    assert (system["SPDXID"], system["name"], system["versionInfo"]) == (
        "SPDXRef-OperatingSystem",
        "debian",
        "12",
    )
    said = {p["name"]: p["sourceInfo"] for p in bom["packages"] if "sourceInfo" in p}
    assert said["libssl3"] == "built package from: openssl 3.0.11-1~deb12u2"
    assert said["libgnutls30"] == "built package from: gnutls28 3.7.9-2+deb12u1"


def test_one_operating_system_a_document(bench: Workbench) -> None:
    bench.write("other/Dockerfile", "FROM debian:bullseye\nRUN apt-get install -y curl\n")
    assert bench.run("lock", "--platform", "linux/amd64", "other/Dockerfile").status == 0
    for form in ("cyclonedx", "spdx"):
        result = bench.run("export", "sbom", "--format", form)
        assert (result.status, result.out) == (3, "") and "debian 12, debian 11" in result.err
    result = bench.run("export", "sbom", "--file", "other/Dockerfile")
    assert "pkg:deb/debian/curl@7.74?arch=amd64&distro=debian-11" in result.out


@pytest.mark.parametrize(
    ("suite", "system"),
    [("noble", ("ubuntu", "24.04")), ("trixie", ("debian", "13")), ("sid", ("debian", "sid"))],
)
def test_systems_go_by_their_number(suite: str, system: tuple[str, str]) -> None:
    assert system_of(suite) == system


def test_verify_knows_the_base_image_too(bench: Workbench) -> None:
    """What the stage replaces is not the image's any more: libc6."""
    configure(bench)
    suite = next(each for each in bench.archive.suites if each.name == "bookworm-security")
    suite.package("zlib1g", "1:1.2.13.dfsg-2", source="zlib")
    tracker(
        bench.archive,
        {
            "glibc": {"CVE-3": {"status": "resolved", "fixed_version": "2.36-9", "urgency": "high"}},
            "gnutls28": {"CVE-2": {"status": "open", "urgency": "low"}},
            "zlib": {"CVE-5": {"status": "resolved", "fixed_version": "1:1.2.13.dfsg-2", "urgency": "high"}},
        },
    )
    done = bench.run("verify", "--cve")
    image = bench.read("Dockerfile").split()[1]
    lines = {line.split()[1]: line for line in done.out.splitlines() if "CVE" in line}
    assert lines.keys() == {"gnutls28=3.7.9-2+deb12u1", "zlib=1:1.2.13.dfsg-1"}, done
    fixed = f"1:1.2.13.dfsg-2 is available and fixes CVE-5 (high); in the base image {image} of Dockerfile"
    assert fixed in lines["zlib=1:1.2.13.dfsg-1"]
    found = json.loads(bench.run("verify", "--cve", "--json").out)["vulnerabilities"]
    assert {each["image"] for each in found} == {image}
    assert bench.run("verify", "--fail-on", "cve:high").status == 1
