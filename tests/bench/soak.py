"""A day's mix in a quarter of an hour: bursts of callers as a web server has them, and bad times.

Callers come 200 at once with small mail, fewer with large; SES is away twice and throttles in
between. From it: that each message which a caller left is at SES, failed, or waits; what the daemon
takes as time passes; and how long the unluckiest caller waited.
"""

from __future__ import annotations

import sqlite3
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from sesmail.queue.store import State
from tests.bench import processes, rows
from tests.bench.drain_ours import lead_to
from tests.bench.drain_ses import StandIn
from tests.bench.drain_stand_in import AWAY, TAKE, THROTTLE
from tests.bench.plan import Plan
from tests.bench.rows import Row
from tests.bench.spawner import FILE, Command
from tests.fakes.ses import SesServer
from tests.installation import Installation
from tests.spool import RECIPIENT, Spool

NAME = "soak"
CALLERS = 200
LEAK_BAR = rows.at_most(5.0, "one lost at each burst would be 25 more")
RSS_BAR = rows.at_most(1.0, "a daemon that runs for months")
LOST_BAR = rows.at_most(0.0, "no message is lost")
_LATENCY = 0.025  # seconds
_CYCLE = 12.0  # seconds between two rounds of bursts
_SIZES = {2_000: 1.0, 200_000: 0.1, 5_000_000: 0.01}  # bytes, and the share of the callers
_TIMES = ((0.20, 0.27, AWAY), (0.42, 0.52, THROTTLE), (0.60, 0.66, AWAY))  # shares of the whole
_LOOK = 0.5  # seconds between two looks at the daemon
_TEN_MINUTES = 600.0  # seconds


class Look(NamedTuple):
    """What the daemon took at a moment, in seconds since the start."""

    at: float
    usage: processes.Usage


@dataclass
class Callers:
    """What callers left, and how long the last of each burst waited, by the size of the mail."""

    accepted: int
    waits: dict[int, list[float]]


def measure(directory: Path, installed: Installation, plan: Plan) -> Iterator[Row]:
    """Yield the rows."""
    seconds = float(plan.count(900, 7))
    with SesServer() as account, StandIn() as ses:
        spool = Spool(directory, account, command=[installed.command("sesmaild")])
        lead_to(spool, ses)
        ses.set_latency(_LATENCY)
        spool.start()
        looks: list[Look] = []
        times = threading.Thread(target=_pass, args=(spool, ses, seconds, looks))
        times.start()
        callers = _call(spool, installed, plan, seconds)
        times.join()
        with suppress(AssertionError):  # what was under way when SES went away waits ten minutes
            spool.wait_until_empty(plan.count(20, 2))
        spool.stop()
        yield from _count(spool, callers, ses.counts())
        yield from _growth(looks, seconds, plan)
        spool.close()
    for size, waits in callers.waits.items():
        milliseconds = [1000 * each for each in waits]
        name = f"longest wait of {_callers(plan, size)} callers at once, {size // 1000} kB"
        facts = {"ms at most": max(milliseconds)}
        yield rows.amount(name, "ms", milliseconds, facts=facts)


def _pass(spool: Spool, ses: StandIn, seconds: float, looks: list[Look]) -> None:
    """Let good and bad times come, and look at the daemon."""
    assert spool.process is not None
    begin = time.perf_counter()
    while (now := time.perf_counter() - begin) < seconds:
        share = now / seconds
        ses.behave(next((mode for start, end, mode in _TIMES if start <= share < end), TAKE))
        looks.append(Look(now, processes.of(spool.process.pid)))
        time.sleep(_LOOK)
    ses.behave(TAKE)


def _call(spool: Spool, installed: Installation, plan: Plan, seconds: float) -> Callers:
    """Let callers come for so many seconds; one that fails is a CalledProcessError."""
    environ = {"SESMAIL_CONFIG": str(spool.configuration)}
    command = Command("sesmail", [str(installed.sendmail), "-odb", "-i", RECIPIENT], environ)
    callers = Callers(0, {size: [] for size in _SIZES})
    end = time.perf_counter() + seconds
    while (now := time.perf_counter()) < end:
        for size in _SIZES:
            message, at_once = plan.spawner.message(size), _callers(plan, size)
            taken = plan.spawner.times([command], 1, message=message, kind=FILE, burst=at_once)
            callers.waits[size] += taken[command.name]
            callers.accepted += at_once
        time.sleep(max(0.0, now + plan.count(int(_CYCLE), 3) - time.perf_counter()))
    return callers


def _callers(plan: Plan, size: int) -> int:
    return max(1, int(plan.count(CALLERS, CALLERS // 10) * _SIZES[size]))


def _count(spool: Spool, callers: Callers, counts: dict[str, float]) -> Iterator[Row]:
    """Yield what became of all messages; the queue says what SES did not."""
    delivered, failed, waiting = _states(spool)
    dropped = len(spool.dropped())
    facts = {
        "accepted": callers.accepted,
        "delivered": delivered,
        "failed": failed,
        "waiting": waiting + dropped,
        "taken by SES": counts["taken"],
        "taken twice": counts["again"],
    }
    lost = callers.accepted - delivered - failed - waiting - dropped
    yield Row(
        name="messages unaccounted for", value=abs(lost), unit="messages", facts=facts, bar=LOST_BAR
    )
    unproved = max(0, delivered - int(counts["taken"]))
    yield Row(
        name="called delivered, and not at SES", value=unproved, unit="messages", bar=LOST_BAR
    )


def _states(spool: Spool) -> tuple[int, int, int]:
    """Return how many forward-paths are delivered, have failed, and wait."""
    path = f"file:{spool.queue_directory}/queue.db?mode=ro"
    with closing(sqlite3.connect(path, uri=True)) as connection:
        counts = dict(connection.execute("SELECT state, count(*) FROM path GROUP BY state"))
    delivered, failed = counts.pop(State.DELIVERED, 0), counts.pop(State.FAILED, 0)
    return delivered, failed, sum(counts.values())


def _growth(looks: Sequence[Look], seconds: float, plan: Plan) -> Iterator[Row]:
    """Yield what grows with time after the first third."""
    later = [look for look in looks if look.at >= seconds / 3]
    sizes = [look.usage.rss for look in later]
    yield Row(
        name="growth of RSS after the first third",
        value=statistics.linear_regression([look.at / _TEN_MINUTES for look in later], sizes).slope,
        unit="MiB/10 min",
        facts={"MiB at most": max(sizes), "MiB at least": min(sizes)},
        bar=None if plan.is_quick else RSS_BAR,  # seconds say nothing
    )
    for what in ("descriptors", "threads"):
        middle, last = (
            max(
                getattr(look.usage, what) for look in later if is_last == (look.at >= seconds / 1.5)
            )
            for is_last in (False, True)
        )
        name = f"growth of {what} in the last third"
        facts = {"at most": max(middle, last)}
        yield Row(name=name, value=last - middle, unit=what, facts=facts, bar=LEAK_BAR)
