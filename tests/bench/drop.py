"""What a caller waits for when the message is dropped, fsync included, and a daemon runs.

In turns: our sendmail and an empty Python; then, in a private machine that Postfix runs in, also
its sendmail and /bin/true. Both spools lie on the same file system. The machine's own is an
overlay, where opening a file costs more, so that the first ratio is taken outside of it.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from tests.bench import callers, rows
from tests.bench.endpoint import Endpoint
from tests.bench.plan import Plan
from tests.bench.rows import Row
from tests.clients import postfix
from tests.clients.machine import Machine
from tests.installation import PYTHON, Installation
from tests.spool import Spool

NAME = "drop"
FLOOR_BAR = rows.at_most(1.7)
POSTFIX_BAR = rows.at_most(1.0)
_NOWHERE = 9  # the discard port, where nobody listens: Postfix keeps the mail, as a queue does


def measure(directory: Path, installed: Installation, plan: Plan) -> list[Row]:
    """Return the rows of a drop."""
    overlay = directory / "machine"
    overlay.mkdir()
    with Endpoint() as endpoint, Machine(overlay, directory.parent) as machine:
        spool = Spool(directory, endpoint.account(), command=(installed.command("sesmaild"),))
        endpoint.write_credentials(spool)
        _start_postfix(machine, directory / "postfix")
        spool.start()
        commands = {
            "ours": [str(installed.sendmail), "-odb", "-i", "bob@example.org"],
            "floor": [PYTHON, "-IS", "-c", "pass"],
        }
        environ = {"PATH": "/usr/sbin:/usr/bin", "SESMAIL_CONFIG": str(spool.configuration)}
        here = _take_turns(plan.pairs, [], commands, environ)
        commands["postfix"] = [_postfix_sendmail(), "-i", "bob@example.org"]
        commands["true"] = ["/bin/true"]
        there = _take_turns(plan.pairs, machine.words([], "root"), commands, environ)
        postfix.stop(machine)
        spool.stop()
        spool.close()
    ours, others = there["ours"] - there["floor"], there["postfix"] - there["true"]
    return [
        Row(
            name="drop / empty Python",
            value=here["ours"] / here["floor"],
            bar=FLOOR_BAR,
            note=_note(here),
        ),
        Row(
            name="(drop - empty Python) / (Postfix - true)",
            value=ours / others,
            bar=POSTFIX_BAR,
            note=_note(there),
        ),
    ]


def _take_turns(
    rounds: int, enter: list[str], commands: dict[str, list[str]], environ: dict[str, str]
) -> dict[str, float]:
    """Return the median of each command's seconds; ``enter`` are the words that lead there."""
    done = subprocess.run(
        [*enter, sys.executable, "-I", callers.__file__, str(rounds)],
        input=json.dumps({"commands": commands, "environ": environ}).encode(),
        stdout=subprocess.PIPE,
        check=True,
        cwd="/",
    )
    return {name: statistics.median(some) for name, some in json.loads(done.stdout).items()}


def _note(times: dict[str, float]) -> str:
    return ", ".join(f"{name} {seconds * 1000:.1f} ms" for name, seconds in times.items())


def _postfix_sendmail() -> str:
    """Return Postfix's own command, also where another program took its place."""
    diverted = "/usr/sbin/sendmail.postfix"
    return diverted if os.path.exists(diverted) else "/usr/sbin/sendmail"


def _start_postfix(machine: Machine, spool: Path) -> None:
    """Start Postfix with its spool on our file system instead of the machine's own."""
    machine.write("/etc/mailname", "host.example.com\n")
    machine.run(["cp", "-a", "/var/spool/postfix", str(spool)], "root", check=True)
    machine.run(["mount", "--bind", str(spool), "/var/spool/postfix"], "root", check=True)
    postfix.start(machine, _NOWHERE)
