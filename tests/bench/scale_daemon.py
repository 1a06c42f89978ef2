"""The daemon over a queue of some length: its start, its memory, and what lists the queue."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from tests import memory
from tests.bench import processes, rows
from tests.bench.drain_ours import lead_to
from tests.bench.drain_ses import StandIn
from tests.bench.plan import Plan
from tests.bench.rows import Row
from tests.bench.scale_costs import now
from tests.installation import Installation
from tests.scale import queues
from tests.spool import IDENTITY, Spool

FIRST_BAR = rows.at_most(2.0, "a restart is no outage")
MEMORY_BAR = rows.at_most(70.0, "fits beside a web server on the smallest host")
_PATIENCE = 60.0  # seconds


def measure(
    spools: Mapping[str, Spool], recipients: int, ses: StandIn, installed: Installation, plan: Plan
) -> Iterator[Row]:
    """Yield the rows of each; ``spools`` by length, in which everything is due."""
    yield from _start(spools, recipients, ses, plan)
    for length, spool in spools.items():
        yield from _list(length, spool, installed)


def _start(spools: Mapping[str, Spool], recipients: int, ses: StandIn, plan: Plan) -> Iterator[Row]:
    ready: dict[str, list[float]] = {length: [] for length in spools}
    first: dict[str, list[float]] = {length: [] for length in spools}
    peaks: dict[str, list[float]] = {length: [] for length in spools}
    for _ in range(plan.count(3, 1)):
        for length, spool in spools.items():
            lead_to(spool, ses)
            before, begin = ses.counts()["messages"], time.perf_counter()
            spool.start()
            ready[length].append(time.perf_counter() - begin)
            _wait(ses, before + 1)
            first[length].append(time.perf_counter() - begin)
            _wait(ses, before + plan.count(500, 100))  # until memory is looked at
            peaks[length].append(memory.daemon_peak(spool))
            spool.stop()
            # Let it be as long again.
            sent = int(ses.counts()["messages"] - before)
            queues.fill(spool.queue_directory, sent, now(), recipients)
    last = list(spools)[-1]
    for length in spools:
        yield rows.amount(f"start until ready, {length}", "s", ready[length])
        yield rows.amount(
            f"start until the first message, {length}", "s", first[length], bar=FIRST_BAR
        )
        bar = MEMORY_BAR if length == last else None
        yield rows.amount(f"RSS while delivering, {length}", "MiB", peaks[length], bar=bar)


def _wait(ses: StandIn, messages: float) -> None:
    end = time.perf_counter() + _PATIENCE
    while ses.counts()["messages"] < messages:
        assert time.perf_counter() < end, "nothing is sent"
        time.sleep(0.002)


def _list(length: str, spool: Spool, installed: Installation) -> Iterator[Row]:
    """Yield what mailq and sesmailctl take while all is held, and what the daemon takes then."""
    spool.identity(IDENTITY, "aws_access_key_id = AKIAIOSFODNN7EXAMPLE")  # no secret: held
    spool.settings(real_sendmail="none")
    spool.start()
    assert spool.process is not None
    usage = processes.of(spool.process.pid)
    facts = {"MiB of PSS": usage.pss}
    yield Row(name=f"RSS while nothing is sent, {length}", value=usage.rss, unit="MiB", facts=facts)
    environ = {"SESMAIL_CONFIG": str(spool.configuration)}
    for name, words in (("mailq", []), ("sesmailctl", ["queue", "list"])):
        begin = time.perf_counter()
        peak, text = memory.peak([installed.command(name), *words], environ)
        facts = {
            "MiB": peak,
            "lines": text.count(b"\n"),
            "MiB of the daemon": memory.daemon_peak(spool),
        }
        took = time.perf_counter() - begin
        title = " ".join([name, *words])
        yield Row(name=f"{title}, {length}", value=took, unit="s", facts=facts)
    spool.stop()
