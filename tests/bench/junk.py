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
BAR = rows.at_most(3.0)


def measure(directory: Path, installed: Installation, plan: Plan) -> list[Row]:
    """Return the row of junk."""
    host = Host(directory, installed)
    junk, mails = plan.count(100_000, 10_000), plan.count(20, 5)
    with SesServer() as ses, isolated(host, ses) as spool:
        spool.start()
        is_alive(host, spool)  # the first one imports what delivers
        alone = _delivered(host, spool, mails)
        run_as(OTHER, FILL, spool.drop_directory, junk)
        ring(spool, "anything that asks for a scan")
        among = _delivered(host, spool, mails)
        left = len(spool.dropped())
        spool.stop()
    facts = {"ms": 1000 * statistics.median(among), "ms alone": 1000 * statistics.median(alone)}
    name = f"a mail among {junk} files of junk / alone"
    return [rows.ratio(name, among, alone, facts=facts | {"files left": left}, bar=BAR)]


def _delivered(host: Host, spool: Spool, mails: int) -> list[float]:
    """Return the seconds that mails take, one after another."""
    times = []
    for _ in range(mails):
        start = time.perf_counter()
        is_alive(host, spool)
        times.append(time.perf_counter() - start)
    return times
