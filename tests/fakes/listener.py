"""A listening TCP socket on loopback with one thread per connection.

It can refuse connections for a while on the same port, and close without leaving a thread or a
socket behind.  What is spoken on a connection is the caller's.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable


class Connection:
    """One accepted connection.  `socket` is replaced when TLS starts."""

    def __init__(self, accepted: socket.socket) -> None:
        self.socket = accepted
        # Else a second small write, as after TLS's handshake, waits 40 ms for a delayed ACK.
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def interrupt(self) -> None:
        """Wake whoever waits on the socket: it sees the end of the stream."""
        # Not self.socket.shutdown: that of an SSLSocket pulls the TLS state from under a reader.
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self.socket, socket.SHUT_RDWR)


class Listener:
    """Accepts on 127.0.0.1 and runs `serve(connection)` in a thread for each connection."""

    def __init__(self, serve: Callable[[Connection], None], port: int = 0) -> None:
        self._serve = serve
        self._lock = threading.Lock()
        self._open: set[Connection] = set()
        self._workers: set[threading.Thread] = set()
        self._socket = _bind(port)
        self.port: int = self._socket.getsockname()[1]
        self._acceptor: threading.Thread | None = None
        self.resume()

    def resume(self) -> None:
        """Listen, if not listening."""
        if self._acceptor is None:
            self._socket.listen(64)
            self._acceptor = threading.Thread(target=self._accept, name=f"accept-{self.port}")
            self._acceptor.start()

    def refuse(self) -> None:
        """Stop listening and break what is open; the port stays ours but connecting to it fails."""
        if self._acceptor is not None:
            self.close()
            self._socket = _bind(self.port)

    def close(self) -> None:
        """Stop listening, break what is open, and wait for every thread."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        if self._acceptor is not None:
            self._acceptor.join()
            self._acceptor = None
        self._socket.close()
        with self._lock:
            connections, workers = list(self._open), list(self._workers)
        for connection in connections:
            connection.interrupt()
        for worker in workers:
            worker.join()

    def _accept(self) -> None:
        while True:
            try:
                accepted, _ = self._socket.accept()
            except OSError:
                return
            connection = Connection(accepted)
            worker = threading.Thread(
                target=self._run, args=(connection,), name=f"serve-{self.port}"
            )
            with self._lock:
                self._open.add(connection)
                self._workers.add(worker)
            worker.start()

    def _run(self, connection: Connection) -> None:
        try:
            # The client may go away at any moment, also in the middle of a TLS handshake.
            with contextlib.suppress(OSError):
                self._serve(connection)
        finally:
            connection.socket.close()
            with self._lock:
                self._open.discard(connection)
                self._workers.discard(threading.current_thread())


def _bind(port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", port))
    return bound
