"""`make sbom`: the bills name what a host gets, no more and no less, and are the same twice."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sesmail import VERSION
from tests import locks
from tests.installation import CHECKOUT, PYTHON
from tests.packages.debs import Debs

Bill = dict[str, Any]
DEPENDS = {
    "sesmail": {"adduser", "python3", "python3-boto3", "python3-email-validator", "python3-rich"},
    "sesmail-mta": {"sesmail"},
}
# Of setup.cfg; tests/command/test_lock.py holds it and the lock together.
NEEDED = {"boto3", "email-validator", "rich"}


def make_bills(directory: Path, debs: Debs, **environ: str) -> Path:
    """Let packaging/sbom write the bills for these packages, as `make sbom` does."""
    directory.mkdir()
    for deb in (debs.sesmail, debs.sesmail_mta):
        os.link(deb, directory / deb.name)
    done = subprocess.run(
        [CHECKOUT / "packaging/sbom", directory],
        env=os.environ | {"PYTHON": PYTHON} | environ,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return directory


@pytest.fixture(scope="module")
def bills(debs: Debs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory with packages and bills."""
    return make_bills(tmp_path_factory.mktemp("bills") / "first", debs)


def read(path: Path) -> Bill:
    """Return a bill of CycloneDX 1.6, which packaging/bill.py has held against the schema."""
    bill: Bill = json.loads(path.read_text())
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    return bill


def normal(name: str) -> str:
    """Return a name of a Python package in its normal form (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def needs(bill: Bill) -> Mapping[str, set[str]]:
    """Return who needs whom, by name; each reference leads somewhere."""
    parts = [bill["metadata"]["component"], *bill["components"]]
    names = {part["bom-ref"]: normal(part["name"]) for part in parts}
    assert len(names) == len(parts)
    return {
        names[one["ref"]]: {names[ref] for ref in one.get("dependsOn", [])}
        for one in bill["dependencies"]
    }


def test_the_virtual_environment(bills: Path) -> None:
    """The packages of the lock, each by version and the hash of a file that the lock allows."""
    bill = read(bills / f"sesmail-{VERSION}.venv.cdx.json")
    pins = locks.read(CHECKOUT / "packaging/requirements.lock")
    found = {normal(part["name"]): part for part in bill["components"]}
    assert len(found) == len(bill["components"])
    assert {name: part["version"] for name, part in found.items()} == {
        name: pin.version for name, pin in pins.items()
    }
    for name, part in found.items():
        (digest,) = part["hashes"]
        assert digest["alg"] == "SHA-256"
        assert digest["content"] in pins[name].hashes
        assert part["purl"] == f"pkg:pypi/{name}@{pins[name].version}"
        assert part["licenses"]
    subject = bill["metadata"]["component"]
    assert (subject["name"], subject["version"]) == ("sesmail", VERSION)


def test_who_needs_whom(bills: Path) -> None:
    """sesmail what setup.cfg says, and nothing is there that nobody needs."""
    needed = needs(read(bills / f"sesmail-{VERSION}.venv.cdx.json"))
    assert needed["sesmail"] == NEEDED
    assert needed["boto3"] >= {"botocore", "s3transfer"}
    assert set.union(*needed.values()) == needed.keys() - {"sesmail"}


@pytest.mark.parametrize("name", DEPENDS)
def test_a_package(bills: Path, debs: Debs, name: str) -> None:
    """The file by its hash, and each of Debian's packages that dpkg asks for, with the range."""
    deb = {"sesmail": debs.sesmail, "sesmail-mta": debs.sesmail_mta}[name]
    bill = read(bills / f"{deb.name}.cdx.json")
    subject = bill["metadata"]["component"]
    digest = hashlib.sha256(deb.read_bytes()).hexdigest()
    version = deb.name.split("_")[1]
    assert (subject["name"], subject["version"]) == (name, version)
    assert subject["hashes"] == [{"alg": "SHA-256", "content": digest}]
    assert subject["purl"] == f"pkg:deb/debian/{name}@{version}?arch=all"
    assert {part["name"] for part in bill["components"]} == DEPENDS[name]
    assert needs(bill)[name] == DEPENDS[name]
    depends = subprocess.check_output(["dpkg-deb", "--field", deb, "Depends"], text=True)
    ranges = {part["description"] for part in bill["components"]}
    assert ranges == {f"Depends: {one}" for one in depends.strip().split(", ")}


def test_the_same_twice(bills: Path, debs: Debs, tmp_path: Path) -> None:
    """The bytes depend neither on where and when they are made, nor on chance.

    The only clock is SOURCE_DATE_EPOCH; without it there is no time in them.
    """
    again = make_bills(
        tmp_path / "again", debs, TZ="Asia/Kathmandu", SOURCE_DATE_EPOCH="1700000000"
    )
    names = sorted(path.name for path in bills.glob("*.cdx.json"))
    assert len(names) == 3
    assert names == sorted(path.name for path in again.glob("*.cdx.json"))
    for name in names:
        dated = read(again / name)
        assert dated["metadata"].pop("timestamp") == "2023-11-14T22:13:20+00:00"
        assert json.dumps(read(bills / name)) == json.dumps(dated), name  # in the same order
