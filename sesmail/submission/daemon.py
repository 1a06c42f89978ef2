"""Asking the daemon through the socket ``control``; sesmaild's ``control_server`` has the answers.

Only for mailq and ``sendmail -q``: the socket module costs more than all of submission.
"""

from __future__ import annotations

import os
import socket
import struct

from sesmail.sysexits import Unavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_PATIENCE = 30.0  # seconds without a byte; the daemon may be busy
_PIECE = 65536
_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid


def ask(spool_directory: str, request: str, last: str) -> Iterator[str]:
    """Send ``request``; yield the lines of the answer, whose last one begins with ``last``.

    Raises Unavailable where nobody answers, or not to the end.
    """
    line = ""
    for lines in batches(spool_directory, request):
        for line in lines:
            yield line
    if not line.startswith(last):
        raise broken_off()


def batches(spool_directory: str, request: str) -> Iterator[list[str]]:
    """Send ``request``; yield the lines of the answer, as many as have come. Raises Unavailable."""
    path = os.path.join(spool_directory, "control")
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_PATIENCE)
            connection.connect(path)
            _check_peer(connection, spool_directory)
            # SIGPIPE may be at its default here.
            connection.sendall(f"{request}\n".encode("ascii"), socket.MSG_NOSIGNAL)
            yield from _received(connection)
    except OSError as error:
        raise Unavailable(
            f"sesmaild does not answer at {path}: {error.strerror or error}; is it running?"
        ) from None


def broken_off() -> Unavailable:
    """Return what is raised where the last line of an answer lacks."""
    return Unavailable("sesmaild did not answer to the end; try again")


def _check_peer(connection: socket.socket, spool_directory: str) -> None:
    """Make sure that the queue's owner listens: the link leads into its directory, not root's."""
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, _ = _CREDENTIALS.unpack(data)
    if uid not in (0, os.stat(os.path.join(spool_directory, "queue")).st_uid):
        raise Unavailable(f"somebody else (uid {uid}) listens in place of sesmaild; look who")


def _received(connection: socket.socket) -> Iterator[list[str]]:
    rest = ""
    while data := connection.recv(_PIECE):
        *lines, rest = (rest + data.decode("ascii", "replace")).split("\n")
        yield lines
