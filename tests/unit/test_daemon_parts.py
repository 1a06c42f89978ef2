"""Small parts of the daemon: threads, the FIFO, credentials files, clock, supervisor."""

from __future__ import annotations

import os
import select
import socket
import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import pytest

from sesmail.delivery.daemon import notify
from sesmail.delivery.daemon.clock import Clock
from sesmail.delivery.daemon.identities import Identities
from sesmail.delivery.daemon.wake import WakeReader
from sesmail.delivery.daemon.workers import Workers
from sesmail.drop import layout
from sesmail.drop.put import NOBODY, READER, Wake
from sesmail.sysexits import CannotCreate, ConfigurationError


class Doubler:
    """A worker that doubles numbers, all of them at the same time or not at all."""

    def __init__(self, barrier: threading.Barrier) -> None:
        self._barrier = barrier

    def work(self, work: int) -> int:
        """Wait for the others."""
        self._barrier.wait(20)
        return 2 * work

    def end(self) -> None:
        """Nothing is open."""


def collect(workers: Workers[int, int], number: int) -> list[int]:
    """Wait for so many reports."""
    reports: list[int] = []
    while len(reports) < number:
        assert select.select([workers], [], [], 20)[0], "no report in time"
        reports += workers.take()
    return sorted(reports)


def test_threads_work_at_the_same_time() -> None:
    """Eight pieces that wait for each other are done by eight threads; none is lost."""
    barrier = threading.Barrier(8)
    workers: Workers[int, int] = Workers(lambda: Doubler(barrier), 8)
    for number in range(8):
        workers.hand(number)
    assert workers.in_hand == 8
    assert collect(workers, 8) == [0, 2, 4, 6, 8, 10, 12, 14]
    assert workers.in_hand == 0
    assert workers.take() == []


def test_no_more_threads_than_allowed() -> None:
    """What is more than there may be threads waits in the queue."""
    barrier = threading.Barrier(2)
    workers: Workers[int, int] = Workers(lambda: Doubler(barrier), 2)
    before = threading.active_count()
    for number in range(6):
        workers.hand(number)
    assert threading.active_count() - before <= 2
    assert collect(workers, 6) == [0, 2, 4, 6, 8, 10]


class Recorder:
    """A worker that waits until it may, and remembers the order."""

    def __init__(self, may: threading.Event) -> None:
        self._may = may

    def work(self, work: int) -> int:
        """Return the work."""
        self._may.wait(20)
        return work

    def end(self) -> None:
        """Nothing is open."""


def test_the_lowest_place_goes_first() -> None:
    """Of what waits for the one thread, what was handed in last but has a low place is next."""
    may = threading.Event()
    workers: Workers[int, int] = Workers(lambda: Recorder(may), 1)
    for place in (0, 1, 2, 3):
        workers.hand(place, place)
    workers.hand(100, 0)
    may.set()
    reports: list[int] = []
    while len(reports) < 5:
        assert select.select([workers], [], [], 20)[0], "no report in time"
        reports += workers.take()
    assert reports.index(100) <= 1
    assert [report for report in reports if report != 100] == [0, 1, 2, 3]


class Meeting(deque[int]):
    """Reports of two threads, of which each goes on when both have put theirs here."""

    def __init__(self) -> None:
        super().__init__()
        self._both = threading.Barrier(2)

    def append(self, report: int) -> None:
        """Put one here."""
        super().append(report)
        self._both.wait(20)


def test_two_that_report_at_once_are_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither leaves it to the other to wake the main thread, which would sleep on for a minute."""
    workers: Workers[int, int] = Workers(lambda: Doubler(threading.Barrier(1)), 2)
    monkeypatch.setattr(workers, "_reports", Meeting())
    for number in (1, 2):
        workers.hand(number)
    assert collect(workers, 2) == [2, 4]


@pytest.fixture
def wake(tmp_path: Path) -> Iterator[WakeReader]:
    """The daemon's end of a FIFO."""
    os.mkfifo(tmp_path / "wake")
    reader = WakeReader(str(tmp_path))
    yield reader
    reader.close()


def write(tmp_path: Path, data: bytes) -> None:
    """Write into the FIFO as anybody may."""
    with open(tmp_path / "wake", "wb", buffering=0) as fifo:
        fifo.write(data)


def test_names(wake: WakeReader, tmp_path: Path) -> None:
    """What clients write comes out, in order; and then there is nothing, and no end of file."""
    names = [layout.new_queue_id() for _ in range(3)]
    client = Wake(str(tmp_path))
    assert client.state == READER
    for name in names:
        client.ring(name)
    client.close()
    assert wake.read() == (names, False)
    assert wake.read() == ([], False)


@pytest.mark.parametrize("data", [b"x\n", b"\n", b"../../etc/passwd\n", b"\xff" * 5000, b"a" * 29])
def test_garbage(wake: WakeReader, tmp_path: Path, data: bytes) -> None:
    """It is no name, asks for a scan, and does not spoil what comes after it."""
    write(tmp_path, data)
    assert wake.read() == ([], True)
    name = layout.new_queue_id()
    write(tmp_path, f"{name}\n".encode())
    assert wake.read() == ([name], False)


def test_a_name_in_two_pieces(wake: WakeReader, tmp_path: Path) -> None:
    """A read may end in the middle of a name."""
    name = layout.new_queue_id().encode()
    write(tmp_path, name[:10])
    assert wake.read() == ([], False)
    write(tmp_path, name[10:] + b"\n")
    assert wake.read() == ([name.decode()], False)


def test_a_full_fifo_asks_for_a_scan(wake: WakeReader, tmp_path: Path) -> None:
    """Names may have been lost then; the client does not fail."""
    name = layout.new_queue_id()
    client = Wake(str(tmp_path))
    for _ in range((1 << 16) // 29 + 10):
        client.ring(name)
    client.close()
    seen: list[str] = []
    wants_scan = False
    while True:
        names, scan = wake.read()
        if not names:
            break
        seen += names
        wants_scan = wants_scan or scan
    assert set(seen) == {name}
    assert wants_scan


def test_nobody_reads(tmp_path: Path) -> None:
    """Once the daemon has gone, a client sees that."""
    os.mkfifo(tmp_path / "wake")
    reader = WakeReader(str(tmp_path))
    reader.close()
    assert Wake(str(tmp_path)).state == NOBODY


def test_what_is_no_fifo(tmp_path: Path) -> None:
    """A file, a link, nothing at all: 73."""
    with pytest.raises(CannotCreate):
        WakeReader(str(tmp_path))
    (tmp_path / "wake").write_text("")
    with pytest.raises(CannotCreate):
        WakeReader(str(tmp_path))
    (tmp_path / "wake").unlink()
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "wake").symlink_to("fifo")
    with pytest.raises(CannotCreate):
        WakeReader(str(tmp_path))


def capture_file(directory: Path, mail: str) -> None:
    """Write a credentials file as a whole."""
    (directory / "new").write_text(f"transport = capture\ndirectory = {mail}\n")
    (directory / "new").rename(directory / "example.com")


def test_credentials_are_read_once_and_when_changed(tmp_path: Path) -> None:
    """The same object until the file is another one; the change is reported once."""
    capture_file(tmp_path, "/a")
    identities = Identities(str(tmp_path))
    first = identities.load("example.com")
    assert identities.load("example.com") is first
    assert identities.take_changed(["example.com"]) == []
    capture_file(tmp_path, "/b")
    assert identities.take_changed(["example.com"]) == ["example.com"]
    assert identities.take_changed(["example.com"]) == []
    assert identities.load("example.com").directory == "/b"


def test_a_broken_file_that_is_mended(tmp_path: Path) -> None:
    """The failure is raised as often as asked, and gone with its cause."""
    identities = Identities(str(tmp_path))
    for _ in range(2):
        with pytest.raises(ConfigurationError):
            identities.load("example.com")
    capture_file(tmp_path, "/a")
    assert identities.take_changed(["example.com"]) == ["example.com"]
    assert identities.load("example.com").directory == "/a"


def test_the_clock_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Moments pass as the monotonic clock does until the other one is followed."""
    wall, steady = 1_000_000.0, 50.0
    monkeypatch.setattr("time.time", lambda: wall)
    monkeypatch.setattr("time.monotonic", lambda: steady)
    clock = Clock()
    assert clock.now() == 1_000_000_000
    wall, steady = 9_000_000.0, 51.0
    assert clock.now() == 1_000_001_000
    assert clock.follow()
    assert clock.now() == 9_000_000_000
    wall += 1.0
    assert not clock.follow()


def test_a_supervisor_with_an_abstract_socket() -> None:
    """An address that begins with @ is an abstract one; without an address all is silent."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind("")  # Linux chooses an abstract address
        supervisor.settimeout(20)
        name = supervisor.getsockname()[1:].decode()
        notify.Notifier(f"@{name}").tell(notify.READY, notify.status("x"))
        assert supervisor.recv(100) == b"READY=1\nSTATUS=x"
    notify.Notifier(f"@{name}").tell(notify.READY)
    notify.Notifier("").tell(notify.READY)
