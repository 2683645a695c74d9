"""`pinner export sbom`, `json`, `debs-lock` and `sources`."""

from __future__ import annotations

import json

import pytest

from tests.cli.workbench import Workbench

pytest.importorskip("cyclonedx")
pytest.importorskip("spdx_tools")


@pytest.fixture
def locked(bench: Workbench) -> Workbench:
    suite = bench.archive.suites[2]
    suite.remove("jq").package("jq", "1.6-2.1", depends="libjq1 (= 1.6-2.1)", architecture="amd64")
    suite.package("libjq1", "1.6-2.1")
    assert bench.run("lock", "--platform", "amd64", "Dockerfile").status == 0
    return bench


def test_cyclonedx_is_valid_and_has_the_edges(locked: Workbench) -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    result = locked.run("export", "sbom")
    assert result.status == 0, result
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(result.out) is None
    bom = json.loads(result.out)
    parts = {part["bom-ref"]: part for part in bom["components"]}
    assert parts["jq:amd64=1.6-2.1"]["purl"] == "pkg:deb/debian/jq@1.6-2.1?arch=amd64&distro=debian-12"
    assert parts["jq:amd64=1.6-2.1"]["hashes"][0]["alg"] == "SHA-256"
    edges = {each["ref"]: each.get("dependsOn", []) for each in bom["dependencies"]}
    assert edges["jq:amd64=1.6-2.1"] == ["libjq1:amd64=1.6-2.1"]
    assert "libjq1:amd64=1.6-2.1" not in edges["root"]
    assert locked.run("export", "sbom").out == result.out
    assert "the lock does not know the base image's packages" in result.err


def test_spdx_is_valid(locked: Workbench) -> None:
    from spdx_tools.spdx.parser.jsonlikedict.json_like_dict_parser import JsonLikeDictParser
    from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

    result = locked.run("export", "sbom", "--format", "spdx")
    assert result.status == 0, result
    document = JsonLikeDictParser().parse(json.loads(result.out))
    assert validate_full_spdx_document(document) == []
    assert {package.name for package in document.packages} == {
        "Dockerfile",
        "debian",
        "curl",
        "jq",
        "libjq1",
    }
    assert locked.run("export", "sbom", "--format", "spdx").out == result.out


def test_json(locked: Workbench) -> None:
    found = json.loads(locked.run("export", "json").out)
    jq = next(package for package in found["packages"] if package["name"] == "jq")
    assert (jq["asked"], jq["brings"]) == (True, ["libjq1:amd64=1.6-2.1"])
    assert jq["url"].startswith("http://deb.debian.org/debian/pool/main/j/jq/jq_1.6-2.1_amd64.deb")


def test_debs_lock(locked: Workbench) -> None:
    lines = locked.run("export", "debs-lock").out.splitlines()
    assert lines[:7] == [
        "---",
        "lockfileVersion: 1",
        "lockfileVendor: debian",
        "arches:",
        "  - arch: amd64",
        "    packages:",
        '      - url: "http://deb.debian.org/debian/pool/main/c/curl/curl_7.88.1-10+deb12u14_amd64.deb"',
    ]
    assert '        name: "libjq1"' in lines


def test_sources_need_a_moment(locked: Workbench) -> None:
    result = locked.run("export", "sources")
    assert result.status == 3 and "the lock was made from the live archive" in result.err
