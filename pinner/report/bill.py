"""A bill of materials in the forms that other tools read: CycloneDX, SPDX, JSON, and a lock file for hermeto.

The first two are made by the libraries of those who define them, the optional dependency `sbom`. Licences are left out:
the archive's indices do not tell them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pinner import __version__
from pinner.apt.digest import algorithm, label
from pinner.errors import InputError
from pinner.workflow.bill import Bill, Material

if TYPE_CHECKING:
    from uuid import UUID

    from packageurl import PackageURL

_MISSING = InputError(
    "the libraries for bills of materials are not installed", hint="pip install 'apt-pinner[sbom]'"
)


def purl(material: Material) -> PackageURL:
    """The package URL (https://github.com/package-url/purl-spec, type `deb`)."""
    from packageurl import PackageURL

    package = material.package
    qualifiers = {"arch": package.arch, "distro": material.codename}
    if material.repository:
        qualifiers["repository_url"] = material.repository
    return PackageURL("deb", material.vendor, package.name, package.version, qualifiers)


def cyclonedx(bill: Bill) -> str:
    """CycloneDX 1.6 as JSON."""
    try:
        from cyclonedx.model import HashAlgorithm, HashType
        from cyclonedx.model.bom import Bom, BomMetaData
        from cyclonedx.model.component import Component, ComponentType
        from cyclonedx.output.json import JsonV1Dot6
    except ImportError:
        raise _MISSING from None
    root = Component(name=bill.name, type=ComponentType.CONTAINER, bom_ref="root")
    tool = Component(name="pinner", version=__version__, type=ComponentType.APPLICATION)
    parts = {
        material.package.id: Component(
            name=material.package.name,
            version=material.package.version,
            bom_ref=material.package.id,
            purl=purl(material),
            hashes=[
                HashType(alg=HashAlgorithm(label(material.package.digest)), content=material.package.digest)
            ],
        )
        for material in bill.materials
    }
    bom = Bom(components=parts.values(), serial_number=_uuid(bill))
    bom.metadata = BomMetaData(component=root, timestamp=bill.date)
    bom.metadata.tools.components.add(tool)
    bom.register_dependency(root, [parts[name] for name in bill.asked])
    for name, part in parts.items():
        bom.register_dependency(part, [parts[child] for child in bill.needed_by(name)])
    return str(JsonV1Dot6(bom).output_as_string(indent=2))


def spdx(bill: Bill) -> str:
    """SPDX 2.3 as JSON."""
    try:
        from spdx_tools.spdx.jsonschema.document_converter import DocumentConverter
        from spdx_tools.spdx.model import (
            Actor,
            ActorType,
            Checksum,
            ChecksumAlgorithm,
            CreationInfo,
            Document,
            ExternalPackageRef,
            ExternalPackageRefCategory,
            Package,
            PackagePurpose,
            Relationship,
            RelationshipType,
            SpdxNoAssertion,
        )
    except ImportError:
        raise _MISSING from None
    creation = CreationInfo(
        spdx_version="SPDX-2.3",
        spdx_id="SPDXRef-DOCUMENT",
        name=bill.name,
        document_namespace=f"urn:uuid:{_uuid(bill)}",
        creators=[Actor(ActorType.TOOL, f"pinner-{__version__}")],
        created=bill.date.replace(tzinfo=None),
    )
    root = Package(
        spdx_id="SPDXRef-root",
        name=bill.name,
        download_location=SpdxNoAssertion(),
        files_analyzed=False,
        primary_package_purpose=PackagePurpose.CONTAINER,
    )
    ids = {material.package.id: f"SPDXRef-{number}" for number, material in enumerate(bill.materials)}
    packages = [
        Package(
            spdx_id=ids[material.package.id],
            name=material.package.name,
            version=material.package.version,
            download_location=material.url,
            files_analyzed=False,
            checksums=[
                Checksum(
                    ChecksumAlgorithm[algorithm(material.package.digest).upper()], material.package.digest
                )
            ],
            external_references=[
                ExternalPackageRef(
                    ExternalPackageRefCategory.PACKAGE_MANAGER, "purl", purl(material).to_string()
                )
            ],
        )
        for material in bill.materials
    ]
    relationships = [Relationship("SPDXRef-DOCUMENT", RelationshipType.DESCRIBES, "SPDXRef-root")]
    edges = [("SPDXRef-root", ids[name]) for name in bill.asked]
    edges += [(ids[parent], ids[child]) for parent, child in bill.needs]
    relationships += [Relationship(parent, RelationshipType.DEPENDS_ON, child) for parent, child in edges]
    document = Document(creation, packages=[root, *packages], relationships=relationships)
    return json.dumps(DocumentConverter().convert(document), indent=2)


def _uuid(bill: Bill) -> UUID:
    """The same for the same bill."""
    from uuid import NAMESPACE_URL, uuid5

    content = "\n".join(f"{material.package.id} {material.package.digest}" for material in bill.materials)
    return uuid5(NAMESPACE_URL, f"{bill.name}\n{content}")


def to_json(bill: Bill) -> str:
    """The bill as it is."""
    packages = [
        {
            "name": material.package.name,
            "version": material.package.version,
            "architecture": material.package.arch,
            "distribution": material.vendor,
            "suite": material.codename,
            "pocket": material.package.suite,
            "url": material.url,
            "size": material.package.size,
            algorithm(material.package.digest): material.package.digest,
            "asked": material.package.id in bill.asked,
            "brings": list(bill.needed_by(material.package.id)),
        }
        for material in bill.materials
    ]
    return json.dumps({"name": bill.name, "date": bill.date.isoformat(), "packages": packages}, indent=2)


def debs_lock(bill: Bill) -> str:
    """A `debs.lock.yaml` in the shape that https://github.com/hermetoproject/hermeto/issues/1393 asks for.

    Strings are written as JSON has them, which YAML reads alike. Raises `InputError` where the packages are of several
    distributions, since the file names one.
    """
    vendors = {material.vendor for material in bill.materials}
    if len(vendors) != 1:
        raise InputError("the packages are of several distributions", hint="choose a --file or --stage")
    lines = ["---", "lockfileVersion: 1", f"lockfileVendor: {vendors.pop()}", "arches:"]
    for arch in sorted({material.package.arch for material in bill.materials}):
        lines += [f"  - arch: {arch}", "    packages:"]
        for material in bill.materials:
            package = material.package
            if package.arch == arch:
                lines += [
                    f"      - url: {json.dumps(material.url)}",
                    f"        repoid: {json.dumps(package.suite)}",
                    f"        name: {json.dumps(package.name)}",
                    f"        version: {json.dumps(package.version)}",
                    f"        arch: {arch}",
                    f"        size: {package.size}",
                    f"        {algorithm(package.digest)}: {json.dumps(package.digest)}",
                ]
    return "\n".join(lines)
