"""A recording SMTP server on loopback: the next hop of the real sendmails.

RFC 5321 with 8BITMIME and SMTPUTF8, which Postfix wants for raw UTF-8 in fields. It takes
everything, but the addresses in `refused`.
"""

from __future__ import annotations

import io
import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tests.fakes.listener import Connection, Listener

_Stream = io.BufferedRWPair


@dataclass(frozen=True)
class Recorded:
    """One message: the envelope and the bytes after DATA, LF line ends, dots undoubled."""

    reverse_path: str
    forward_paths: list[str]
    raw: bytes


class Recorder:
    """Listens on 127.0.0.1, `port`; keeps what came in `messages`."""

    def __init__(self) -> None:
        self.messages: list[Recorded] = []
        self.refused: set[str] = set()
        self._changed = threading.Condition()
        self._listener = Listener(self._serve)
        self.port = self._listener.port

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listener.close()

    def wait(self, number: int, seconds: float = 20.0) -> list[Recorded]:
        """The messages, once there are `number` of them. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.messages) >= number, seconds):
                raise TimeoutError(f"{len(self.messages)} of {number} messages came")
            return list(self.messages)

    def forget(self) -> None:
        """Take everything again, and have no messages."""
        with self._changed:
            self.messages.clear()
            self.refused.clear()

    def _serve(self, connection: Connection) -> None:
        stream = connection.socket.makefile("rwb")
        reverse_path = ""
        forward_paths: list[str] = []
        _say(stream, b"220 recorder.example.net ESMTP")
        while line := stream.readline():
            verb, _, rest = line.decode("utf-8", "replace").strip().partition(" ")
            match verb.upper():
                case "EHLO" | "HELO":
                    _say(stream, b"250-recorder.example.net", b"250-8BITMIME", b"250 SMTPUTF8")
                case "MAIL":
                    reverse_path, forward_paths = _path(rest), []
                    _say(stream, b"250 2.1.0 Ok")
                case "RCPT" if _path(rest) in self.refused:
                    _say(stream, b"550 5.1.1 No such user")
                case "RCPT":
                    forward_paths.append(_path(rest))
                    _say(stream, b"250 2.1.5 Ok")
                case "DATA":
                    _say(stream, b"354 Go on")
                    message = Recorded(reverse_path, forward_paths, _read_data(stream))
                    self._keep(message)
                    _say(stream, b"250 2.0.0 Recorded")
                case "QUIT":
                    _say(stream, b"221 2.0.0 Bye")
                    return
                case _:
                    _say(stream, b"250 2.0.0 Ok")

    def _keep(self, message: Recorded) -> None:
        with self._changed:
            self.messages.append(message)
            self._changed.notify_all()


def _say(stream: _Stream, *lines: bytes) -> None:
    stream.write(b"".join(line + b"\r\n" for line in lines))
    stream.flush()


def _path(argument: str) -> str:
    """The address in `FROM:<a@b> BODY=8BITMIME`."""
    return argument.partition("<")[2].partition(">")[0]


def _read_data(stream: _Stream) -> bytes:
    lines = []
    while (line := stream.readline()) not in (b".\r\n", b""):
        lines.append(line.removeprefix(b".").removesuffix(b"\r\n") + b"\n")
    return b"".join(lines)
