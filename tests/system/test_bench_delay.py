"""The network of the benchmarks: what goes through it, and how long it takes at least."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.bench.delay import Delay

ROUND_TRIP = 0.2  # seconds
LONG = b"x" * 300_000  # more than is read at once


class Ends(NamedTuple):
    """A server that listens, and the port that is a network away from it."""

    listening: socket.socket
    delay: Delay
    port: int

    def connect(self) -> tuple[socket.socket, socket.socket]:
        """Return both ends of a new connection."""
        client = socket.create_connection(("127.0.0.1", self.port))
        return client, self.listening.accept()[0]


@pytest.fixture
def ends() -> Iterator[Ends]:
    """Make them; nothing is far away yet."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = listening.getsockname()[1]
        with Delay([server]) as delay:
            yield Ends(listening, delay, delay.ports[server])


def read(end: socket.socket) -> bytes:
    """Read to the end."""
    return b"".join(iter(lambda: end.recv(1 << 16), b""))


def test_bytes_and_ends_go_through_both_ways(ends: Ends) -> None:
    """Each side hears all that the other says, and that it has ended."""
    client, server = ends.connect()
    with client, server:
        client.sendall(LONG)
        client.shutdown(socket.SHUT_WR)
        assert read(server) == LONG
        server.sendall(LONG[::-1] + b"end")
        server.close()
        assert read(client) == LONG[::-1] + b"end"


def test_an_answer_takes_no_less_than_the_network(ends: Ends) -> None:
    """The connection takes one round trip, and so does each question with its answer."""
    ends.delay.set_round_trip(ROUND_TRIP)
    begin = time.perf_counter()
    client, server = ends.connect()
    with client, server:
        for turn in (1, 2):
            client.sendall(b"question")
            assert server.recv(100) == b"question"
            server.sendall(b"answer")
            assert client.recv(100) == b"answer"
            assert time.perf_counter() - begin >= (1 + turn) * ROUND_TRIP


def test_a_client_that_goes_away_leaves_the_network_up(ends: Ends) -> None:
    """The next connection is served."""
    client, server = ends.connect()
    client.close()
    with server:
        assert server.recv(1) == b""
    client, server = ends.connect()
    with client, server:
        client.sendall(b"hello")
        assert server.recv(100) == b"hello"
