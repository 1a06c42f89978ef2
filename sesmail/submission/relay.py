"""Relay: become the real sendmail, with the caller's arguments, bytes, user and environment.

An exec and no child: signals, exit code, time limits and outputs stay between the caller and the
real sendmail.
"""

from __future__ import annotations

import posix

from sesmail.submission import realsendmail, signals
from sesmail.sysexits import Unavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NoReturn

    from sesmail.settings import Settings
    from sesmail.submission.input import Input

GUARD = "SESMAIL_RELAYED"


def find(settings: Settings, environ: Mapping[str, str], own_path: str, name: str) -> str | None:
    """Return the real sendmail that may be executed, or None. Raises Unavailable for a loop."""
    path = realsendmail.find(settings, own_path, name)
    if path is None:
        return None
    if GUARD in environ:
        raise Unavailable(
            f"{path} leads back to sesmail; name the real sendmail with real_sendmail in "
            "sesmail.conf"
        )
    realsendmail.check_privileges(path)
    return path


def find_queue(
    settings: Settings, environ: Mapping[str, str], own_path: str, name: str
) -> str | None:
    """Return the real sendmail, or None too if it keeps no queue: msmtp knows no -bp and no -q."""
    path = find(settings, environ, own_path, name)
    if path is None:
        return None
    import os.path  # no message needs it

    return None if os.path.basename(os.path.realpath(path)) == "msmtp" else path


def execute(
    path: str, name: str, words: list[str], environ: Mapping[str, str], message: Input | None
) -> NoReturn:
    """Become ``path`` with ``words`` as its arguments. Raises Unavailable if that fails.

    ``message`` is standard input if some of it was read; it stands at its first byte again.
    """
    if message is not None:
        message.rewind()
    signals.restore()
    try:
        posix.execve(path, [name, *words], environment(environ))
    except OSError as error:
        raise Unavailable(
            f"cannot run the real sendmail {path}: {error.strerror}; see real_sendmail "
            "in sesmail.conf"
        ) from None


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the caller's environment as it came, plus the guard.

    In the C locale Python adds LC_CTYPE=C.UTF-8 to it at its start (PEP 538).
    """
    changed = {**environ, GUARD: "1"}
    if changed.get("LC_CTYPE") == "C.UTF-8" and not _came_with(b"LC_CTYPE=C.UTF-8"):
        del changed["LC_CTYPE"]
    return changed


def _came_with(variable: bytes) -> bool:
    try:
        with open("/proc/self/environ", "rb") as file:
            return variable in file.read().split(b"\0")
    except OSError:
        return True
