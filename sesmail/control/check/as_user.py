"""Trying something as another user: in a child that becomes that user for good.

Only before the first thread is started: a child of a process with threads may inherit a lock that
nobody will ever release.
"""

from __future__ import annotations

import json
import os
import pwd
import select
import signal
import time
from collections.abc import Callable
from typing import Any

from sesmail.delivery.daemon import privileges
from sesmail.sysexits import NotPermitted, OSFailure, Unavailable

_PATIENCE = 30.0  # seconds
_PIECE = 65536


def may_become(user: pwd.struct_passwd) -> bool:
    """Tell whether this process can become ``user``, or is that user."""
    return os.geteuid() in (0, user.pw_uid)


def call(user: pwd.struct_passwd, function: Callable[[], Any], patience: float = _PATIENCE) -> Any:
    """Return what ``function`` returns as ``user`` with the groups of the system's files.

    The value must go through JSON. Raises NotPermitted where this process cannot become that user,
    Unavailable where there is no value after ``patience`` seconds, OSFailure where it failed.
    """
    if not may_become(user):
        raise NotPermitted(f"only root can become {user.pw_name}; sudo sesmailctl check")
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _run(user, function, writing)
    os.close(writing)
    try:
        answer = _read(reading, time.monotonic() + patience)
    finally:
        os.close(reading)
        os.kill(child, signal.SIGKILL)  # it has ended, or will not; it is not yet waited for
        os.waitpid(child, 0)
    if answer is None:
        raise Unavailable(f"nothing came of it in {patience:g} seconds as user {user.pw_name}")
    if not answer:
        raise OSFailure(f"it could not be tried as user {user.pw_name}")
    return json.loads(answer)


def _run(user: pwd.struct_passwd, function: Callable[[], Any], writing: int) -> None:
    """Do it, in the child, which ends here."""
    try:
        privileges.become(user.pw_name)
        data = json.dumps(function()).encode()
        while data:
            data = data[os.write(writing, data) :]
    finally:
        os._exit(0)  # nothing of the parent's is flushed, closed or told a second time


def _read(descriptor: int, end: float) -> bytes | None:
    """Return what comes until the end of the pipe; None if that does not come in time."""
    answer = b""
    while select.select([descriptor], [], [], max(0.0, end - time.monotonic()))[0]:
        piece = os.read(descriptor, _PIECE)
        if not piece:
            return answer
        answer += piece
    return None
