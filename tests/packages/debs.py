"""Binary packages of sesmail: built from this tree, or made of those with changes in them."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.installation import CHECKOUT

PREVIOUS = "0.0.9-1"
_LIBRARY = "usr/share/sesmail/sesmail"


@dataclass(frozen=True)
class Debs:
    """The binary packages of one version, in a directory; if they were built, with the .changes."""

    directory: Path

    @property
    def sesmail(self) -> Path:
        """The package itself."""
        (path,) = self.directory.glob("sesmail_*.deb")
        return path

    @property
    def sesmail_mta(self) -> Path:
        """The empty one that says to be a mail-transport-agent."""
        (path,) = self.directory.glob("sesmail-mta_*.deb")
        return path


def build(directory: Path) -> None:
    """Build the packages into a directory."""
    _run(CHECKOUT / "packaging/deb", directory)


def previous(debs: Debs, directory: Path) -> None:
    """Make packages of an earlier version in a directory.

    Two of its modules agree on another name for a function, as versions do: a process that has one
    of them from here and the other from there fails.
    """

    def changed(tree: Path) -> None:
        control = tree / "DEBIAN/control"
        lines = control.read_text().splitlines(keepends=True)
        version = [line for line in lines if line.startswith("Version: ")]
        text = control.read_text().replace(version[0].split()[1], PREVIOUS)
        control.write_text(text)
        submission = tree / _LIBRARY / "submission"
        if submission.exists():
            _rename(submission / "main.py", "route.submit(", "route.submit_as_before(")
            _rename(submission / "route.py", "def submit(", "def submit_as_before(")

    repack(debs.sesmail, directory / "sesmail_previous.deb", changed)
    repack(debs.sesmail_mta, directory / "sesmail-mta_previous.deb", changed)


def repack(deb: Path, new: Path, change: Callable[[Path], None]) -> Path:
    """Unpack a package, let ``change`` work in its tree, and pack it again."""
    tree = new.with_suffix(".tree")
    _run("dpkg-deb", "--raw-extract", deb, tree)
    change(tree)
    sums = tree / "DEBIAN/md5sums"
    names = [line.split(maxsplit=1)[1] for line in sums.read_text().splitlines()]
    sums.write_text("".join(f"{_md5(tree / name)}  {name}\n" for name in names))
    _run("dpkg-deb", "--root-owner-group", "-Znone", "--build", tree, new)
    return new


def _rename(module: Path, old: str, new: str) -> None:
    text = module.read_text()
    assert text.count(old) == 1, f"{module} has not one {old!r}: let previous() change another name"
    module.write_text(text.replace(old, new))


def _md5(file: Path) -> str:
    return hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()


def _run(*words: str | Path) -> None:
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
