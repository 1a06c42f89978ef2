"""The handle of `drain_stand_in`, what it can take at most, and what a drain through it took."""

from __future__ import annotations

import json
import selectors
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tests.bench import processes
from tests.bench.processes import Usage
from tests.installation import CHECKOUT

API, SMTP = "api", "smtp"
PATIENCE = 120.0  # seconds for the first message; only what is broken takes so long
_TEXT = b"From: wiki@example.com\r\n\r\n".ljust(2000, b"x")
_DIALOGUES = {  # what a client says, each after the reply to the one before; the rest repeats
    API: [b"POST / HTTP/1.1\r\nContent-Length: 2000\r\n\r\n" + _TEXT],
    SMTP: [b"MAIL FROM:<a@b>\r\n", b"RCPT TO:<c@d>\r\n", b"DATA\r\n", _TEXT + b"\r\n.\r\n"],
}
_CLIENTS = 8
_WINDOW = 1.0  # seconds
_FEWEST = 5  # messages in a window
_EVERY = 0.02  # seconds, between two counts
_LOOK = 0.25  # seconds, between two looks at the memory


class StandIn:
    """The process; ``ports`` by interface, ``ca_file`` says whom to trust."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.bench.drain_stand_in"]
        self._process = subprocess.Popen(
            command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        made = self._read()
        self.ca_file = str(made["ca_file"])
        self.ports = {interface: int(made[interface]) for interface in (API, SMTP)}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate()

    @property
    def url(self) -> str:
        """The endpoint of the API."""
        return f"https://localhost:{self.ports[API]}"

    def set_latency(self, seconds: float) -> None:
        """Be so far away from now on, there and back."""
        self._ask(f"latency {seconds}")

    def behave(self, mode: str) -> None:
        """From now on take messages by the API, or not: a mode of ``drain_stand_in``."""
        self._ask(f"mode {mode}")

    def counts(self) -> dict[str, float]:
        """Return messages, connections and CPU seconds so far."""
        return self._ask("count")

    def ceiling(self, interface: str, seconds: float) -> float:
        """Return how many messages a second it takes from clients that do next to nothing."""
        self.set_latency(0.0)
        with selectors.DefaultSelector() as waiting:
            for _ in range(_CLIENTS):
                waiting.register(self._connect(interface), selectors.EVENT_READ, 0)
            before, begin = self.counts()["messages"], time.perf_counter()
            while time.perf_counter() < begin + seconds:
                _take_turns(waiting, _DIALOGUES[interface])
            count = self.counts()["messages"] - before
            elapsed = time.perf_counter() - begin
            for key in list(waiting.get_map().values()):
                key.fileobj.close()  # type: ignore[union-attr]
        return count / elapsed

    def _connect(self, interface: str) -> ssl.SSLSocket:
        plain = socket.create_connection(("127.0.0.1", self.ports[interface]))
        context = ssl.create_default_context(cafile=self.ca_file)
        connection = context.wrap_socket(plain, server_hostname="localhost")
        if interface == SMTP:
            connection.recv(1 << 16)  # the greeting
        connection.sendall(_DIALOGUES[interface][0])
        return connection

    def _ask(self, line: str) -> dict[str, float]:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> dict[str, float]:
        assert self._process.stdout is not None
        document: dict[str, float] = json.loads(self._process.stdout.readline())
        return document


def _take_turns(waiting: selectors.BaseSelector, dialogue: list[bytes]) -> None:
    """Let each client that was answered say the next line."""
    for key, _ in waiting.select():
        connection = key.fileobj
        assert isinstance(connection, ssl.SSLSocket)
        connection.recv(1 << 16)
        step = (key.data + 1) % len(dialogue)
        connection.sendall(dialogue[step])
        waiting.modify(connection, selectors.EVENT_READ, step)


@dataclass(frozen=True, slots=True)
class Drained:
    """A drain, second by second: messages a second, and CPU seconds for each of them.

    ``stand_in_cpu`` is the other side's; ``rss`` and ``pss`` are peaks in MiB.
    """

    rates: list[float]
    cpus: list[float]
    stand_in_cpu: float
    rss: float
    pss: float
    connections: int


def watch(
    ses: StandIn, pid: int, messages: int, seconds: float, before: int, warming: int = 0
) -> Drained:
    """Watch the tree below ``pid`` send, until all are there or for so many seconds.

    ``before``: how many had come before it began. For warming up is the first fortieth, or what
    ``warming`` says.
    """
    opened = ses.counts()["connections"]
    peak = _Peak(pid)
    moments = [_wait(ses, peak, before + max(warming, messages // 40, 1), PATIENCE)]
    assert moments[0].messages > before, "nothing is sent"
    end = moments[0].at + seconds
    while moments[-1].messages < before + messages and moments[-1].at < end:
        moments.append(_wait(ses, peak, before + messages, _WINDOW))
    windows = list(_windows(moments))
    first, last = moments[0], moments[-1]
    return Drained(
        [(two.messages - one.messages) / (two.at - one.at) for one, two in windows],
        [(two.cpu - one.cpu) / (two.messages - one.messages) for one, two in windows],
        (last.stand_in_cpu - first.stand_in_cpu) / (last.messages - first.messages),
        peak.rss,
        peak.pss,
        int(ses.counts()["connections"] - opened),
    )


def _windows(moments: Sequence[_Moment]) -> Iterator[tuple[_Moment, _Moment]]:
    """Yield beginning and end of the seconds, some together where hardly anything is sent."""
    begin = moments[0]
    for moment in moments[1:]:
        if moment.messages - begin.messages >= _FEWEST:
            yield begin, moment
            begin = moment
    if begin is moments[0]:
        yield begin, moments[-1]


@dataclass(frozen=True, slots=True)
class _Moment:
    at: float
    messages: int
    cpu: float
    stand_in_cpu: float


class _Peak:
    """The most that a tree took whenever somebody looked."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.rss = self.pss = 0.0

    def look(self) -> Usage:
        """Look now."""
        usage = processes.of_tree(self._pid)
        self.rss, self.pss = max(self.rss, usage.rss), max(self.pss, usage.pss)
        return usage


def _wait(ses: StandIn, peak: _Peak, messages: int, seconds: float) -> _Moment:
    """Wait until so many have come, or for so many seconds; return how things are then."""
    end = time.perf_counter() + seconds
    look = 0.0
    while (counts := ses.counts())["messages"] < messages and time.perf_counter() < end:
        if time.perf_counter() >= look:
            peak.look()
            look = time.perf_counter() + _LOOK
        time.sleep(_EVERY)
    at = time.perf_counter()
    return _Moment(at, int(counts["messages"]), peak.look().cpu, counts["cpu"])
