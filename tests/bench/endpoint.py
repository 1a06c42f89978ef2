"""An endpoint of the SES API that takes everything and checks nothing, as a process of its own.

The stand-in for SES verifies signatures and keeps what it gets, which costs more than what is to be
measured. This one counts. One thread answers some ten thousand requests a second.

    python -m tests.bench.endpoint LATENCY      prints its port; GET /count: messages so far
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import urllib.request
from types import TracebackType
from typing import Self

from tests.fakes.ses import KEY_ID, SECRET, SesServer
from tests.installation import CHECKOUT
from tests.spool import IDENTITY, Spool

RATE = 1_000_000.0  # recipients per second, as GetAccount tells it
_ACCOUNT = {"SendQuota": {"Max24HourSend": -1, "MaxSendRate": RATE, "SentLast24Hours": 0}}


class Endpoint:
    """The process; ``latency`` in seconds is what each answer waits."""

    def __init__(self, latency: float = 0.0) -> None:
        command = [sys.executable, "-m", "tests.bench.endpoint", str(latency)]
        self._process = subprocess.Popen(
            command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"
        self._ses = SesServer()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate()
        self._ses.close()

    def account(self) -> SesServer:
        """Return a stand-in that gets nothing, for what a ``Spool`` wants to know of an account."""
        return self._ses

    def write_credentials(self, spool: Spool) -> None:
        """Lead a spool's mail here."""
        spool.identity(
            IDENTITY,
            f"aws_access_key_id = {KEY_ID}",
            f"aws_secret_access_key = {SECRET}",
            "transport = api",
            f"endpoint_url = {self.url}",
        )

    def count(self) -> int:
        """Return how many messages came."""
        with urllib.request.urlopen(f"{self.url}/count") as answer:
            return int(answer.read())


class _Connection(asyncio.Protocol):
    count = 0
    latency = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end]
            length = _length(head)
            if len(self._buffer) < end + 4 + length:
                return
            self._buffer = self._buffer[end + 4 + length :]
            self._answer(head)

    def _answer(self, head: bytes) -> None:
        if head.startswith(b"POST "):
            _Connection.count += 1
            body = f'{{"MessageId":"{_Connection.count:060}"}}'
        elif head.startswith(b"GET /count"):
            self._write(str(_Connection.count))
            return
        else:
            body = json.dumps(_ACCOUNT)
        if self.latency:
            asyncio.get_running_loop().call_later(self.latency, self._write, body)
        else:
            self._write(body)

    def _write(self, body: str) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        self._transport.write(f"{head}\r\n\r\n{body}".encode())


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        if line[:15].lower() == b"content-length:":
            return int(line[15:])
    return 0


async def _serve(latency: float) -> None:
    _Connection.latency = latency
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Connection, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)  # until whoever started us ends
    server.close()


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1])))
