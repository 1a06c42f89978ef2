"""`make reproducible`: whoever builds the archive and the packages gets the bytes we publish.

Where they depended on something, the comparison says so: else nobody could believe its silence.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.installation import CHECKOUT, make

PUBLISHED = [
    r"sesmail-[\d.]+\.tar\.gz",
    r"sesmail-mta_[\d.]+-\d+_all\.deb",
    r"sesmail_[\d.]+-\d+\.debian\.tar\.xz",
    r"sesmail_[\d.]+-\d+\.dsc",
    r"sesmail_[\d.]+-\d+_all\.deb",
    r"sesmail_[\d.]+\.orig\.tar\.gz",
]
# What a build may depend on, each written into a file of the package. The umask is not among them:
# packaging/deb sets its own.
SURROUNDINGS = {
    "clock": "date +%Y",
    "directory": "pwd",
    "language-or-shell": 'echo "$$LC_ALL $$SHELL"',
    "user": "id -u; echo $$LOGNAME",
    "zone": "date +%Z",
}


def same(first: Path, second: Path) -> subprocess.CompletedProcess[str]:
    """Compare two directories as `make reproducible` does."""
    command = [CHECKOUT / "packaging/same", first, second]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.root
def test_no_byte_differs() -> None:
    """In another directory, by another user, under another umask, in another zone and year."""
    done = make("reproducible")
    assert done.returncode == 0, done.stdout + done.stderr
    names = [line.split()[1] for line in done.stdout.splitlines()]
    assert len(names) == len(PUBLISHED)
    assert all(map(re.fullmatch, PUBLISHED, sorted(names)))


@pytest.mark.root
def test_whatever_a_build_depends_on_is_noticed(tmp_path: Path) -> None:
    """A package that tells where, when and by whom it was made is not the same twice."""
    make("dist")
    (archive,) = (CHECKOUT / "build").glob("sesmail-*.tar.gz")
    tree = tmp_path / archive.name.removesuffix(".tar.gz")
    subprocess.run(["tar", "xzf", archive, "-C", tmp_path], check=True)
    place = "$(tree)/usr/share/doc/sesmail/"
    told = "".join(f"\t({how}) >{place}{what}\n" for what, how in SURROUNDINGS.items())
    with open(tree / "packaging/debian/rules", "a") as rules:
        rules.write(f"\nexecute_before_dh_fixperms:\n{told}")
    done = subprocess.run(
        ["make", "-s", "-C", tree, "reproducible"], capture_output=True, text=True
    )
    assert done.returncode != 0
    for what in SURROUNDINGS:
        assert f"├── ./usr/share/doc/sesmail/{what}\n" in done.stdout, what


def pair(directory: Path) -> tuple[Path, Path]:
    """Make two directories that hold the same two files."""
    for name in ("first", "second"):
        (directory / name).mkdir()
        (directory / name / "sesmail.tar.gz").write_bytes(b"\0" * 5000)
        (directory / name / "sesmail.dsc").write_text("Format: 3.0 (quilt)\n")
    return directory / "first", directory / "second"


def test_the_same(tmp_path: Path) -> None:
    """What tells of the build itself may differ."""
    first, second = pair(tmp_path)
    (first / "sesmail.buildinfo").write_text("by us")
    (second / "sesmail.changes").write_text("by them")
    done = same(first, second)
    assert done.returncode == 0, done.stderr
    assert [line.split()[1] for line in done.stdout.splitlines()] == [
        "sesmail.dsc",
        "sesmail.tar.gz",
    ]


def test_one_bit(tmp_path: Path) -> None:
    """The last of a file."""
    first, second = pair(tmp_path)
    (second / "sesmail.tar.gz").write_bytes(b"\0" * 4999 + b"\1")
    done = same(first, second)
    assert done.returncode == 1
    assert re.search("differ: (byte|char) 5000", done.stdout)  # by the language


@pytest.mark.parametrize("side", ["first", "second"])
def test_a_file_too_many(tmp_path: Path, side: str) -> None:
    """On either side."""
    first, second = pair(tmp_path)
    (tmp_path / side / "sesmail.deb").touch()
    done = same(first, second)
    assert done.returncode == 1
    assert "not the same files" in done.stderr


def test_nothing_to_compare(tmp_path: Path) -> None:
    """Two builds that made nothing are no proof."""
    assert same(tmp_path, tmp_path).returncode == 1
