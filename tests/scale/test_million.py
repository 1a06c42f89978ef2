"""A million messages wait: what is done with one of them costs what it does among a thousand."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

import pytest

from sesmail.delivery.daemon.log import DaemonLog
from sesmail.delivery.daemon.notify import Notifier
from sesmail.delivery.daemon.service import Service
from sesmail.queue.store import Store
from tests import memory
from tests.fakes.ses import SesServer
from tests.installation import Installation
from tests.scale import queues
from tests.scale.cost import Cost, counted
from tests.spool import Spool

MANY = 1_000_000
FEW = 1_000
LATER = 50 * 60 * 1000  # milliseconds; less than maximal_backoff, or it would be due at once
PIECES = 50
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


def test_the_length_of_a_queue_does_not_slow_it_down(spools: tuple[Spool, Spool]) -> None:
    """Enqueue and next-due take the same steps, write as many pages, and read next to none.

    A connection that has nothing cached reads a page more for each level of a tree.
    """
    for work in (_enqueue, _claim):
        first, few = _costs(spools[0], work)
        first_of_many, many = _costs(spools[1], work)

        assert first_of_many.steps <= 1.3 * first.steps
        assert first_of_many.read <= 2 * first.read
        assert many.steps <= 1.3 * few.steps
        assert many.written <= 1.3 * few.written
        assert many.read <= PIECES


def test_the_length_of_a_queue_does_not_delay_a_restart(spools: tuple[Spool, Spool]) -> None:
    """What a daemon does before its first look at the drop takes the same steps."""
    few, many = (_start_cost(spool) for spool in spools)

    assert many.steps <= 1.3 * few.steps
    assert many.read <= 2 * few.read


def test_a_scan_would_be_seen(spools: tuple[Spool, Spool]) -> None:
    """Whatever looks at each row takes hundreds of times the steps."""
    few, many = (_costs(spool, _scan)[1] for spool in spools)

    assert many.steps > 500 * few.steps


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

    peak, listing = memory.peak([installed.command("mailq")], environ)

    busy = memory.daemon_peak(spool)
    with capsys.disabled():
        print(f"\nmailq of {LISTED}: {peak:.0f} MiB, the daemon {busy:.0f} MiB")
    assert f"in {LISTED} Requests" in listing.decode()
    assert peak <= 50
    assert busy <= 50


def _costs(spool: Spool, work: Callable[[Store], Callable[[], object]]) -> tuple[Cost, Cost]:
    """Return what work costs with nothing cached, and what the same costs so many times after it.

    The sum, for now and then a tree gets another page.
    """
    with counted() as counter:
        store = Store(str(spool.queue_directory))
        first = counter.of(work(store))
        rest = sum((counter.of(work(store)) for _ in range(PIECES)), Cost(0, 0.0, 0.0))
        queues.put_back(store)
        store.close()
    return first, rest


def _enqueue(store: Store) -> Callable[[], object]:
    batch = queues.entries(1, _later())
    return lambda: queues.enqueue(store, batch)


def _claim(store: Store) -> Callable[[], object]:
    return lambda: queues.claim_next(store, _later())


def _scan(store: Store) -> Callable[[], object]:
    return lambda: store.connection.execute("SELECT count(*) FROM path WHERE text = 'x'").fetchone()


def _start_cost(spool: Spool) -> Cost:
    """Return what it costs to put a daemon together and to start it."""
    log = DaemonLog(lambda program, priority, text: None)
    with counted() as counter, contextlib.ExitStack() as opened:

        def start() -> None:
            service = Service(spool.load(), log, Notifier(""), is_once=True)
            opened.enter_context(service).daemon.start()

        return counter.of(start)
