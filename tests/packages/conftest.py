"""The packages, built once for the session: `make deb`, of this version and of one before it."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.installation import CHECKOUT


@dataclass(frozen=True)
class Debs:
    """The binary packages of one version, and the directory that holds its source package, too."""

    sesmail: Path
    sesmail_mta: Path

    @property
    def directory(self) -> Path:
        """Where they lie, with the .dsc and .changes."""
        return self.sesmail.parent


@pytest.fixture(scope="session")
def debs(tmp_path_factory: pytest.TempPathFactory) -> Debs:
    """The packages of this tree."""
    return build(tmp_path_factory.mktemp("debs"))


@pytest.fixture(scope="session")
def previous_debs(tmp_path_factory: pytest.TempPathFactory) -> Debs:
    """The same tree with a lower version number: what is upgraded from."""
    return build(tmp_path_factory.mktemp("previous"), "0.0.9")


def build(directory: Path, version: str = "") -> Debs:
    """Build the packages into a directory."""
    command: list[str | Path] = [CHECKOUT / "packaging/deb", directory]
    command += [version] if version else []
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (sesmail,) = directory.glob("sesmail_*.deb")
    (sesmail_mta,) = directory.glob("sesmail-mta_*.deb")
    return Debs(sesmail, sesmail_mta)
