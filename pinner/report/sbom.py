"""A bill of materials: as JSON, as a lock file for hermeto, and for scanners as CycloneDX 1.6 and SPDX 2.3, made by the
libraries of those who define them (the optional dependency `sbom`).

What grype and trivy need to find anything: in each package's URL `distro` with the release's number and `upstream` with
its source (https://github.com/anchore/grype/issues/2707); one operating system that all packages belong to, and the
source once more as properties of CycloneDX, or `sourceInfo` of SPDX (https://trivy.dev/latest/docs/target/sbom/). All
packages hang on the operating system, or none does: trivy drops those of one kind where it finds both. Licences are
left out: the archive's indices do not tell them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from pinner import __version__
from pinner.apt.digest import algorithm, label
from pinner.errors import InputError
from pinner.images import reference
from pinner.lock.schema import InstalledPackage, LockedPackage
from pinner.report.diagnostic import fields
from pinner.values import NamedTuple
from pinner.workflow.bill import Bill, BillImage, System

if TYPE_CHECKING:
    from uuid import UUID

    from packageurl import PackageURL


_MISSING = InputError(
    "the libraries for bills of materials are not installed", hint="pip install 'apt-pinner[sbom]'"
)


class _ListedPackage(NamedTuple):
    """A package as scanners see it; `url` and `digest` are "" for one of a base image. One of the build context is of
    no `system`: what is known of a distribution's package of that name is not true of it."""

    package: LockedPackage | InstalledPackage
    system: System | None
    repository: str = ""
    url: str = ""
    digest: str = ""

    @property
    def id(self) -> str:
        return f"{self.package.name}:{self.package.arch}={self.package.version}"

    @property
    def source(self) -> tuple[str, str]:
        """Name and version of the source package."""
        return self.package.source or self.package.name, self.package.source_version or self.package.version

    @property
    def purl(self) -> PackageURL:
        """The package URL (https://github.com/package-url/purl-spec, type `deb`)."""
        from packageurl import PackageURL

        package, (source, version) = self.package, self.source
        if self.system is None:
            return PackageURL("deb", None, package.name, package.version, {"arch": package.arch})
        qualifiers = {"arch": package.arch, "distro": f"{self.system.vendor}-{self.system.release}"}
        if self.repository:
            qualifiers["repository_url"] = self.repository
        if version != package.version:
            qualifiers["upstream"] = f"{source}@{version}"
        elif source != package.name:
            qualifiers["upstream"] = source
        return PackageURL("deb", self.system.vendor, package.name, package.version, qualifiers)


def _packages(bill: Bill) -> dict[str, _ListedPackage]:
    """The packages by their ids: a locked one says more than the same in a base image."""
    found = {part.id: part for base in bill.bases for part in _held(base)}
    for each in bill.materials:
        found[each.package.id] = _ListedPackage(
            each.package,
            None if each.is_local else each.system,
            each.repository,
            each.url,
            each.package.digest,
        )
    return dict(sorted(found.items()))


def _held(base: BillImage) -> Iterator[_ListedPackage]:
    return (_ListedPackage(package, base.system) for package in base.packages)


def _image(base: BillImage) -> PackageURL:
    """The URL of a base image (type `oci`)."""
    from packageurl import PackageURL

    named = reference.parse(base.reference)
    place = str(named._replace(tag="", digest=""))
    qualifiers = {"arch": base.platform.split("/")[1], "repository_url": place, "tag": named.tag}
    return PackageURL("oci", None, place.rpartition("/")[2], base.digest, qualifiers)


def _system(bill: Bill) -> System:
    """Scanners take one operating system for a whole document; another would go unsearched, without a word."""
    if len(bill.systems) != 1:
        names = ", ".join(" ".join(system) for system in bill.systems)
        raise InputError(
            f"a bill of materials is of one operating system, and these targets are of several: {names}",
            hint="choose with --file or --stage, and write one for each",
        )
    return bill.systems[0]


def _edges(bill: Bill) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Who contains whom, and who needs whom: `root`, `os`, base images by their digests and packages by their ids."""
    contained = [("root", "os"), *(("os", name) for name in _packages(bill))]
    contained += [(base.digest, part.id) for base in bill.bases for part in _held(base)]
    needed = [("root", base.digest) for base in bill.bases]
    return contained, [*needed, *(("root", name) for name in bill.asked), *bill.needs]


def _trivy(part: _ListedPackage, system: System) -> dict[str, str]:
    """The source as trivy writes it: the version in its three parts."""
    name, version = part.source
    epoch, colon, rest = version.rpartition(":")
    upstream, _, revision = rest.rpartition("-")
    values = {
        "PkgID": f"{part.package.name}@{part.package.version}",
        "PkgType": system.vendor,
        "SrcName": name,
        "SrcVersion": upstream or revision,
        "SrcRelease": revision if upstream else "",
        "SrcEpoch": epoch if colon else "",
    }
    return {f"aquasecurity:trivy:{field}": value for field, value in values.items() if value}


def cyclonedx(bill: Bill) -> str:
    """CycloneDX 1.6 as JSON. Raises `InputError` where the targets are of several operating systems."""
    bill = bill.left
    try:
        from cyclonedx.model import HashAlgorithm, HashType, Property
        from cyclonedx.model.bom import Bom, BomMetaData
        from cyclonedx.model.component import Component, ComponentScope, ComponentType
        from cyclonedx.output.json import JsonV1Dot6
    except ImportError:
        raise _MISSING from None

    def hashes(digest: str) -> list[HashType]:
        return [HashType(alg=HashAlgorithm(label(digest)), content=digest)] if digest else []

    def properties(part: _ListedPackage) -> list[Property]:
        if part.system is None:
            assert isinstance(part.package, LockedPackage)
            values = {"pinner:path": part.package.filename}
        else:
            values = _trivy(part, part.system)
        return [Property(name=name, value=value) for name, value in values.items()]

    vendor, release = _system(bill)
    root = Component(name=bill.name, type=ComponentType.CONTAINER, bom_ref="root")
    nodes = {"os": Component(name=vendor, version=release, type=ComponentType.OPERATING_SYSTEM, bom_ref="os")}
    nodes |= {
        base.digest: Component(
            name=base.reference.partition("@")[0],
            version=base.digest,
            type=ComponentType.CONTAINER,
            bom_ref=base.digest,
            purl=_image(base),
            hashes=hashes(base.digest.rpartition(":")[2]),
        )
        for base in bill.bases
    }
    nodes |= {
        name: Component(
            name=part.package.name,
            version=part.package.version,
            bom_ref=name,
            purl=part.purl,
            hashes=hashes(part.digest),
            properties=properties(part),
            scope=ComponentScope.OPTIONAL if name in bill.unsure else None,
        )
        for name, part in _packages(bill).items()
    }
    bom = Bom(components=nodes.values(), serial_number=_uuid(bill))
    gaps = [Property(name="pinner:incomplete", value=text) for text in bill.incomplete]
    bom.metadata = BomMetaData(component=root, timestamp=bill.date, properties=gaps)
    bom.metadata.tools.components.add(
        Component(name="pinner", version=__version__, type=ComponentType.APPLICATION)
    )
    below: dict[str, list[Component]] = {name: [] for name in ("root", *nodes)}
    for parent, child in chain(*_edges(bill)):
        below[parent].append(nodes[child])
    for name, children in below.items():
        bom.register_dependency(nodes.get(name, root), children)
    return str(JsonV1Dot6(bom).output_as_string(indent=2))


def spdx(bill: Bill) -> str:
    """SPDX 2.3 as JSON. Raises `InputError` where the targets are of several operating systems."""
    bill = bill.left
    try:
        from spdx_tools.spdx import model
        from spdx_tools.spdx.jsonschema.document_converter import DocumentConverter
    except ImportError:
        raise _MISSING from None
    purposes, kinds = model.PackagePurpose, model.RelationshipType
    unknown = model.SpdxNoAssertion()
    package = partial(model.Package, download_location=unknown, files_analyzed=False)

    def of(digest: str, purl: PackageURL) -> dict[str, Any]:
        sums = [model.Checksum(model.ChecksumAlgorithm[algorithm(digest).upper()], digest)] if digest else []
        category = model.ExternalPackageRefCategory.PACKAGE_MANAGER
        return {
            "checksums": sums,
            "external_references": [model.ExternalPackageRef(category, "purl", purl.to_string())],
        }

    vendor, release = _system(bill)
    creation = model.CreationInfo(
        spdx_version="SPDX-2.3",
        spdx_id="SPDXRef-DOCUMENT",
        name=bill.name,
        document_namespace=f"urn:uuid:{_uuid(bill)}",
        creators=[model.Actor(model.ActorType.TOOL, f"pinner-{__version__}")],
        created=bill.date.replace(tzinfo=None),
        document_comment="\n".join(f"incomplete: {text}" for text in bill.incomplete) or None,
    )
    nodes = {"root": package("SPDXRef-root", bill.name, primary_package_purpose=purposes.CONTAINER)}
    nodes["os"] = package(
        "SPDXRef-OperatingSystem",  # trivy knows it by this, others by its purpose
        vendor,
        version=release,
        primary_package_purpose=purposes.OPERATING_SYSTEM,
    )
    for number, base in enumerate(bill.bases):
        nodes[base.digest] = package(
            f"SPDXRef-Image-{number}",
            base.reference.partition("@")[0],
            version=base.digest,
            primary_package_purpose=purposes.CONTAINER,
            **of(base.digest.rpartition(":")[2], _image(base)),
        )
    for number, (name, part) in enumerate(_packages(bill).items()):
        nodes[name] = package(
            f"SPDXRef-Package-{number}",
            part.package.name,
            download_location=part.url or unknown,
            version=part.package.version,
            comment="a later command may have removed it" if name in bill.unsure else None,
            source_info=f"built package from: {' '.join(part.source)}",
            **of(part.digest, part.purl),
        )
    relations = [model.Relationship("SPDXRef-DOCUMENT", kinds.DESCRIBES, nodes["root"].spdx_id)]
    for kind, edges in zip((kinds.CONTAINS, kinds.DEPENDS_ON), _edges(bill), strict=True):
        relations += [model.Relationship(nodes[one].spdx_id, kind, nodes[two].spdx_id) for one, two in edges]
    document = model.Document(creation, packages=[*nodes.values()], relationships=relations)
    return json.dumps(DocumentConverter().convert(document), indent=2)


def _uuid(bill: Bill) -> UUID:
    from uuid import NAMESPACE_URL, uuid5

    content = "\n".join(f"{name} {part.digest}" for name, part in _packages(bill).items())
    images = "".join(f"\n{base.digest}" for base in bill.bases)
    return uuid5(NAMESPACE_URL, f"{bill.name}\n{content}{images}")


def data(bill: Bill) -> dict[str, Any]:
    """The bill as it is, for JSON."""
    packages, files = list[dict[str, Any]](), list[dict[str, Any]]()
    for material in bill.materials:
        package, own = material.package, material.package.id
        digest: dict[str, Any] = {algorithm(package.digest): package.digest}
        left = "no" if own in bill.removed else "maybe" if own in bill.unsure else "yes"
        row = {**fields(package, "name version"), "architecture": package.arch}
        if material.is_local:
            row |= {"path": package.filename, **digest}
        else:
            row |= {
                "distribution": material.system.vendor,
                "suite": material.codename,
                "pocket": package.suite,
            }
            row |= {"url": material.url, "size": package.size, **digest, "asked": own in bill.asked}
        (files if material.is_local else packages).append(
            row | {"brings": list(bill.needed_by(own)), "left": left}
        )
    return {
        "name": bill.name,
        "date": bill.date.isoformat(),
        "packages": packages,
        "files": files,
        "incomplete": list(bill.incomplete),
    }


def debs_lock(bill: Bill) -> str:
    """A `debs.lock.yaml` in the shape that https://github.com/hermetoproject/hermeto/issues/1393 asks for.

    Strings are written as JSON has them, which YAML reads alike. Raises `InputError` where the packages are of several
    distributions, since the file names one. Files of the build context are not in it: nothing has to be fetched.
    """
    bill = bill._replace(materials=tuple(each for each in bill.materials if not each.is_local))
    vendors = {material.system.vendor for material in bill.materials}
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
