"""What work on a queue costs, counted instead of timed: the same on every machine, busy or not.

    with counted() as counter:
        store = Store(directory)
        cost = counter.of(lambda: store.due(identity, uid))

A step is one of SQLite's virtual machine (https://sqlite.org/opcode.html): a scan or a sort takes
some for each row, a look-up in an index a few. A step does not show how deep the tree is that it
searches; the pages read by a connection that has just been opened do.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

_PAGE = 8192  # bytes; see ``sesmail.queue.schema``


@dataclass(frozen=True, slots=True)
class Cost:
    """Steps of SQLite, and pages that the thread read from files and wrote to them."""

    steps: int
    read: float
    written: float

    def __add__(self, other: Cost) -> Cost:
        """Return what both cost together."""
        return Cost(self.steps + other.steps, self.read + other.read, self.written + other.written)


class Counter:
    """Counts the steps of the connections that are opened through it."""

    def __init__(self) -> None:
        self._steps = 0
        self._connect = sqlite3.connect

    def connect(self, *arguments: Any, **options: Any) -> sqlite3.Connection:
        """Stand in for ``sqlite3.connect``."""
        connection: sqlite3.Connection = self._connect(*arguments, **options)
        connection.set_progress_handler(self._step, 1)
        return connection

    def of(self, work: Callable[[], object]) -> Cost:
        """Return what a piece of work costs."""
        steps, (read, written) = self._steps, _bytes_moved()
        work()
        read_now, written_now = _bytes_moved()
        return Cost(self._steps - steps, (read_now - read) / _PAGE, (written_now - written) / _PAGE)

    def _step(self) -> int:
        self._steps += 1
        return 0


@contextmanager
def counted() -> Iterator[Counter]:
    """Count on all connections that are opened meanwhile."""
    counter = Counter()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite3, "connect", counter.connect)
        yield counter


def _bytes_moved() -> tuple[int, int]:
    """Return how many bytes this thread has read and written so far; see proc(5)."""
    lines = Path("/proc/thread-self/io").read_text().splitlines()
    counts = dict(line.split(": ") for line in lines)
    return int(counts["rchar"]), int(counts["wchar"])
