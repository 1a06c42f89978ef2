"""The socket ``control``: what it answers, and whom it does not wait for."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from sesmail.delivery.account import Account
from sesmail.delivery.daemon import control_server
from sesmail.delivery.daemon.administration import Administration
from sesmail.delivery.daemon.answers.frame import LONGEST_REQUEST, Desk, Sending
from sesmail.delivery.daemon.answers.registry import respond
from sesmail.delivery.daemon.control_server import ControlServer
from sesmail.delivery.daemon.holds import HoldBook
from sesmail.queue import upkeep
from sesmail.queue.store import Finished, State, Store
from sesmail.settings import Settings
from sesmail.sysexits import CannotCreate
from tests.queue_entries import NOW, entry

LANE = ("example.com", 33)
MANY = 3_000  # entries, some hundred kilobytes of answer: more than a socket takes at once


class Control:
    """A server, the clients of a test, and what the server asked of the daemon."""

    def __init__(self, spool: Path) -> None:
        for name in ("queue", "run"):
            (spool / name).mkdir()
        self.path = spool / "run" / "control"
        self.store = Store(str(spool / "queue"))
        self.scans = 0
        self._clients: list[socket.socket] = []
        settings = Settings()
        settings.spool_directory = str(spool)
        holds = HoldBook(self.store)
        administration = Administration(
            self.store, holds, self._change, lambda: None, lambda *_: None
        )
        desk = Desk(settings, administration, self)
        self.server = ControlServer(str(spool), lambda *asked: respond(desk, *asked))

    def scan(self) -> None:
        """Count what would be a look through the drop."""
        self.scans += 1

    def reread(self, identity: str) -> None:
        """Read nothing."""

    def sending(self) -> dict[str, Sending]:
        """Return one identity, of whose account SES told."""
        account = Account(14.0, 50_000.0, 340.0, "HEALTHY", is_production=True)
        return {"example.com": Sending(12.6, 2, account, NOW / 1000)}

    def uptime(self) -> float:
        """Return a time."""
        return 3600.0

    def _change(self, change: Callable[[int], object]) -> bool:
        with self.store.transaction():
            change(NOW)
        return True

    def close(self) -> None:
        """End it all."""
        for client in self._clients:
            client.close()
        self.server.close()
        self.store.close()

    def connect(self, request: bytes = b"") -> socket.socket:
        """Return a client that sent ``request``."""
        client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._clients.append(client)
        client.setblocking(False)
        client.connect(str(self.path))
        client.sendall(request)
        return client

    def turns(self, number: int = 5) -> None:
        """Let the server do as many steps."""
        for _ in range(number):
            self.server.serve()

    def answer(self, client: socket.socket) -> list[str]:
        """Serve until the connection ends; return the lines."""
        data = b""
        while True:
            self.server.serve()
            try:
                piece = client.recv(1 << 20)
            except BlockingIOError:
                continue
            if not piece:
                return data.decode("ascii").splitlines()
            data += piece

    def is_closed(self, client: socket.socket) -> bool:
        """Tell whether the server ended the connection without an answer."""
        try:
            return client.recv(1) == b""
        except ConnectionResetError:  # with a part of the request unread
            return True
        except BlockingIOError:
            return False


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Control]:
    """A server over an empty queue."""
    made = Control(tmp_path)
    yield made
    made.close()


def fill(control: Control, number: int) -> None:
    """Let entries wait."""
    with control.store.transaction():
        control.store.add([entry(f"r{n}@example.org") for n in range(number)])


def test_an_empty_queue(control: Control) -> None:
    """Nothing waits: the totals alone."""
    assert control.answer(control.connect(b"list\n")) == ["total 0 0"]


def test_the_listing(control: Control) -> None:
    """Entries in their order, with size, arrival and sender; recipients under their reason."""
    waiting, null = entry("a@x.org", "b@x.org", "c@x.org"), entry("d@x.org", message=b"12345")
    null.reverse_path = ""
    with control.store.transaction():
        control.store.add([waiting])
        job = control.store.claim(*LANE, NOW)
        assert job is not None
        control.store.finish(
            job,
            [
                Finished(path.id, State.WAITING, NOW, "4.4.1", text)
                for path, text in zip(job.paths, ("slow", "no route", "slow"), strict=True)
            ],
            NOW,
        )
        control.store.add([null])
    size = len(waiting.message)
    assert control.answer(control.connect(b"list\n")) == [
        f"entry {waiting.queue_id} - {size} {NOW // 1000} wiki@example.com",
        "because slow",
        "to a@x.org",
        "to c@x.org",
        "because no route",
        "to b@x.org",
        f"entry {null.queue_id} - 5 {NOW // 1000} ",
        "because ",
        "to d@x.org",
        f"total 2 {size + 5}",
    ]


def test_active_and_held_entries_are_marked(control: Control) -> None:
    """`*` while an attempt is made, `!` while it waits for the administrator."""
    with control.store.transaction():
        control.store.add([entry("a@x.org")])
        assert control.store.claim(*LANE, NOW) is not None
        control.store.add([entry("b@x.org")])
        job = control.store.claim(*LANE, NOW)
        assert job is not None
        hold = upkeep.begin_hold(
            control.store.connection, "example.com", upkeep.AUTHOR, "k", "why", 1
        )
        held = [Finished(p.id, State.HELD, 0, "4.7.0", "text", hold=hold.id) for p in job.paths]
        control.store.finish(job, held, NOW)
    lines = control.answer(control.connect(b"list\n"))
    marks = [line.split()[2] for line in lines if line.startswith("entry ")]
    assert marks == ["*", "!"]
    assert "because why" in lines


def test_a_held_identity_says_why(control: Control) -> None:
    """A hold of a whole identity touches no row, yet its entries show it; others do not."""
    with control.store.transaction():
        control.store.add([entry(), entry(identity="example.net")])
        upkeep.begin_hold(
            control.store.connection, "example.com", upkeep.IDENTITY, "", "the key is wrong", NOW
        )
    lines = control.answer(control.connect(b"list\n"))
    assert [line.split()[2] for line in lines if line.startswith("entry ")] == ["!", "-"]
    assert lines[1] == "because the key is wrong"
    assert lines[4] == "because "


def test_no_byte_of_others_reaches_a_terminal(control: Control) -> None:
    """Line ends, escapes and what is not ASCII become `?`: one line stays one line."""
    hostile = entry("a\n\x1b[2Jé@x.org")
    hostile.reverse_path = "s\rtotal 0 0@x.org"
    with control.store.transaction():
        control.store.add([hostile])
    lines = control.answer(control.connect(b"list\n"))
    assert len(lines) == 4
    assert lines[0].endswith(" s?total 0 0@x.org")
    assert lines[2] == "to a??[2J?@x.org"


def test_flush_makes_due_and_scans(control: Control) -> None:
    """The daemon's own user may have everything tried now."""
    with control.store.transaction():
        control.store.add([entry(due=NOW + 1_000_000)])
    assert control.answer(control.connect(b"flush\n")) == ["done"]
    assert control.store.due(*LANE) == NOW
    assert control.scans == 1


@pytest.mark.parametrize("request_", [b"unknown\n", b"\n", b"list" * 2000, b"list\x00\n"])
def test_what_is_no_request_ends_the_connection(control: Control, request_: bytes) -> None:
    """Unknown and overlong requests get no answer."""
    client = control.connect(request_)
    control.turns()
    assert control.is_closed(client)


def test_a_request_in_pieces(control: Control) -> None:
    """The line may come byte by byte."""
    client = control.connect(b"li")
    control.turns()
    assert not control.is_closed(client)
    client.send(b"st\n")
    assert control.answer(client) == ["total 0 0"]


def test_who_does_not_read_keeps_nobody_waiting(control: Control) -> None:
    """Beside clients that never read and never ask, another gets all of a long answer."""
    fill(control, MANY)
    silent = [control.connect() for _ in range(5)]
    deaf = [control.connect(b"list\n") for _ in range(5)]
    control.turns(100)
    lines = control.answer(control.connect(b"list\n"))
    assert sum(line.startswith("to ") for line in lines) == MANY
    assert lines[-1].startswith(f"total {MANY} ")
    assert not any(control.is_closed(client) for client in silent)
    assert all(client.recv(5) == b"entry" for client in deaf)


def test_who_hangs_up_is_forgotten(control: Control) -> None:
    """The end of a client in the middle of an answer ends its connection, and no more."""
    fill(control, MANY)
    client = control.connect(b"list\n")
    control.turns(3)
    client.close()
    control.turns()
    assert len(control.answer(control.connect(b"list\n"))) > MANY


def test_who_does_nothing_loses_the_connection(
    control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Silent clients, and those that stopped to read, go when their time is over."""
    fill(control, MANY)
    clients = [control.connect(), control.connect(b"list\n")]
    control.turns(20)
    control.server.drop_stalled()
    assert not control.is_closed(clients[0])
    monkeypatch.setattr(control_server, "PATIENCE", -1.0)
    control.server.drop_stalled()
    assert control.is_closed(clients[0])
    rest = b""
    while piece := clients[1].recv(1 << 20):
        rest += piece
    assert b"total" not in rest


def test_an_answer_that_broke_off_has_no_last_line(control: Control) -> None:
    """Where the queue cannot be read the connection ends, and the server goes on."""
    control.store.close()
    database = control.path.parent.parent / "queue" / "queue.db"
    database.rename(database.with_name("elsewhere"))
    assert control.answer(control.connect(b"list\n")) == []
    database.with_name("elsewhere").rename(database)
    assert control.answer(control.connect(b"list\n")) == ["total 0 0"]


def test_json_beside_text(control: Control) -> None:
    """A request of sesmailctl's is answered with documents and an end mark."""
    fill(control, 2)
    *documents, end = [
        json.loads(line) for line in control.answer(control.connect(b'{"request":"queue"}\n'))
    ]
    assert [one["address"] for one in documents] == ["r0@example.org", "r1@example.org"]
    assert end == {"end": "ok"}


def test_the_longest_request(control: Control) -> None:
    """It has room for an address of any length; beyond that the connection ends."""
    request = b'{"request":"queue","recipient":"' + b"a" * (LONGEST_REQUEST - 100) + b'"}\n'
    assert control.answer(control.connect(request)) == ['{"end":"ok"}']
    longer = control.connect(request[:-3] + b"a" * 100 + b'"}\n')
    control.turns()
    assert control.is_closed(longer)


@pytest.mark.parametrize("request_", [b'{"request":"queue"}\n', b'{"request":"status"}\n'])
def test_a_long_answer_goes_in_short_turns(control: Control, request_: bytes) -> None:
    """Between two pieces the loop has its turn: others are answered meanwhile."""
    fill(control, MANY)
    client = control.connect(request_)
    turns = 0
    data = b""
    while not data.endswith(b'{"end":"ok"}\n'):
        control.server.serve()
        turns += 1
        with suppress(BlockingIOError):
            data += client.recv(1 << 20)
    assert turns > 4
    assert control.answer(control.connect(b"list\n"))[-1].startswith(f"total {MANY} ")


def test_who_hangs_up_while_it_is_counted(control: Control) -> None:
    """The answer is given up at its next piece, and its connection to the queue is closed."""
    fill(control, MANY)
    descriptors = []
    for _ in range(3):
        client = control.connect(b'{"request":"queue"}\n')
        control.turns(2)
        client.close()
        control.turns(10)
        descriptors.append(len(os.listdir("/proc/self/fd")))
    # SQLite keeps one for the next to use, as long as another connection has locks.
    assert descriptors[0] == descriptors[1] == descriptors[2]


def test_a_socket_of_before_is_replaced(tmp_path: Path) -> None:
    """What a killed daemon left is no obstacle; everybody may connect; the end removes it."""
    (tmp_path / "run").mkdir()
    path = tmp_path / "run" / "control"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    server = ControlServer(str(tmp_path), lambda *_: None)
    assert path.is_socket()
    assert path.stat().st_mode & 0o777 == 0o666
    server.close()
    assert not path.exists()


def test_without_its_directory(tmp_path: Path) -> None:
    """The failure names the remedy."""
    with pytest.raises(CannotCreate, match="sesmailctl init"):
        ControlServer(str(tmp_path), lambda *_: None)
