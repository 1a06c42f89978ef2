"""A queue of a million messages in turns with one of a thousand: enqueue, next-due, a restart.

That they take no more steps is counted in tests/scale; this is what the clock says. A quick run has
a hundred thousand messages in the long queue.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

from sesmail.queue.store import Store
from tests.bench import rows
from tests.bench.plan import Plan
from tests.bench.rows import Row
from tests.fakes.ses import SesServer
from tests.installation import Installation
from tests.scale import queues
from tests.spool import Spool

NAME = "scale"
FEW = 1_000
LATER = 50 * 60 * 1000  # milliseconds; less than maximal_backoff, or it would be due at once
PIECES = 100  # a tenth of the short queue must not be exceeded by what is measured
RESTARTS = 5
BAR = rows.at_most(1.3)
RESTART_BAR = rows.at_most(2.0)

Pair = tuple[float, float]  # of the short queue, and of the long one


def measure(directory: Path, installed: Installation, plan: Plan) -> list[Row]:
    """Return the rows of a long queue."""
    many = plan.count(1_000_000, 100_000)
    with SesServer() as ses:
        spools = [_spool(directory / str(count), count, ses, installed) for count in (FEW, many)]
        stores = [Store(str(spool.queue_directory)) for spool in spools]
        enqueue = _in_turns(PIECES, [_enqueue(store) for store in stores])
        claim = _in_turns(PIECES, [_claim(store) for store in stores])
        for store in stores:
            queues.put_back(store)
            store.close()
        restart = _in_turns(RESTARTS, [_restart(spool) for spool in spools])
        for spool in spools:
            spool.close()
    return [
        _row("enqueue", many, enqueue, BAR),
        _row("next-due", many, claim, BAR),
        _row("first message after a restart", many, restart, RESTART_BAR),
    ]


def _row(name: str, messages: int, pair: Pair, bar: rows.Bar) -> Row:
    few, many = pair
    note = f"{many * 1000:.2f} ms against {few * 1000:.2f} ms"
    return Row(name=f"{name}: at {messages} / at {FEW}", value=many / few, bar=bar, note=note)


def _spool(directory: Path, messages: int, ses: SesServer, installed: Installation) -> Spool:
    directory.mkdir()
    spool = Spool(directory, ses, command=(installed.command("sesmaild"),))
    queues.fill(spool.queue_directory, messages, _now() + LATER)
    return spool


def _in_turns(rounds: int, measures: list[Callable[[], float]]) -> Pair:
    """Return the median of each, measured in turns."""
    times = [[measure() for measure in measures] for _ in range(rounds)]
    few, many = (statistics.median(some) for some in zip(*times, strict=True))
    return few, many


def _enqueue(store: Store) -> Callable[[], float]:
    def measure() -> float:
        batch = queues.entries(1, _now() + LATER)  # made before the clock starts
        return _seconds(lambda: queues.enqueue(store, batch))

    return measure


def _claim(store: Store) -> Callable[[], float]:
    return lambda: _seconds(lambda: queues.claim_next(store, _now() + 2 * LATER))


def _restart(spool: Spool) -> Callable[[], float]:
    """Return what measures the time from a daemon's start to its first message at SES."""

    def measure() -> float:
        store = Store(str(spool.queue_directory))
        queues.enqueue(store, queues.entries(1, _now()))
        store.close()
        known, lines = len(spool.ses.state.messages), len(spool.log)
        took = _seconds(lambda: _first_message(spool, known))
        spool.wait_for_log("removed", lines)
        spool.stop()
        return took

    return measure


def _first_message(spool: Spool, known: int) -> None:
    spool.start()
    spool.ses.state.wait_for_messages(known + 1, 60)


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _now() -> int:
    return int(time.time() * 1000)
