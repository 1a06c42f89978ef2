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
    path = os.path.join(spool_directory, "control")
    line = ""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_PATIENCE)
            connection.connect(path)
            _check_peer(connection, spool_directory)
            # SIGPIPE may be at its default here.
            connection.sendall(f"{request}\n".encode("ascii"), socket.MSG_NOSIGNAL)
            for line in _lines(connection):
                yield line
    except OSError as error:
        raise Unavailable(
            f"sesmaild does not answer at {path}: {error.strerror or error}; is it running?"
        ) from None
    if not line.startswith(last):
        raise Unavailable("sesmaild did not answer to the end; try again")


def _check_peer(connection: socket.socket, spool_directory: str) -> None:
    """Make sure that the queue's owner listens: the link leads into its directory, not root's."""
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, _ = _CREDENTIALS.unpack(data)
    if uid not in (0, os.stat(os.path.join(spool_directory, "queue")).st_uid):
        raise Unavailable(f"somebody else (uid {uid}) listens in place of sesmaild; look who")


def _lines(connection: socket.socket) -> Iterator[str]:
    rest = b""
    while data := connection.recv(_PIECE):
        *lines, rest = (rest + data).split(b"\n")
        yield from (line.decode("ascii", "replace") for line in lines)
