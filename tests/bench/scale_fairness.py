"""Ten messages of one identity, while nearly a million of another are being sent."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

from sesmail.drop.put import Wake
from tests.bench import rows
from tests.bench.drain import API_AT
from tests.bench.drain_ours import lead_to
from tests.bench.drain_ses import StandIn
from tests.bench.plan import Plan
from tests.bench.rows import Row
from tests.spool import IDENTITY, Spool

SMALL = "small.example"
FEW = 10
BAR = rows.at_most(2.0, "one sender's backlog is not another's")
_LATENCIES = (25, 50)  # ms of a round trip; the bar is where that of a drain by the API is
_PAUSE = 1.0  # seconds in which the daemon sends as fast as it will
_TURNS = 3
_PATIENCE = 60.0  # seconds


def measure(alone: Spool, beside: Spool, length: str, ses: StandIn, plan: Plan) -> Iterator[Row]:
    """Yield the rows: ``beside`` has messages of another identity waiting, and ``alone`` none."""
    times: dict[tuple[Spool, int], list[float]] = {}
    for spool in (alone, beside):
        lead_to(spool, ses)
        lead_to(spool, ses, identity=SMALL)
    for _ in range(plan.count(_TURNS, 1)):
        for spool in (alone, beside):
            for latency, seconds in _times(spool, ses, plan.count(8, 2)):
                times.setdefault((spool, latency), []).extend(seconds)
    for latency in _LATENCIES:
        others, some = times[alone, latency], times[beside, latency]
        facts = {"ms": 1000 * statistics.median(some), "ms alone": 1000 * statistics.median(others)}
        name = f"{FEW} of one identity beside those of another, {latency} ms, {length} / alone"
        bar = BAR if latency == API_AT else None
        yield rows.ratio(name, some, others, facts=facts, bar=bar)


def _times(spool: Spool, ses: StandIn, rounds: int) -> Iterator[tuple[int, list[float]]]:
    """Yield each latency with the seconds of its rounds."""
    ses.set_latency(_LATENCIES[0] / 1000)
    spool.start()
    _send(spool, 1)  # imports, and logs in
    for latency in _LATENCIES:
        ses.set_latency(latency / 1000)
        time.sleep(_PAUSE)
        yield latency, [_send(spool, FEW) for _ in range(rounds)]
    spool.stop()
    ses.set_latency(0.0)


def _send(spool: Spool, messages: int) -> float:
    """Return the seconds from telling the daemon of some drops until all of them are sent."""
    author, begin = f"wiki@{SMALL}", len(spool.log)
    drops = {spool.drop(identity=SMALL, author=author, ring=False) for _ in range(messages)}
    wake, start = Wake(str(spool.directory)), time.perf_counter()
    for queue_id in drops:
        wake.ring(queue_id)
    wake.close()
    while drops:
        assert time.perf_counter() < start + _PATIENCE, f"{IDENTITY} keeps {SMALL} waiting"
        end = len(spool.log)
        sent = [line for line in spool.log[begin:end] if "status=sent" in line]
        drops -= {queue_id for queue_id in drops if any(queue_id in line for line in sent)}
        begin = end
        time.sleep(0.001)
    return time.perf_counter() - start
