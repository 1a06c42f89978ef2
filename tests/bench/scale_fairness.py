"""Ten messages of one identity, while nearly a million of another are being sent."""

from __future__ import annotations

import statistics
import time

from sesmail.drop.put import Wake
from tests.bench import rows
from tests.bench.drain_ours import lead_to
from tests.bench.drain_ses import StandIn
from tests.bench.plan import Plan
from tests.bench.rows import Row
from tests.spool import IDENTITY, Spool

SMALL = "small.example"
FEW = 10
BAR = rows.at_most(2.0, "one sender's backlog is not another's")
_LATENCY = 0.025  # seconds
_PAUSE = 1.0  # seconds in which the daemon sends as fast as it will
_PATIENCE = 60.0  # seconds


def measure(alone: Spool, beside: Spool, length: str, ses: StandIn, plan: Plan) -> Row:
    """Return the row: ``beside`` has messages of another identity waiting, and ``alone`` none."""
    rounds = plan.count(10, 3)
    times = []
    for spool in (alone, beside):
        lead_to(spool, ses)
        lead_to(spool, ses, identity=SMALL)
        ses.set_latency(_LATENCY)
        spool.start()
        _send(spool, 1)  # imports, and logs in
        time.sleep(_PAUSE)
        times.append([_send(spool, FEW) for _ in range(rounds)])
        spool.stop()
    ses.set_latency(0.0)
    name = f"{FEW} of one identity beside those of another, {length} / alone"
    facts = {
        "ms": 1000 * statistics.median(times[1]),
        "ms alone": 1000 * statistics.median(times[0]),
    }
    return rows.ratio(name, times[1], times[0], facts=facts, bar=BAR)


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
