"""A mail whose drop lies among another user's junk, against one whose drop lies alone.

From the start of sendmail to SES. That it goes first is shown in tests/scale.
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path

from tests.bench import rows
from tests.bench.plan import Plan
from tests.bench.rows import Row
from tests.fakes.ses import SesServer
from tests.host import Host
from tests.installation import Installation
from tests.spool import Spool
from tests.system.test_isolation import FILL, OTHER, is_alive, isolated, ring, run_as

NAME = "junk"
MAILS = 5
BAR = rows.at_most(3.0)


def measure(directory: Path, installed: Installation, plan: Plan) -> list[Row]:
    """Return the row of junk."""
    host = Host(directory, installed)
    junk = plan.count(100_000, 10_000)
    with SesServer() as ses, isolated(host, ses) as spool:
        spool.start()
        is_alive(host, spool)  # the first one imports what delivers
        alone = _delivered(host, spool)
        run_as(OTHER, FILL, spool.drop_directory, junk)
        ring(spool, "anything that asks for a scan")
        among = _delivered(host, spool)
        left = len(spool.dropped())
        spool.stop()
    note = f"{among * 1000:.0f} ms against {alone * 1000:.0f} ms; {left} files were left"
    name = f"a mail among {junk} files of junk / alone"
    return [Row(name=name, value=among / alone, bar=BAR, note=note)]


def _delivered(host: Host, spool: Spool) -> float:
    """Return the median of what mails take, one after another."""
    times = []
    for _ in range(MAILS):
        start = time.perf_counter()
        is_alive(host, spool)
        times.append(time.perf_counter() - start)
    return statistics.median(times)
