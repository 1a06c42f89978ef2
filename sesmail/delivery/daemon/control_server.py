"""The socket ``control``: the daemon's answers to mailq, ``sendmail -q`` and sesmailctl.

    list     entry QUEUE-ID MARK SIZE ARRIVED SENDER    MARK: * active, ! held, - else; in seconds
             because REASON                             of the forward-paths that follow
             to FORWARD-PATH
             total MESSAGES BYTES                       the last line: without it something lacks
    flush    done                                       what waits is tried now
    requeue QUEUE-ID
             done NUMBER                                forward-paths that failed, tried again
             denied

One request, one answer, and the end. Everybody may ask: root, the daemon's user and the members of
its group see, flush and requeue everything; others see their own entries and the totals of all, and
let the drop be looked through.

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
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, suppress

from sesmail.delivery.maillog import printable
from sesmail.queue.listing import Listed, Listing
from sesmail.queue.upkeep import IDENTITY, Hold
from sesmail.sysexits import CannotCreate

MOST_PER_UID = 4  # connections
MOST = 32
PATIENCE = 10.0  # seconds in which a client must do something
PAGE = 250  # messages looked at in one turn of the loop
_LONGEST_REQUEST = 100  # bytes
_LONGEST_REASON = 400  # characters
_BACKLOG = 64
_SO_PEERGROUPS = getattr(socket, "SO_PEERGROUPS", 59)  # unix(7); the number of asm-generic
_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid
_MOST_GROUPS = 256  # what fits into the 1024 bytes that Python reads; of more we see none
_MOST_ACCEPTED = 16  # in one turn


class ControlServer:
    """The listening socket and its clients; ``fileno`` is readable when ``serve`` has work.

    ``flush`` is called to make due what waits, ``scan`` to have the drop looked through,
    ``requeue`` to try an entry again, ``holds`` to know which identities are held.
    """

    def __init__(
        self,
        spool_directory: str,
        flush: Callable[[], object],
        scan: Callable[[], object],
        requeue: Callable[[str], int],
        holds: Callable[[], Iterable[Hold]],
    ) -> None:
        """Make the socket. Raises CannotCreate. Whoever calls this holds the queue's lock."""
        self._queue_directory = os.path.join(spool_directory, "queue")
        self._path = os.path.join(spool_directory, "run", "control")
        self._flush = flush
        self._scan = scan
        self._requeue = requeue
        self._holds = holds
        self._clients: dict[int, _Client] = {}
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
        client = _Client(connection)
        others = [other.uid for other in self._clients.values()]
        is_full = len(others) >= MOST or others.count(client.uid) >= MOST_PER_UID
        if is_full and client.uid not in (0, os.geteuid()):
            connection.close()
            return
        self._clients[connection.fileno()] = client
        self._poll.register(connection, select.EPOLLIN)

    def _step(self, client: _Client, events: int) -> None:
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

    def _read(self, client: _Client) -> bool:
        """Read of the request what is there; return whether the connection goes on."""
        request = client.read()
        if request is None:
            return client.is_patient
        if request == b"list":
            client.answer = self._list(client)
        elif request == b"flush":
            client.answer = self._try_now(client)
        elif request.startswith(b"requeue "):
            client.answer = self._try_again(client, request[8:].decode("ascii", "replace"))
        else:
            return False
        self._poll.modify(client.connection, select.EPOLLOUT)
        return True

    def _list(self, client: _Client) -> Generator[str, None, None]:
        """Yield the listing in pieces; the database is closed with the generator."""
        messages = size = 0
        last: int | None = 0
        held = {hold.identity: hold.reason for hold in self._holds() if hold.scope == IDENTITY}
        with closing(Listing(self._queue_directory)) as listing:
            while last is not None:
                page = listing.page(last, None if client.sees_all else client.uid, PAGE)
                messages += page.messages
                size += page.size
                last = page.last
                yield "".join(
                    line
                    for entry in page.entries
                    for line in _lines(entry, held.get(entry.identity))
                )
        yield f"total {messages} {size}\n"

    def _try_now(self, client: _Client) -> Generator[str, None, None]:
        if client.sees_all:
            self._flush()
        self._scan()
        yield "done\n"

    def _try_again(self, client: _Client, queue_id: str) -> Generator[str, None, None]:
        yield f"done {self._requeue(queue_id)}\n" if client.sees_all else "denied\n"

    def _drop(self, client: _Client) -> None:
        del self._clients[client.connection.fileno()]
        client.close()


class _Client:
    """One connection: who it is, what it asked so far, what it has still to get."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.uid, self.sees_all = _credentials(connection)
        self.moved = time.monotonic()
        self.is_patient = True  # nothing wrong so far
        self.answer: Generator[str, None, None] | None = None
        self._request = b""
        self._outgoing = memoryview(b"")

    def read(self) -> bytes | None:
        """Return the request once its line is whole."""
        data = self.connection.recv(_LONGEST_REQUEST)
        self._request += data
        line, end, _ = self._request.partition(b"\n")
        self.is_patient = bool(data) and len(self._request) < _LONGEST_REQUEST
        return line if end else None

    def send(self) -> bool:
        """Send a piece of the answer; return whether there is more."""
        if not self._outgoing:
            piece = next(self.answer, None) if self.answer else None
            if piece is None:
                return False
            self._outgoing = memoryview(piece.encode("ascii"))
        self._outgoing = self._outgoing[self.connection.send(self._outgoing) :]
        self.moved = time.monotonic()
        return True

    def close(self) -> None:
        """End the connection, and the listing with its database."""
        if self.answer:
            self.answer.close()
        self.connection.close()


def _credentials(connection: socket.socket) -> tuple[int, bool]:
    """Return the uid at the other end, and whether it may see everything."""
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, gid = _CREDENTIALS.unpack(data)
    if uid in (0, os.geteuid()):
        return uid, True
    groups = {gid}
    with suppress(OSError):
        data = connection.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, 4 * _MOST_GROUPS)
        groups.update(group for (group,) in struct.iter_unpack("i", data))
    return uid, os.getegid() in groups


def _lines(entry: Listed, held: str | None) -> Iterator[str]:
    """Yield the lines of an entry; ``held``: why its identity is."""
    if not entry.waiting:
        return  # sent since its page was read
    mark = "*" if entry.is_active else "!" if entry.is_held or held else "-"
    sender = printable(entry.sender)
    yield f"entry {entry.queue_id} {mark} {entry.size} {entry.arrived // 1000} {sender}\n"
    reasons: dict[str, list[str]] = {}
    for address, reason in entry.waiting:
        reasons.setdefault(held or reason, []).append(address)
    for reason, addresses in reasons.items():
        yield f"because {printable(reason, _LONGEST_REASON)}\n"
        yield from (f"to {printable(address)}\n" for address in addresses)
