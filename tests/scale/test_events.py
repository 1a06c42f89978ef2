"""A hundred thousand events in one go: all are joined, and the daemon does not grow by them."""

from __future__ import annotations

import pytest

from tests import aftermath, memory
from tests.fakes.queue import Queue
from tests.installation import Installation
from tests.scale import sent
from tests.spool import Spool

EVENTS = 100_000
FIRST = 10_000  # after these the daemon has whatever it needs
DUPLICATE = 20  # each of so many comes twice
OVERTAKEN = 100  # by so many at most
GROWTH = 5.0  # MiB
PATIENCE = 600.0  # seconds


def test_a_hundred_thousand_events(
    spool: Spool, installed: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two events of each message, some twice, in any order: a row for each, and none is left."""
    messages = sent.fill(spool.queue_directory, EVENTS // 2)
    queue = aftermath.connect(spool)
    habits = spool.ses.state.queues.habits
    habits.duplicate, habits.shuffle = DUPLICATE, OVERTAKEN
    spool.command = (installed.command("sesmaild"),)
    spool.start()

    sent.tell(spool.ses, messages[: FIRST // 2])
    _wait_until_read(queue, FIRST)
    before = memory.daemon_peak(spool)
    sent.tell(spool.ses, messages[FIRST // 2 :])
    _wait_until_read(queue, EVENTS)
    after = memory.daemon_peak(spool)
    spool.wait_for_log("status=delivered", times=EVENTS // 2)
    assert spool.stop() == 0

    with capsys.disabled():
        print(f"\ndaemon after {FIRST} events: {before:.1f} MiB, after {EVENTS}: {after:.1f} MiB")
    assert _joined(spool) == EVENTS
    assert len(spool.lines("status=delivered")) == EVENTS // 2
    assert queue.counts["deleted"] == EVENTS + EVENTS // DUPLICATE
    assert after <= before + GROWTH


def _wait_until_read(queue: Queue, events: int) -> None:
    """Wait until so many events, and each second copy, are deleted."""
    copies = events + events // DUPLICATE
    queue.wait_until(lambda one: one.counts["deleted"] == copies, PATIENCE)


def _joined(spool: Spool) -> int:
    """Return of how many events there is a row that belongs to its message."""
    [(number,)] = aftermath.rows(
        spool,
        "SELECT count(*) FROM event v JOIN path p ON p.id = v.path"
        " WHERE v.remote_id = p.remote_id AND v.kind IN ('send', 'delivery')",
    )
    return int(number)
