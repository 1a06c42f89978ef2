"""The host's own programs: dpkg-divert, update-alternatives, pacman, systemctl."""

from __future__ import annotations

import shutil
import subprocess

from sesmail.sysexits import OSFailure

_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
_ENVIRON = {"PATH": _PATH, "LC_ALL": "C"}  # what they print is read


def find(*names: str) -> str:
    """Return the path of the first of these programs that is there, "" if none is."""
    return next((path for name in names if (path := shutil.which(name, path=_PATH))), "")


def run(*words: str) -> str:
    """Run a program; return what it prints. Raises OSFailure where it fails, with its words."""
    done = _run(words)
    if done.returncode != 0:
        said = " ".join((done.stderr or done.stdout).split())
        raise OSFailure(f"{' '.join(words)} ended with {done.returncode}: {said}")
    return done.stdout


def succeeds(*words: str) -> bool:
    """Tell whether a program ends with 0."""
    return _run(words).returncode == 0


def _run(words: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            text=True,
            errors="replace",
            env=_ENVIRON,
            umask=0o022,
        )
    except OSError as error:
        raise OSFailure(f"cannot run {words[0]}: {error.strerror}; install it again") from None
