"""Pickup of waiting drops, in turns with a loop that reads, inserts in batches, and unlinks.

And how many of them the daemon takes with one flush of the disk, counted by strace.
"""

from __future__ import annotations

import os
import sqlite3
import time
from binascii import crc32
from collections.abc import Iterator
from pathlib import Path

from sesmail.delivery.daemon.identities import Identities
from sesmail.delivery.daemon.log import DaemonLog
from sesmail.delivery.dsn import DsnMaker
from sesmail.delivery.pickup import Pickup
from sesmail.delivery.postmaster import Summary
from sesmail.drop import layout
from sesmail.drop.take import DropDirectory
from sesmail.envelope import Envelope
from sesmail.queue.store import Store
from tests.bench import rows
from tests.bench.plan import Plan
from tests.bench.rows import Row
from tests.fakes.ses import SesServer
from tests.installation import Installation
from tests.spool import AUTHOR, IDENTITY, RECIPIENT, Spool, message

NAME = "pickup"
BATCH = 100
BAR = rows.at_least(0.25)
RATE_BAR = rows.at_least(1000, "faster than callers can start on most hosts")
FLUSH_BAR = rows.at_least(30, "what limits pickup is not the disk")
_STRACE = ("strace", "-f", "-qq", "-e", "trace=fsync,fdatasync", "-e", "signal=none", "-o")


def measure(directory: Path, installed: Installation, plan: Plan) -> Iterator[Row]:
    """Yield the rows of pickup."""
    yield from _rates(directory, plan)
    yield _flushes(directory / "flushes", installed, plan.count(5000, 1000))


def _flushes(directory: Path, installed: Installation, drops: int) -> Row:
    """Let the daemon pick up once what waits; nothing of it can be sent."""
    directory.mkdir()
    trace = directory / "trace"
    command: list[str | Path] = [*_STRACE, trace, installed.command("sesmaild")]
    with SesServer() as ses:
        spool = Spool(directory, ses, command=command)
        spool.identity(IDENTITY, "aws_access_key_id = AKIAIOSFODNN7EXAMPLE")  # no secret: held
        for _ in range(drops):
            _drop(spool.drop_directory)
        assert spool.once() == os.EX_OK, spool.log
        picked = len(spool.waiting())
        spool.close()
    flushes = sum("sync(" in line for line in trace.read_text().splitlines())
    assert picked == drops
    facts = {"messages": drops, "flushes": flushes}
    return Row(
        name="messages picked up with a flush",
        value=drops / flushes,
        unit="messages",
        facts=facts,
        bar=FLUSH_BAR,
    )


def _rates(directory: Path, plan: Plan) -> Iterator[Row]:
    with SesServer() as ses:
        spool = Spool(directory, ses)
        pickup = _pickup(spool)
        loop = _Loop(directory)
        times: dict[str, list[float]] = {"pickup": [], "loop": []}
        for _pair in range(plan.pairs):
            names = [_drop(spool.drop_directory) for _ in range(BATCH)]
            start = time.perf_counter()
            assert len(pickup.run(names).picked) == BATCH
            times["pickup"].append(time.perf_counter() - start)
            names = [_drop(loop.directory) for _ in range(BATCH)]
            start = time.perf_counter()
            loop.run(names)
            times["loop"].append(time.perf_counter() - start)
        spool.close()
    ours, others = ([BATCH / each for each in some] for some in times.values())
    yield rows.amount("pickup", "messages/s", ours, bar=RATE_BAR)
    yield rows.ratio("pickup / loop of read, insert, unlink: rate", ours, others, bar=BAR)


def _pickup(spool: Spool) -> Pickup:
    """Put pickup together as the daemon does; its log goes to /dev/null."""
    settings = spool.load()
    nowhere = os.open("/dev/null", os.O_WRONLY)
    log = DaemonLog(lambda program, priority, text: _write(nowhere, f"{program}: {text}\n"))
    load = Identities(settings.credentials_directory).load
    store = Store(str(spool.queue_directory))
    summary = Summary(settings, load, _now, log)
    dsns = DsnMaker(settings, load, list, _now, log, summary.note)
    directory = DropDirectory(str(spool.drop_directory))
    return Pickup(directory, store, settings, load, dsns, summary, _now, log)


def _write(descriptor: int, text: str) -> None:
    os.write(descriptor, text.encode())


def _now() -> int:
    return int(time.time() * 1000)


def _drop(directory: Path) -> str:
    """Write a drop without the client's fsync."""
    queue_id = layout.new_queue_id()
    envelope = Envelope(queue_id, IDENTITY, AUTHOR, None, [RECIPIENT]).encode()
    rest = envelope + message(text="All is well with this line.\n" * 65)
    file = directory / queue_id
    file.write_bytes(layout.leading_line(queue_id, len(rest), crc32(rest)) + rest)
    file.chmod(0o640)
    return queue_id


class _Loop:
    """Read, insert, commit, unlink."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory / "loop"
        self.directory.mkdir()
        self._database = sqlite3.connect(directory / "loop.db", isolation_level=None)
        for statement in (
            "PRAGMA journal_mode = WAL",
            "PRAGMA synchronous = FULL",
            "CREATE TABLE message (id INTEGER PRIMARY KEY, name TEXT, content BLOB)",
        ):
            self._database.execute(statement)

    def run(self, names: list[str]) -> None:
        """Take these files."""
        rows = [(name, (self.directory / name).read_bytes()) for name in names]
        self._database.execute("BEGIN")
        self._database.executemany("INSERT INTO message (name, content) VALUES (?, ?)", rows)
        self._database.execute("COMMIT")
        for name in names:
            (self.directory / name).unlink()
