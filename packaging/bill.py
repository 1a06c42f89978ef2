"""Write a bill of materials on standard output, checked against the schema of CycloneDX 1.6.

    bill.py venv VERSION ENVIRONMENT REPORT    what cyclonedx-py found in an environment, and pip's
                                               report of what it was made from
    bill.py deb FILE                           a Debian package and what it depends on

Run by packaging/sbom in the environment of packaging/requirements-sbom.lock. Nothing in the result
is random; its timestamp is $SOURCE_DATE_EPOCH, or there is none.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

_SCHEMA = SchemaVersion.V1_6


def environment(version: str, found: Path, report: Path) -> Bom:
    """Return the bill of the virtual environment: each package with the hash of its wheel."""
    bom = Bom.from_json(json.loads(found.read_text()))
    _without_chance(bom)
    hashes = {
        _name(item["metadata"]["name"]): item["download_info"]["archive_info"]["hashes"]["sha256"]
        for item in json.loads(report.read_text())["install"]
    }
    for component in bom.components:
        component.hashes.add(_sha256(hashes.pop(_name(component.name))))
    if hashes:
        sys.exit(f"not in the environment: {', '.join(hashes)}")
    bom.metadata.component = Component(
        name="sesmail",
        version=version,
        type=ComponentType.APPLICATION,
        bom_ref="sesmail",
        purl=PackageURL("generic", None, "sesmail", version),
    )
    # Who needs whom is known of the packages; sesmail itself is the one that needs the rest.
    needed = {ref for one in bom.dependencies for ref in one.dependencies_as_bom_refs()}
    roots = [component for component in bom.components if component.bom_ref not in needed]
    bom.register_dependency(bom.metadata.component, roots)
    return bom


def package(deb: Path) -> Bom:
    """Return the bill of a Debian package: its hash, and its dependencies with their ranges.

    Which versions they are, is for the host's Debian to say.
    """
    bom = Bom()
    _without_chance(bom)
    name, version = _field(deb, "Package"), _field(deb, "Version")
    component = Component(
        name=name,
        version=version,
        type=ComponentType.APPLICATION,
        bom_ref=name,
        purl=PackageURL("deb", "debian", name, version, {"arch": _field(deb, "Architecture")}),
        hashes=[_sha256(hashlib.sha256(deb.read_bytes()).hexdigest())],
    )
    bom.metadata.component = component
    needed = [
        _dependency(relation.strip(), field)
        for field in ("Pre-Depends", "Depends")
        for relation in _field(deb, field).split(",")
        if relation.strip()
    ]
    bom.components.update(needed)
    bom.register_dependency(component, needed)
    return bom


def _dependency(relation: str, field: str) -> Component:
    """Return what "python3:any (>= 3.11)" asks for; of alternatives, the first."""
    name = re.split(r"[ :(|]", relation)[0]
    return Component(
        name=name,
        type=ComponentType.LIBRARY,
        bom_ref=f"{field}: {relation}",
        description=f"{field}: {relation}",
        purl=PackageURL("deb", "debian", name),
    )


def _without_chance(bom: Bom) -> None:
    """Take out the random serial number and the time of day."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    bom.serial_number = None
    bom.metadata.timestamp = datetime.fromtimestamp(int(epoch), UTC) if epoch else None


def _field(deb: Path, name: str) -> str:
    words = ["dpkg-deb", "--field", str(deb), name]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


def _sha256(content: str) -> HashType:
    return HashType(alg=HashAlgorithm.SHA_256, content=content)


def _name(name: str) -> str:
    """Return a package's name in its normal form (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def main(kind: str, *words: str) -> None:
    """Make one bill, and end with a message if it is not what the schema says."""
    if kind == "venv":
        bom = environment(words[0], Path(words[1]), Path(words[2]))
    else:
        bom = package(Path(words[0]))
    text = make_outputter(bom, OutputFormat.JSON, _SCHEMA).output_as_string(indent=2)
    if error := JsonStrictValidator(_SCHEMA).validate_str(text):
        sys.exit(f"not CycloneDX: {error}")
    print(text)


main(*sys.argv[1:])
