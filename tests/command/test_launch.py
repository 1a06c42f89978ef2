"""sesmaild and sesmailctl: how they become the part that needs third-party packages."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from sesmail.launch import ROLE_VARIABLES
from sesmail.sysexits import EX_OK, EX_UNAVAILABLE
from tests.installation import Installation

SHOW = '#!/bin/sh\necho "$@"\nexec env\n'  # in the place of the environment's Python
HOSTILE = {
    "PATH": "/tmp",
    "LD_LIBRARY_PATH": "/tmp",
    "PYTHONPATH": "/tmp",
    "PYTHONINSPECT": "1",
    "AWS_ACCESS_KEY_ID": "AKIA",
    "AWS_CONFIG_FILE": "/tmp/config",
    "HTTPS_PROXY": "http://127.0.0.1:1",
    "SSL_CERT_FILE": "/tmp/ca",
    "RES_OPTIONS": "debug",
    "HOME": "/tmp",
    "LC_ALL": "tr_TR",
}
KEPT = {
    "sesmaild": {
        "SESMAIL_CONFIG": "/c",
        "NOTIFY_SOCKET": "/n",
        **dict.fromkeys(ROLE_VARIABLES, "r"),
    },
    "sesmailctl": {
        "SESMAIL_CONFIG": "/c",
        "TERM": "vt100",
        "SUDO_UID": "1000",
        "AWS_CONFIG_FILE": "/a",
    },
}
PARTS = {"sesmaild": "sesmail/delivery/daemon", "sesmailctl": "sesmail/control"}


@pytest.fixture
def library(installed: Installation, tmp_path: Path) -> Path:
    """A library without its environment."""
    shutil.copytree(installed.library / "sesmail", tmp_path / "sesmail")
    return tmp_path


def command(installed: Installation, library: Path, name: str) -> Path:
    """Return a copy of a command that uses ``library``."""
    path = library / name
    path.write_text(
        installed.command(name).read_text().replace(str(installed.library), str(library))
    )
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("name", PARTS)
def test_nothing_goes_along_but_what_is_named(
    installed: Installation, library: Path, name: str
) -> None:
    """The environment's Python, isolated, gets the words and a clean environment."""
    python = library / ".venv/bin/python3"
    python.parent.mkdir(parents=True)
    python.write_text(SHOW)
    python.chmod(0o755)
    done = subprocess.run(
        [command(installed, library, name), "--some", "words"],
        env=HOSTILE | KEPT[name],
        capture_output=True,
        text=True,
    )
    words, *variables = done.stdout.splitlines()
    assert words == f"-I {library}/{PARTS[name]}/__main__.py --some words"
    environ = dict(line.split("=", 1) for line in variables)
    environ.pop("PWD", None)  # the shell's
    assert environ == KEPT[name] | {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}


def test_no_other_library_takes_the_place_of_ours(installed: Installation, library: Path) -> None:
    """Beside a checkout others may be able to write: what lies there is not run."""
    theirs = library / "theirs"
    (theirs / "sesmail/submission").mkdir(parents=True)
    (theirs / "sesmail/submission/main.py").write_text("def main(argv, library): return 1\n")
    for suffix in (".keep", ".old", ".new"):
        library.with_name(library.name + suffix).symlink_to(theirs)
    settings = library / "sesmail.conf"
    settings.write_text("real_sendmail = none\n")
    done = subprocess.run(
        [command(installed, library, "newaliases")],
        env={"SESMAIL_CONFIG": str(settings)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (EX_OK, "")


@pytest.mark.parametrize("name", PARTS)
def test_without_its_environment(installed: Installation, library: Path, name: str) -> None:
    """69, and one line that says what to do."""
    done = subprocess.run(
        [command(installed, library, name)], env={}, capture_output=True, text=True
    )
    assert done.returncode == EX_UNAVAILABLE
    assert done.stderr.count("\n") == 1
    assert "install sesmail again" in done.stderr
