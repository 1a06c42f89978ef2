#!/usr/bin/env python3
"""`make bench`: what sesmail costs beside what is done without it, and the bars.

    python3 tests/bench/run.py [--only PART]... [--quick]

Prints a line for each row as it comes and writes all of them to build/bench.json. Ends with 1 where
a bar is missed, and with 3 where the machine did not hold still, so that the numbers say little.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

CHECKOUT = Path(__file__).resolve().parents[2]
ENVIRONMENT = CHECKOUT / ".venv"
if sys.prefix != str(ENVIRONMENT):  # by whatever python3 it is started, ours has the libraries
    program = str(ENVIRONMENT / "bin" / "python3")
    os.execv(program, [program, *sys.argv])  # Python finds its environment by this first word
sys.path[0] = str(CHECKOUT)

from tests.bench import (  # noqa: E402
    burst,
    drain,
    events,
    instructions,
    junk,
    listing,
    machine_facts,
    pickup,
    scale,
    session,
    soak,
    wait,
)
from tests.bench.plan import Plan  # noqa: E402
from tests.bench.rows import Row  # noqa: E402
from tests.bench.spawner import Spawner  # noqa: E402
from tests.installation import Installation, install_once  # noqa: E402

BUILD = CHECKOUT / "build"  # on a disk, as no /tmp need be
RESULT = BUILD / "bench.json"
MISSED, MOVED, TERMINATED = 1, 3, 128 + signal.SIGTERM


class Part(Protocol):
    """What a module of a part has."""

    NAME: str

    def measure(self, directory: Path, installed: Installation, plan: Plan) -> Iterable[Row]:
        """Measure, in a directory of its own, which may keep what it wants; yield rows."""


PARTS: list[Part] = [
    instructions,
    wait,
    burst,
    session,
    pickup,
    drain,
    events,
    listing,
    scale,
    junk,
    soak,
]


def main(words: list[str]) -> int:
    """Measure, print and write down; return the exit code."""
    arguments = _parse(words)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))  # past what cleans up
    os.umask(0o022)
    BUILD.mkdir(exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix="bench-", dir=BUILD))
    place.chmod(0o755)
    try:
        plan = Plan(Spawner(place), is_quick=arguments.quick)
        chosen = [part for part in PARTS if part.NAME in (arguments.only or _names())]
        rows = list(_measure(chosen, plan, place))
        moved = plan.floor_moved()
        machine = machine_facts.facts(place) | {"quick": arguments.quick, "moved": moved}
    finally:
        shutil.rmtree(place)
    document = {"machine": machine, "rows": [dataclasses.asdict(row) for row in rows]}
    RESULT.write_text(json.dumps(document, indent=1) + "\n")
    return _judge(rows, moved)


def _parse(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="measure what sesmail costs")
    parser.add_argument("--only", action="append", choices=_names(), help="one part; may repeat")
    parser.add_argument("--quick", action="store_true", help="in two minutes, with fewer rounds")
    return parser.parse_args(words)


def _names() -> list[str]:
    return [part.NAME for part in PARTS]


def _measure(parts: Iterable[Part], plan: Plan, place: Path) -> Iterator[Row]:
    installed = install_once(place)
    for part in parts:
        plan.sample_floor()
        directory = place / part.NAME
        directory.mkdir()
        for measured in part.measure(directory, installed, plan):
            row = dataclasses.replace(measured, part=part.NAME)
            print(row.line(), flush=True)
            yield row
    plan.sample_floor()


def _judge(rows: list[Row], moved: str) -> int:
    missed = [f"{row.part}: {row.name}" for row in rows if row.is_missed()]
    if missed:
        print("missed:", "; ".join(missed))
    if moved:
        print(moved)
        return MOVED
    return MISSED if missed else os.EX_OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
