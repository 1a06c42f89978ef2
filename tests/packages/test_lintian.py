"""The packages as lintian and systemd see them."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.packages.debs import Debs


def test_lintian_finds_no_error_and_no_warning(debs: Debs) -> None:
    """Source and binary packages; each override has its reason beside it."""
    (changes,) = debs.directory.glob("*.changes")
    command: list[str | Path] = [
        "lintian",
        "-i",
        "-I",
        "--pedantic",
        "--fail-on",
        "error,warning",
        changes,
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not [line for line in done.stdout.splitlines() if line.startswith(("E:", "W:"))]


def test_the_settings_are_a_conffile_and_the_credentials_are_none(debs: Debs) -> None:
    """dpkg asks about sesmail.conf where both sides changed it; it never touches a secret."""
    command: list[str | Path] = ["dpkg-deb", "--info", debs.sesmail, "conffiles"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "/etc/sesmail/sesmail.conf\n"
