"""Queues of a thousand to a million messages, and one of a million recipients.

Made by the queue module's own functions. What one thing costs in each, what starts and lists them,
what a long queue does to a short one, and what becomes of the file. That a long queue takes no more
steps and pages is counted in tests/scale; this is what the clock says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

from sesmail.queue.schema import FILE
from sesmail.queue.store import Store
from tests.bench import scale_costs, scale_daemon, scale_day, scale_expiry, scale_fairness
from tests.bench.drain_ses import StandIn
from tests.bench.plan import Plan
from tests.bench.rows import Row
from tests.fakes.ses import SesServer
from tests.installation import Installation
from tests.scale import queues
from tests.spool import Spool

NAME = "scale"
FULL = (1_000, 10_000, 100_000, 1_000_000)
QUICK = (1_000, 10_000)
MOST = 50  # recipients of a message, at SES


def measure(directory: Path, installed: Installation, plan: Plan) -> Iterator[Row]:
    """Yield the rows."""
    with ExitStack() as opened:
        account, ses = opened.enter_context(SesServer()), opened.enter_context(StandIn())

        def spool(name: str) -> Spool:
            place = directory / name
            place.mkdir()
            return Spool(place, account, command=[installed.command("sesmaild")])

        lengths = QUICK if plan.is_quick else FULL
        spools = {f"{length:,}": spool(str(length)) for length in lengths}
        for messages, (length, one) in zip(lengths, spools.items(), strict=True):
            yield _fill(one, length, messages, 1)
        recipients = lengths[-1]
        many = f"{recipients:,} recipients"
        wide = {many: spool("recipients")}
        yield _fill(wide[many], many, recipients // MOST, MOST)
        plan.sample_floor()
        yield from scale_costs.measure(directory, _directories(spools), 1, plan)
        yield from scale_costs.measure(directory / "recipients", _directories(wide), MOST, plan)
        plan.sample_floor()
        # Before anything is listed: for that all is held.
        length = list(spools)[-1]
        yield from scale_fairness.measure(spool("alone"), spools[length], length, ses, plan)
        yield from scale_daemon.measure(spools, 1, ses, installed, plan)
        yield from scale_daemon.measure(wide, MOST, ses, installed, plan)
        plan.sample_floor()
        yield scale_expiry.measure(spool("expiry"), ses, plan)
        yield from scale_day.measure(directory, plan)


def _fill(spool: Spool, name: str, messages: int, recipients: int) -> Row:
    """Fill a queue; return the row of what a message takes on the disk."""
    queues.fill(spool.queue_directory, messages, scale_costs.now(), recipients)
    Store(str(spool.queue_directory)).close()  # writes the WAL back
    size = (spool.queue_directory / FILE).stat().st_size
    facts = {"bytes of the message": queues.SIZE, "MiB in all": size / (1 << 20)}
    return Row(name=f"file, {name}", value=size / messages, unit="bytes/message", facts=facts)


def _directories(spools: Mapping[str, Spool]) -> dict[str, Path]:
    return {length: spool.queue_directory for length, spool in spools.items()}
