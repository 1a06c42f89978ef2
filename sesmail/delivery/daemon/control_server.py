"""The socket ``control``: where mailq, ``sendmail -q`` and sesmailctl ask the daemon.

One request, a line, one answer, and the end. Everybody may ask: root, the daemon's user and the
members of its group see and change everything; others see their own entries and the totals of all,
and let the drop be looked through. The content of a message is for root alone. What can be asked,
and how, is in ``answers``: ``mailq`` has the requests in text, ``registry`` those in JSON.

The socket lies in ``SPOOL/run``, which belongs to the daemon's user, for ``SPOOL`` is root's;
``SPOOL/control`` is a link to it. So a daemon that was started as that user can make it anew.

The daemon never waits for a client: what does not go out at once goes out in a later turn of the
loop, and who does not ask or does not read loses the connection.
"""

from __future__ import annotations

import os
import select
import socket
import struct
import time
from collections.abc import Callable, Generator
from contextlib import suppress

from sesmail.delivery.daemon.answers.frame import LONGEST_REQUEST, Client
from sesmail.sysexits import CannotCreate

MOST_PER_UID = 4  # connections
MOST = 32
PATIENCE = 10.0  # seconds in which a client must do something
_BACKLOG = 64
_SO_PEERGROUPS = getattr(socket, "SO_PEERGROUPS", 59)  # unix(7); the number of asm-generic
_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid
_MOST_GROUPS = 256  # what fits into the 1024 bytes that Python reads; of more we see none
_MOST_ACCEPTED = 16  # in one turn


# Returns the answer to a line, in pieces, perhaps empty ones; None: it is no request.
Respond = Callable[[bytes, Client], Generator[str, None, None] | None]


class ControlServer:
    """The listening socket and its clients; ``fileno`` is readable when ``serve`` has work."""

    def __init__(self, spool_directory: str, respond: Respond) -> None:
        """Make the socket. Raises CannotCreate. Whoever calls this holds the queue's lock."""
        self._path = os.path.join(spool_directory, "run", "control")
        self._respond = respond
        self._clients: dict[int, _Connection] = {}
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with suppress(FileNotFoundError):
                os.unlink(self._path)
            self._socket.bind(self._path)
            os.chmod(self._path, 0o666)  # noqa: S103  who may see what is decided by SO_PEERCRED
            self._socket.listen(_BACKLOG)
        except OSError as error:
            self._socket.close()
            raise CannotCreate(
                f"cannot make {self._path}, so mailq gets no answer: {error.strerror or error}; "
                "run sesmailctl init as root"
            ) from None
        self._socket.setblocking(False)
        self._poll = select.epoll()
        self._poll.register(self._socket, select.EPOLLIN)

    def fileno(self) -> int:
        """Return the descriptor to be watched: that of an epoll over all of ours (epoll(7))."""
        return self._poll.fileno()

    def close(self) -> None:
        """End all connections and remove the socket."""
        for client in list(self._clients.values()):
            self._drop(client)
        self._poll.close()
        self._socket.close()
        with suppress(OSError):
            os.unlink(self._path)

    def serve(self) -> None:
        """Do one step for each client that is ready, and let others in."""
        self.drop_stalled()
        for descriptor, events in self._poll.poll(0):
            if descriptor == self._socket.fileno():
                self._accept_waiting()
            elif client := self._clients.get(descriptor):
                self._step(client, events)

    def drop_stalled(self, _now: int = 0) -> None:
        """End the connections of those who do nothing; also to be called now and then."""
        limit = time.monotonic() - PATIENCE
        for client in list(self._clients.values()):
            if client.moved < limit:
                self._drop(client)

    def _accept_waiting(self) -> None:
        for _ in range(_MOST_ACCEPTED):
            try:
                connection, _ = self._socket.accept()
            except OSError:  # no more, or gone again
                return
            self._admit(connection)

    def _admit(self, connection: socket.socket) -> None:
        """Take a client in. Root and the daemon's own user are not kept out by others."""
        connection.setblocking(False)
        client = _Connection(connection)
        uid = client.client.uid
        others = [other.client.uid for other in self._clients.values()]
        is_full = len(others) >= MOST or others.count(uid) >= MOST_PER_UID
        if is_full and uid not in (0, os.geteuid()):
            connection.close()
            return
        self._clients[connection.fileno()] = client
        self._poll.register(connection, select.EPOLLIN)

    def _step(self, client: _Connection, events: int) -> None:
        try:
            if events & select.EPOLLOUT:
                is_open = client.send()
            elif events & select.EPOLLIN:
                is_open = self._read(client)
            else:
                is_open = False  # hung up
        except BlockingIOError:
            return
        except Exception:  # noqa: BLE001  nobody's mailq ends the daemon
            is_open = False  # the answer has no last line, and the client says so
        if not is_open:
            self._drop(client)

    def _read(self, client: _Connection) -> bool:
        """Read of the request what is there; return whether the connection goes on."""
        request = client.read()
        if request is None:
            return client.is_patient
        client.answer = self._respond(request, client.client)
        if client.answer is None:
            return False
        self._poll.modify(client.connection, select.EPOLLOUT)
        return True

    def _drop(self, client: _Connection) -> None:
        del self._clients[client.connection.fileno()]
        client.close()


class _Connection:
    """One connection: who it is, what it asked so far, what it has still to get."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.client = _credentials(connection)
        self.moved = time.monotonic()
        self.is_patient = True  # nothing wrong so far
        self.answer: Generator[str, None, None] | None = None
        self._request = b""
        self._outgoing = memoryview(b"")

    def read(self) -> bytes | None:
        """Return the request once its line is whole."""
        data = self.connection.recv(LONGEST_REQUEST)
        self._request += data
        line, end, _ = self._request.partition(b"\n")
        self.is_patient = bool(data) and len(self._request) < LONGEST_REQUEST
        return line if end else None

    def send(self) -> bool:
        """Send a piece of the answer; return whether there is more."""
        if not self._outgoing:
            piece = next(self.answer, None) if self.answer else None
            self.moved = time.monotonic()
            if not piece:
                return piece is not None  # more comes in a later turn
            self._outgoing = memoryview(piece.encode("ascii"))
        self._outgoing = self._outgoing[self.connection.send(self._outgoing) :]
        self.moved = time.monotonic()
        return True

    def close(self) -> None:
        """End the connection, and with the answer what it has open."""
        if self.answer:
            self.answer.close()
        self.connection.close()


def _credentials(connection: socket.socket) -> Client:
    """Return who is at the other end."""
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, gid = _CREDENTIALS.unpack(data)
    if uid in (0, os.geteuid()):
        return Client(uid, sees_all=True)
    groups = {gid}
    with suppress(OSError):
        data = connection.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, 4 * _MOST_GROUPS)
        groups.update(group for (group,) in struct.iter_unpack("i", data))
    return Client(uid, sees_all=os.getegid() in groups)
