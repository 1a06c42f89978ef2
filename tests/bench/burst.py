"""Callers that start at once: when the last of them is done, beside as many empty Pythons."""

from __future__ import annotations

import os
import statistics
from collections.abc import Iterator
from pathlib import Path

from tests.bench import rows
from tests.bench.plan import Plan
from tests.bench.rows import Row
from tests.bench.spawner import FLOOR, PIPE, Command
from tests.bench.wait import START
from tests.fakes.ses import SesServer
from tests.installation import Installation
from tests.spool import RECIPIENT, Spool

NAME = "burst"
CALLERS = 200
SIZE = 2000  # bytes of a message
BAR = rows.at_most(1.7, "many callers wait no longer than one, for what each costs")


def measure(directory: Path, installed: Installation, plan: Plan) -> Iterator[Row]:
    """Yield the row of a burst; a daemon picks up meanwhile, and is done before the next."""
    with SesServer() as ses:
        spool = Spool(directory, ses, command=(installed.command("sesmaild"),))
        spool.start()
        environ = {"SESMAIL_CONFIG": str(spool.configuration)}
        drop = Command("drop", [str(installed.sendmail), "-i", RECIPIENT], environ)
        message = plan.spawner.message(SIZE)
        ours, floors = [], []
        for _ in range(plan.count(20, 2)):
            times = plan.spawner.times([FLOOR, drop], 1, message=message, kind=PIPE, burst=CALLERS)
            ours += times[drop.name]
            floors += times[FLOOR.name]
            spool.wait_until_empty(120)
        spool.stop()
        spool.close()
    name = f"the last of {CALLERS} drops / of {CALLERS} empty Pythons"
    facts = {"s": statistics.median(ours), "cores": float(len(os.sched_getaffinity(0)))}
    yield rows.ratio(name, ours, floors, facts=facts, bar=BAR, missed=START)
