"""The installed tree that command, system and client tests run: made once per test session.

The session's directory is readable by every user, unlike pytest's own, and lies outside of the
checkout, so that nothing works only because the checkout is there.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
PYTHON = os.environ.get("PYTHON", "/usr/bin/python3")
VENV = os.environ.get("VENV", "own")  # none: `make test VENV=none`
_WHEELS = CHECKOUT / ".cache" / "wheels"  # put there by `make venv`


@dataclass(frozen=True)
class Installation:
    """What `make install PREFIX=prefix` made, and ``recorder``, a real sendmail that records."""

    prefix: Path
    recorder: Path

    @property
    def sendmail(self) -> Path:
        """The sendmail command."""
        return self.command("sendmail")

    @property
    def library(self) -> Path:
        """The directory that holds sesmail/ and .venv/."""
        return self.prefix / "lib" / "sesmail"

    def command(self, name: str) -> Path:
        """The path of sesmail, sendmail, mailq, newaliases, sesmaild or sesmailctl."""
        return self.prefix / ("sbin" if name in ("sendmail", "sesmaild") else "bin") / name


def make_session_directory() -> Path:
    """Make the directory of a test session, readable by every user."""
    path = Path(tempfile.mkdtemp(prefix="sesmail-tests-"))
    path.chmod(0o755)
    return path


def install_once(session: Path) -> Installation:
    """Install below ``session``, unless another worker of the same session did so before."""
    installation = Installation(session / "usr", session / "recorder")
    with open(session / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not installation.recorder.exists():
            done = make("install", f"PREFIX={installation.prefix}")
            assert done.returncode == 0, done.stdout + done.stderr
            source = (CHECKOUT / "tests" / "real_sendmail.c").read_text()
            compile_program(source, installation.recorder)
    return installation


def make(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run make in the checkout, where pip may use no network but the wheels of `make venv`."""
    environ = os.environ | {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(_WHEELS)} | environ
    for name in ("MAKEFLAGS", "MAKELEVEL", "DESTDIR", "PREFIX"):
        environ.pop(name, None)  # tests run under make themselves
    command = ["make", "-s", "-C", str(CHECKOUT), f"PYTHON={PYTHON}", f"VENV={VENV}", *arguments]
    return subprocess.run(command, env=environ, capture_output=True, text=True)


def compile_program(source: str, program: Path) -> None:
    """Compile a C program that every user may run."""
    compiler = shutil.which("cc")
    assert compiler, "a C compiler is needed: apt-get install gcc libc6-dev"
    options = ["-O1", "-Wall", "-Werror", "-x", "c", "-", "-o", str(program)]
    subprocess.run([compiler, *options], input=source.encode(), check=True)
    program.chmod(0o755)
