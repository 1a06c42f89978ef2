"""A million messages wait: what is done with one of them costs what it does among a thousand."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sesmail.queue.store import Store
from tests import memory
from tests.fakes.ses import SesServer
from tests.installation import Installation
from tests.scale import queues
from tests.spool import Spool

MANY = 1_000_000
FEW = 1_000
LATER = 50 * 60 * 1000  # milliseconds; less than maximal_backoff, or it would be due at once
RESTARTS = 3
DELIVERED = 1_000
LISTED = 100_000


@pytest.fixture(scope="module")
def spools(
    tmp_path_factory: pytest.TempPathFactory, installed: Installation
) -> Iterator[tuple[Spool, Spool]]:
    """Two spools, with few and with many messages that are due in 50 minutes."""
    with SesServer() as ses:
        made = []
        for messages in (FEW, MANY):
            directory = tmp_path_factory.mktemp("queue")
            spool = Spool(directory, ses, command=(installed.command("sesmaild"),))
            queues.fill(spool.queue_directory, messages, _later())
            made.append(spool)
        yield made[0], made[1]
        for spool in made:
            spool.close()


def _later() -> int:
    return int(time.time() * 1000) + LATER


def test_the_length_of_a_queue_does_not_slow_it_down(
    spools: tuple[Spool, Spool], capsys: pytest.CaptureFixture[str]
) -> None:
    """Enqueue and next-due take at most 1.3 times as long."""
    directories = [spool.queue_directory for spool in spools]

    enqueue = queues.ratio(directories[0], directories[1], queues.enqueue, _later())
    claim = queues.ratio(directories[0], directories[1], queues.claim_next, _later())
    for directory in directories:
        _put_back(directory)

    with capsys.disabled():
        print(f"\nat {MANY} against {FEW}: enqueue {enqueue:.2f} times, next-due {claim:.2f} times")
    assert enqueue <= 1.3
    assert claim <= 1.3


def test_the_length_of_a_queue_does_not_delay_the_first_message_after_a_restart(
    spools: tuple[Spool, Spool], capsys: pytest.CaptureFixture[str]
) -> None:
    """It is out in at most twice the time."""
    times: tuple[list[float], list[float]] = [], []
    for _ in range(RESTARTS):
        for spool, some in zip(spools, times, strict=True):
            some.append(_first_message(spool))
    few, many = (statistics.median(some) for some in times)

    with capsys.disabled():
        print(f"\nfirst message after a restart: {many:.2f} s at {MANY}, {few:.2f} s at {FEW}")
    assert many <= 2 * few


def test_the_length_of_a_queue_costs_the_daemon_no_memory(
    spools: tuple[Spool, Spool], capsys: pytest.CaptureFixture[str]
) -> None:
    """At most 30 MiB before the first delivery, and 70 MiB with small mail being delivered."""
    _, spool = spools
    spool.ses.state.messages.clear()
    spool.start()
    idle = memory.daemon_peak(spool)
    for _ in range(DELIVERED):
        spool.drop()
    spool.ses.state.wait_for_messages(DELIVERED, 120)
    busy = memory.daemon_peak(spool)
    spool.kill()

    with capsys.disabled():
        print(f"\ndaemon with {MANY} queued: {idle:.0f} MiB, while delivering {busy:.0f} MiB")
    assert idle <= 30
    assert busy <= 70


def test_mailq_of_a_hundred_thousand_takes_little_memory(
    spool: Spool, installed: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    """At most 50 MiB, in mailq and in the daemon that answers it."""
    queues.fill(spool.queue_directory, LISTED, _later())
    spool.command = (installed.command("sesmaild"),)
    spool.settings(real_sendmail="none")
    spool.start()
    environ = {"SESMAIL_CONFIG": str(spool.configuration)}

    start = time.perf_counter()
    peak, listing = memory.peak([installed.command("mailq")], environ)
    took = time.perf_counter() - start

    busy = memory.daemon_peak(spool)
    with capsys.disabled():
        print(f"\nmailq of {LISTED}: {took:.1f} s, {peak:.0f} MiB, the daemon {busy:.0f} MiB")
    assert f"in {LISTED} Requests" in listing.decode()
    assert peak <= 50
    assert busy <= 50


def _first_message(spool: Spool) -> float:
    """Return the seconds from the start of a daemon to the first message at SES."""
    store = Store(str(spool.queue_directory))
    with store.transaction():
        store.add(queues.entries(1, int(time.time() * 1000)))
    store.close()
    known = len(spool.ses.state.messages)
    start = time.perf_counter()
    spool.start()
    spool.ses.state.wait_for_messages(known + 1, 60)
    took = time.perf_counter() - start
    spool.wait_for_log("removed")
    spool.stop()
    return took


def _put_back(directory: Path) -> None:
    """Let what was claimed wait again."""
    store = Store(str(directory))
    with store.transaction():
        store.connection.execute("UPDATE path SET state = 0, attempt = NULL WHERE state = 1")
        store.connection.execute("DELETE FROM attempt")
    store.close()
