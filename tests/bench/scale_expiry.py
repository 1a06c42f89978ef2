"""A queue of which every message is past its lifetime: the next attempt of each is the last."""

from __future__ import annotations

import sqlite3
import statistics
from contextlib import closing

from sesmail.queue.store import State
from tests.bench import rows
from tests.bench.drain_ours import lead_to
from tests.bench.drain_ses import StandIn, watch
from tests.bench.drain_stand_in import REFUSE, TAKE
from tests.bench.plan import Plan
from tests.bench.rows import Row
from tests.bench.scale_costs import now
from tests.scale import queues
from tests.spool import Spool

_PATIENCE = 60.0  # seconds for those that no worker has begun when the daemon ends


def measure(spool: Spool, ses: StandIn, plan: Plan) -> Row:
    """Return the row of expiry; SES refuses each message with what is no answer."""
    messages = plan.count(100_000, 2_000)
    lead_to(spool, ses)
    spool.settings(queue_lifetime="1s")
    queues.fill(spool.queue_directory, messages, now())
    ses.behave(REFUSE)
    spool.start()
    assert spool.process is not None
    before = int(ses.counts()["messages"])
    drained = watch(ses, spool.process.pid, messages, plan.count(20, 2), before)
    spool.stop(seconds=_PATIENCE)
    ses.behave(TAKE)
    facts = {
        "messages": _failed(spool),
        "ms of CPU each": 1000 * statistics.median(drained.cpus),
        "MiB": drained.rss,
    }
    name = f"expiry, of {messages:,} at once"
    return rows.amount(name, "messages/s", drained.rates, facts=facts)


def _failed(spool: Spool) -> int:
    """Return how many have failed; none may have been lost."""
    path = f"file:{spool.queue_directory}/queue.db?mode=ro"
    with closing(sqlite3.connect(path, uri=True)) as connection:
        (count,) = connection.execute(
            "SELECT count(*) FROM path WHERE state = ? AND status = '4.4.7'", (int(State.FAILED),)
        ).fetchone()
    assert count, "nothing has expired"
    return int(count)
