"""What a relay costs, as a multiple of what starting Python costs.

The installed sendmail hands a message of 2 kB to a real sendmail that does nothing, in turns with
`python3 -IS -c pass`, which gets the same message through the same kind of pipe.
"""

from __future__ import annotations

from pathlib import Path

from tests.bench import rows
from tests.bench.callers import run
from tests.bench.plan import Plan
from tests.bench.rows import Row
from tests.host import Host
from tests.installation import PYTHON, Installation, compile_program

NAME = "relay"
BAR = rows.at_most(1.5)


def measure(directory: Path, installed: Installation, plan: Plan) -> list[Row]:
    """Return the row of a relay."""
    host = Host(directory, installed)
    compile_program("int main(void) { return 0; }", host.real_sendmail)
    environ = host.environment()
    relay = [str(host.installed.sendmail), "-i", "-f", "cron@host.example.net", "bob@example.org"]
    empty = [PYTHON, "-IS", "-c", "pass"]
    times: dict[str, list[float]] = {"relay": [], "empty": []}
    for _ in range(plan.pairs):
        times["relay"].append(run(relay, environ))
        times["empty"].append(run(empty, environ))
    return [rows.ratio("relay / empty Python", times["relay"], times["empty"], bar=BAR)]
