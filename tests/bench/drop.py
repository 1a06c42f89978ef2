"""What a caller waits for when the message is dropped, fsync included, and a daemon runs.

In turns: our sendmail, an empty Python, Postfix's sendmail, /bin/true. Postfix runs in a private
machine; its spool and ours lie on the same file system.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from tests.bench import callers
from tests.bench.endpoint import Endpoint
from tests.bench.rows import Row
from tests.clients import postfix
from tests.clients.machine import Machine
from tests.installation import PYTHON, Installation
from tests.spool import Spool

ROUNDS = 250
FLOOR_BAR = 1.7
POSTFIX_BAR = 1.0
_NOWHERE = 9  # the discard port, where nobody listens: Postfix keeps the mail, as a queue does


def measure(directory: Path, installed: Installation) -> list[Row]:
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
            "postfix": [_postfix_sendmail(), "-i", "bob@example.org"],
            "true": ["/bin/true"],
        }
        environ = {"PATH": "/usr/sbin:/usr/bin", "SESMAIL_CONFIG": str(spool.configuration)}
        done = subprocess.run(
            machine.words([sys.executable, "-I", callers.__file__, str(ROUNDS)], "root"),
            input=json.dumps({"commands": commands, "environ": environ}).encode(),
            stdout=subprocess.PIPE,
            check=True,
            cwd="/",
        )
        postfix.stop(machine)
        spool.stop()
        spool.close()
    times = {name: statistics.median(some) for name, some in json.loads(done.stdout).items()}
    ours, others = times["ours"] - times["floor"], times["postfix"] - times["true"]
    note = ", ".join(f"{name} {seconds * 1000:.1f} ms" for name, seconds in times.items())
    return [
        Row("drop / empty Python", times["ours"] / times["floor"], FLOOR_BAR, note=note),
        Row("(drop - empty Python) / (Postfix - true)", ours / others, POSTFIX_BAR),
    ]


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
