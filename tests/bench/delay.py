"""A network between clients and servers of this machine: a proxy that delays each direction.

    python -m tests.bench.delay PORT...     prints a port for each that it leads to, as JSON;
                                            then a line with the round trip in seconds, at any time

What one side says reaches the other half a round trip later, however much of it is under way. The
kernel connects the client at once, so the way to the server opens when the third packet of TCP's
handshake would be there: one and a half round trips later. So a dialogue of TLS, SMTP or HTTPS
costs as many round trips as it would to a server so far away.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from tests.installation import CHECKOUT

_Queue = asyncio.Queue[tuple[float, bytes]]  # when it arrives, and what


class Delay:
    """The process; ``ports`` leads from a server's port to the one that is a network away."""

    def __init__(self, servers: Sequence[int]) -> None:
        command = [sys.executable, "-m", "tests.bench.delay", *map(str, servers)]
        self._process = subprocess.Popen(
            command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        ports: list[int] = json.loads(self._line())
        self.ports = dict(zip(servers, ports, strict=True))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate()

    def set_round_trip(self, seconds: float) -> None:
        """Be so far away for connections that begin from now on."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{seconds}\n")
        self._process.stdin.flush()
        self._line()

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


class _Network:
    """What leads to one server."""

    round_trip = 0.0

    def __init__(self, server: int) -> None:
        self._server = server
        self._carried: set[asyncio.Task[None]] = set()

    def serve(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        """Carry one connection."""
        task = asyncio.create_task(self._carry(client, back))
        self._carried.add(task)  # asyncio forgets who serves a client that has gone
        task.add_done_callback(self._carried.discard)

    async def _carry(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        round_trip = self.round_trip
        arriving: _Queue = asyncio.Queue()
        listening = asyncio.create_task(_listen(client, arriving, round_trip / 2))
        await asyncio.sleep(round_trip * 1.5)
        server, forth = await asyncio.open_connection("127.0.0.1", self._server)
        leaving: _Queue = asyncio.Queue()
        await asyncio.gather(
            listening,
            _deliver(arriving, forth),
            _listen(server, leaving, round_trip / 2),
            _deliver(leaving, back),
        )
        for writer in (forth, back):
            writer.close()


async def _listen(reader: asyncio.StreamReader, queue: _Queue, seconds: float) -> None:
    """Queue what is said with the time at which it arrives; no bytes are the end."""
    while True:
        try:
            data = await reader.read(1 << 16)
        except ConnectionError:
            data = b""
        await queue.put((asyncio.get_running_loop().time() + seconds, data))
        if not data:
            return


async def _deliver(queue: _Queue, writer: asyncio.StreamWriter) -> None:
    """Write what is queued when its time has come, and the end."""
    try:
        while True:
            at, data = await queue.get()
            await asyncio.sleep(at - asyncio.get_running_loop().time())
            if not data:
                break
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:
        pass  # whoever was to hear it has gone


async def _serve(servers: list[int]) -> None:
    listening = [
        await asyncio.start_server(_Network(server).serve, "127.0.0.1", 0) for server in servers
    ]
    print(json.dumps([one.sockets[0].getsockname()[1] for one in listening]), flush=True)
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), sys.stdin
    )
    while line := await lines.readline():  # until whoever started us ends
        _Network.round_trip = float(line)
        print("ok", flush=True)


if __name__ == "__main__":
    asyncio.run(_serve([int(word) for word in sys.argv[1:]]))
