"""A bill of materials as JSON, and as a lock file for hermeto."""

from __future__ import annotations

import json
from typing import Any

from pinner.apt.digest import algorithm
from pinner.errors import InputError
from pinner.workflow.bill import Bill


def data(bill: Bill) -> dict[str, Any]:
    """The bill as it is, for JSON."""
    packages = [
        {
            "name": material.package.name,
            "version": material.package.version,
            "architecture": material.package.arch,
            "distribution": material.system.vendor,
            "suite": material.codename,
            "pocket": material.package.suite,
            "url": material.url,
            "size": material.package.size,
            algorithm(material.package.digest): material.package.digest,
            "asked": material.package.id in bill.asked,
            "brings": list(bill.needed_by(material.package.id)),
            "left": "no"
            if (own := material.package.id) in bill.removed
            else "maybe"
            if own in bill.unsure
            else "yes",
        }
        for material in bill.materials
    ]
    return {
        "name": bill.name,
        "date": bill.date.isoformat(),
        "packages": packages,
        "incomplete": list(bill.incomplete),
    }


def debs_lock(bill: Bill) -> str:
    """A `debs.lock.yaml` in the shape that https://github.com/hermetoproject/hermeto/issues/1393 asks for.

    Strings are written as JSON has them, which YAML reads alike. Raises `InputError` where the packages are of several
    distributions, since the file names one.
    """
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
