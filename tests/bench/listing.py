"""`sesmailctl queue list` of a long queue beside the SQL that fetches their rows.

Both are whole commands, which write what they find to /dev/null: ours asks a daemon, the other
reads the database and writes the columns as they are. The daemon holds the identity, so that the
queue stays as it is.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from sesmail.queue.store import Store
from tests.bench import rows
from tests.bench.plan import Plan
from tests.bench.rows import Row
from tests.fakes.ses import SesServer
from tests.installation import Installation
from tests.queue_entries import entry
from tests.spool import IDENTITY, Spool

NAME = "listing"
FULL = 100_000  # entries
BAR = rows.at_most(2.0)
_BATCH = 5000
_BARE = """
import sqlite3, sys
connection = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
rows = connection.execute(
    "SELECT e.queue_id, i.name, e.uid, e.arrived, e.size, e.author, e.reverse_path,"
    " p.address, p.state, p.due, p.attempts, p.status, p.text"
    " FROM entry e JOIN identity i ON i.id = e.identity JOIN path p ON p.entry = e.id"
    " WHERE e.open > 0 ORDER BY e.id, p.id"
)
for row in rows:
    sys.stdout.write("\\t".join(map(str, row)) + "\\n")
"""


def measure(directory: Path, installed: Installation, plan: Plan) -> list[Row]:
    """Return the rows of the listing for people, and of that for programs."""
    with SesServer() as ses:
        spool = Spool(directory, ses, command=[installed.command("sesmaild")])
        spool.identity(IDENTITY, "aws_access_key_id = AKIAIOSFODNN7EXAMPLE")  # no secret: held
        entries = plan.count(FULL, 20_000)
        _fill(spool, entries)
        spool.start()
        try:
            return _compared(spool, installed, entries, plan.count(7, 2))
        finally:
            spool.close()


def _compared(spool: Spool, installed: Installation, entries: int, pairs: int) -> list[Row]:
    listing: list[str | Path] = [installed.command("sesmailctl"), "queue", "list"]
    commands: dict[str, list[str | Path]] = {
        "bare": [sys.executable, "-IS", "-c", _BARE, spool.queue_directory / "queue.db"],
        "people": listing,
        "programs": [*listing, "--json"],
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(pairs):
        for name, command in commands.items():
            times[name].append(_timed(command, spool))
    bare, people, programs = times.values()
    facts = {"entries": entries, "s for the SQL": statistics.median(bare)}
    bar = BAR if entries == FULL else None  # of few, starting our command takes longest
    return [
        rows.ratio("queue list / the bare SQL", people, bare, facts=facts, bar=bar),
        rows.ratio("queue list --json / the bare SQL", programs, bare, facts=facts, bar=bar),
    ]


def _timed(command: Sequence[str | Path], spool: Spool) -> float:
    environ = {"SESMAIL_CONFIG": str(spool.configuration)}
    start = time.perf_counter()
    subprocess.run(command, env=environ, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def _fill(spool: Spool, entries: int) -> None:
    with closing(Store(str(spool.queue_directory))) as store:
        for first in range(0, entries, _BATCH):
            with store.transaction():
                store.add([entry(f"r{n}@example.org") for n in range(first, first + _BATCH)])
