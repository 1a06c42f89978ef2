"""SES for a drain: HTTPS and SMTP over TLS that take everything and check nothing, and count.

The stand-in of the tests verifies signatures and keeps what it gets, which costs more than what is
measured here. This one is a process of its own, whose CPU is told apart, and a delay stands in it
for the network: all that it says leaves one round trip late, TLS's handshake included, and the
first of a connection two, for connect(2) takes one. So each dialogue costs the round trips that it
would take to a server so far away, and no proxy costs CPU.

    python -m tests.bench.drain_stand_in      ports as JSON; then a line each for a line on stdin:
    latency SECONDS | mode MODE | count       what was counted so far, as JSON

MODE is one of those below; all but TAKE concern the API alone.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from tests.fakes import certificates

_RATE = 1_000_000.0  # recipients per second, as GetAccount tells it
_ACCOUNT = {"SendQuota": {"Max24HourSend": -1, "MaxSendRate": _RATE, "SentLast24Hours": 0}}
TAKE = "take"
REFUSE = "refuse"  # with an error that nobody knows: for whoever asks, that is no answer
THROTTLE = "throttle"  # all but a few each second
AWAY = "away"  # nobody is there
_THROTTLED_RATE = 50  # messages per second
_ID = re.compile(rb'"sesmail-id", *"Value": *"([0-9A-F]{28})"')
_TAIL = 500  # bytes at the end of a request, in which the tags are
_HELLO = b"250-stand-in\r\n250-8BITMIME\r\n250-AUTH PLAIN LOGIN\r\n250 Ok\r\n"  # as SES says it
_OK = b"250 Ok\r\n"
_REPLIES = {
    b"EHLO": _HELLO,
    b"DATA": b"354 End data with <CR><LF>.<CR><LF>\r\n",
    b"QUIT": b"221 Bye\r\n",
}


class Counts:
    """What came so far, of all connections."""

    latency = 0.0  # seconds, of a round trip
    mode = TAKE
    messages = 0  # those that were refused, too
    connections = 0
    taken: ClassVar[set[bytes]] = set()  # ids that sesmail gave, by the API
    again = 0  # messages of ids that had been taken
    second = (0, 0)  # which it is, and what was taken in it

    @classmethod
    def document(cls) -> dict[str, float]:
        """Return them for whoever asks, with the CPU seconds of this process."""
        return {
            "messages": cls.messages,
            "connections": cls.connections,
            "taken": len(cls.taken),
            "again": cls.again,
            "cpu": time.process_time(),
        }


class _Wire(asyncio.Protocol, ABC):
    """TLS over memory, so that what leaves can be held back; ``heard`` gets the plain text."""

    context: ssl.SSLContext

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        Counts.connections += 1
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self._begin = self._loop.time() + Counts.latency
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = self.context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._is_open = False
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        if Counts.mode == AWAY:
            self._transport.abort()
            return
        self._incoming.write(data)
        try:
            if not self._is_open:
                self._tls.do_handshake()
                self._is_open = True
                self.opened()
            while piece := self._tls.read(1 << 16):
                self.buffer += piece
                self.heard()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            self._transport.abort()
        self._send()

    def opened(self) -> None:
        """Speak first, if that is for us."""

    @abstractmethod
    def heard(self) -> None:
        """Take from ``buffer`` what is whole."""

    def say(self, text: bytes) -> None:
        """Write something; it leaves when ``heard`` returns."""
        self._tls.write(text)

    def _send(self) -> None:
        data = self._outgoing.read()
        if not data:
            return
        if Counts.latency:
            at = max(self._loop.time(), self._begin) + Counts.latency
            self._loop.call_at(at, self._transport.write, data)
        else:
            self._transport.write(data)


class _Api(_Wire):
    """SESv2, as far as SendEmail and GetAccount go."""

    def heard(self) -> None:
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end]
            size = end + 4 + _length(head)
            if len(self.buffer) < size:
                return
            tail = self.buffer[max(end, size - _TAIL) : size]
            self.buffer = self.buffer[size:]
            self._answer(head, tail)

    def _answer(self, head: bytes, tail: bytes) -> None:
        status, body = "200 OK", json.dumps(_ACCOUNT)
        if head.startswith(b"POST "):
            Counts.messages += 1
            status, body = _take(tail)
        lines = (
            f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        )
        self.say(f"{lines}\r\n\r\n{body}".encode())


def _take(tail: bytes) -> tuple[str, str]:
    """Take a message, or not; return status and body of the answer."""
    if Counts.mode == REFUSE:
        return "400 Bad Request", '{"__type":"StrangeException"}'
    second, taken = Counts.second
    now = int(time.monotonic())
    Counts.second = now, taken + 1 if now == second else 1
    if Counts.mode == THROTTLE and Counts.second[1] > _THROTTLED_RATE:
        words = '"__type":"TooManyRequestsException","message":"Maximum sending rate exceeded."'
        return "429 Too Many Requests", f"{{{words}}}"
    if found := _ID.search(tail):
        Counts.again += found[1] in Counts.taken
        Counts.taken.add(found[1])
    return "200 OK", f'{{"MessageId":"{Counts.messages:060}"}}'


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        if line[:15].lower() == b"content-length:":
            return int(line[15:])
    return 0


class _Smtp(_Wire):
    """SES's SMTP interface, TLS from the start; no PIPELINING, as there."""

    _in_text = False
    _words_to_come = 0  # of AUTH

    def opened(self) -> None:
        self.say(b"220 stand-in ESMTP\r\n")

    def heard(self) -> None:
        while self.buffer:
            mark = b"\r\n.\r\n" if self._in_text else b"\r\n"
            end = self.buffer.find(mark)
            if end < 0:
                return
            line, self.buffer = self.buffer[:end], self.buffer[end + len(mark) :]
            self.say(self._end_of_text() if self._in_text else self._reply(line))

    def _end_of_text(self) -> bytes:
        self._in_text = False
        Counts.messages += 1
        return f"250 Ok {Counts.messages:060}\r\n".encode()

    def _reply(self, line: bytes) -> bytes:
        if self._words_to_come:
            self._words_to_come -= 1
            return b"334 \r\n" if self._words_to_come else b"235 Authentication successful.\r\n"
        words = line.upper().split()
        if words[:1] == [b"AUTH"]:  # PLAIN has one word, LOGIN two; the first may come at once
            self._words_to_come = 1 if words[1:2] == [b"PLAIN"] else 2
            return self._reply(b"") if words[2:] else b"334 \r\n"
        self._in_text = words[:1] == [b"DATA"]
        return _REPLIES.get(words[0] if words else b"", _OK)


async def _serve(directory: Path) -> None:
    loop = asyncio.get_running_loop()
    _Wire.context = certificates.make_contexts(directory)[certificates.GOOD]
    servers = [await loop.create_server(kind, "127.0.0.1", 0) for kind in (_Api, _Smtp)]
    api, smtp = (server.sockets[0].getsockname()[1] for server in servers)
    _tell({"api": api, "smtp": smtp, "ca_file": str(directory / "ca.pem")})
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():  # until whoever started us ends
        words = line.split()
        if words[0] == b"latency":
            Counts.latency = float(words[1])
        elif words[0] == b"mode":
            Counts.mode = words[1].decode()
        _tell(Counts.document())


def _tell(document: dict[str, object] | dict[str, float]) -> None:
    print(json.dumps(document), flush=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="sesmail-bench-") as _name:
        Path(_name).chmod(0o755)
        asyncio.run(_serve(Path(_name)))
