"""The threads that wait for the network, and the way back from them into the main thread.

They get work through a queue and put back what became of it; an eventfd wakes the main thread,
which alone touches the queue's database. Threads begin when there is work for one more and end
after some idle seconds, with their SMTP sessions.
"""

from __future__ import annotations

import heapq
import os
import queue
import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

IDLE = 10.0  # seconds

Work = TypeVar("Work")
Report = TypeVar("Report")
_Given_contra = TypeVar("_Given_contra", contravariant=True)
_Made_co = TypeVar("_Made_co", covariant=True)


class Worker(Protocol[_Given_contra, _Made_co]):
    """What one thread does."""

    def work(self, work: _Given_contra) -> _Made_co:
        """Do it; raise nothing."""

    def end(self) -> None:
        """Close what is open: the thread ends."""


class Workers(Generic[Work, Report]):
    """Threads that turn work into reports; each makes a worker for itself.

    ``most``: how many there may be now. Those that are more by then end when they are idle.
    """

    def __init__(
        self,
        make_worker: Callable[[], Worker[Work, Report]],
        most: int,
    ) -> None:
        self._make_worker = make_worker
        self.most = most
        self._work: list[tuple[int, int, Work]] = []  # a heap
        self._ready: queue.SimpleQueue[None] = queue.SimpleQueue()  # one for each in the heap
        self._handed = 0
        self._reports: deque[Report] = deque()
        self._event = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._is_told = False  # that there are reports
        self._lock = threading.Lock()
        self._threads = 0
        self._idle = 0
        self.in_hand = 0  # handed out and not taken back

    def fileno(self) -> int:
        """Return the eventfd, readable when there are reports."""
        return self._event

    def hand(self, work: Work, place: int = 0) -> None:
        """Let a thread do ``work``; of what waits for a thread, the lowest ``place`` is first."""
        self.in_hand += 1
        self._handed += 1
        heapq.heappush(self._work, (place, self._handed, work))  # atomic: C, and only ints compared
        self._ready.put(None)
        with self._lock:
            if self._idle >= self._ready.qsize() or self._threads >= self.most:
                return
            self._threads += 1
        # Not waited for at the end: what is in flight then is found again at the next start.
        threading.Thread(target=self._run, name="delivery", daemon=True).start()

    def take(self) -> list[Report]:
        """Return the reports since the last call."""
        try:
            os.eventfd_read(self._event)
        except BlockingIOError:
            pass
        self._is_told = False  # before the look: what comes after it is told anew
        reports = []
        while self._reports:
            reports.append(self._reports.popleft())
        self.in_hand -= len(reports)
        return reports

    def _run(self) -> None:
        worker = self._make_worker()
        while (work := self._next()) is not None:
            report = worker.work(work)
            del work  # a large message is not to wait with us for the next one
            self._reports.append(report)
            if not self._is_told:  # else ``take`` is yet to look
                self._is_told = True
                os.eventfd_write(self._event, 1)
        worker.end()

    def _next(self) -> Work | None:
        """Return the next work; None: there is none, and this thread is no longer counted."""
        with self._lock:
            self._idle += 1
        is_ready = self._wait(IDLE)
        with self._lock:
            self._idle -= 1
            # It may have been put there since the time ran out, when we still counted as idle.
            if not is_ready and not self._wait(0):
                self._threads -= 1
                return None
        return heapq.heappop(self._work)[2]

    def _wait(self, seconds: float) -> bool:
        try:
            self._ready.get(timeout=seconds)
        except queue.Empty:
            return False
        return True
