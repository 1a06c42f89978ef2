"""A thread that reads one queue of events.

It asks for ten messages at a time, reads them, and hands them to the main thread; what that has
committed is deleted. While nothing is in hand SQS may take 20 seconds to answer; else it is asked
to answer at once, so that nothing waits for its deletion, and a message that is not deleted in time
would come again. It does at any end of ours: whatever is in hand then is not deleted.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from typing import TYPE_CHECKING

from sesmail.delivery.credentials import Credentials
from sesmail.delivery.events import record
from sesmail.delivery.events.inbox import Batch, Inbox, News, Received
from sesmail.delivery.events.values import Unreadable
from sesmail.delivery.libraries import ONE_AT_A_TIME

if TYPE_CHECKING:
    from sesmail.delivery.events import sqs

MOST_IN_HAND = 200  # messages
_AT_ONCE = 10  # messages in a call of SQS
_LONG_POLL = 20  # seconds that SQS waits for a message, the most it allows
_FIRST_PAUSE = 1.0  # seconds
_LONGEST_PAUSE = 300.0
_PATIENCE = 5.0  # seconds that the main thread may take before the queue is asked again


class Poller:
    """The thread of one queue; ``settle`` and ``end`` are for the main thread."""

    def __init__(self, credentials: Credentials, inbox: Inbox) -> None:
        self._credentials = credentials
        self._inbox = inbox
        self._queue: sqs.Queue | None = None
        self._in_hand = 0
        self._settled: deque[tuple[int, list[str], list[tuple[str, int]]]] = deque()
        self._done: list[str] = []
        self._left: list[tuple[str, int]] = []
        self._may_go_on = threading.Event()
        self._ending = threading.Event()
        # Not waited for at the end: what was not deleted comes again.
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)

    @property
    def name(self) -> str:
        """The identity whose queue it is."""
        return self._credentials.identity

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def end(self) -> None:
        """Read nothing more; the thread ends with the call that it is in."""
        self._ending.set()
        self._may_go_on.set()

    def settle(self, count: int, done: list[str], left: list[tuple[str, int]]) -> None:
        """Take back ``count`` messages: receipts to be deleted, and some left for seconds.

        One that is in neither list comes again when SQS has waited for it long enough.
        """
        self._settled.append((count, done, left))
        self._may_go_on.set()

    def _run(self) -> None:
        failures = 0
        while not self._ending.is_set():
            try:
                self._work()
            except Exception as error:  # noqa: BLE001  whatever it is, mail goes on
                self._inbox.put(News(self, _why(error)))
                self._ending.wait(min(_FIRST_PAUSE * 2.0**failures, _LONGEST_PAUSE))
                failures = min(failures + 1, 20)
            else:
                if failures:
                    self._inbox.put(News(self, ""))
                failures = 0
        if self._queue is not None:
            self._queue.close()

    def _work(self) -> None:
        """Give back what is done, and receive once."""
        if self._queue is None:
            with ONE_AT_A_TIME:
                from sesmail.delivery.events import sqs  # botocore, and only where there is a queue

            self._queue = sqs.Queue(self._credentials)
        self._may_go_on.clear()
        self._give_back(self._queue)
        if self._in_hand + _AT_ONCE <= MOST_IN_HAND:
            messages = self._queue.receive(0 if self._in_hand else _LONG_POLL)
            if messages and not self._ending.is_set():
                batch = [_read(one.body, one.receipt, one.count) for one in messages]
                self._in_hand += len(batch)
                self._inbox.put(Batch(self, batch))
                return
        if self._in_hand:
            self._may_go_on.wait(_PATIENCE)

    def _give_back(self, queue: sqs.Queue) -> None:
        while self._settled:
            count, done, left = self._settled.popleft()
            self._in_hand -= count
            self._done += done
            self._left += left
        while self._left:
            # Without that right they come again, too, only at other times.
            with contextlib.suppress(Exception):
                queue.leave(self._left[:_AT_ONCE])
            del self._left[:_AT_ONCE]
        while self._done:
            queue.delete(self._done[:_AT_ONCE])
            del self._done[:_AT_ONCE]


def _read(body: object, receipt: str, count: int) -> Received:
    try:
        return Received(receipt, count, record.read(body))
    except Unreadable as trouble:
        return Received(receipt, count, None, str(trouble))


def _why(error: Exception) -> str:
    try:
        with ONE_AT_A_TIME:
            from sesmail.delivery.events import sqs
    except ImportError:
        return "botocore cannot be imported: the installation is damaged"
    return sqs.why(error)
