"""sesmaild in a Machine, with the spool of `sesmailctl init`, as the only reader of credentials."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Iterator
from pathlib import Path

from tests.clients import identity
from tests.clients.machine import Machine
from tests.fakes.ses import SesServer
from tests.installation import Installation

_SPOOL = "/var/spool/sesmail"
_PID = "/run/sesmaild.pid"
_PATIENCE = 20.0  # seconds until the daemon listens; only a failing test waits for so long


@contextlib.contextmanager
def running(machine: Machine, ses: SesServer, installed: Installation) -> Iterator[None]:
    """The daemon's life; example.com is an identity. The spool goes with it."""
    ses.state.max_send_rate = 10_000.0
    machine.run([str(installed.command("sesmailctl")), "init"], "root", check=True)
    identity.with_api_key(machine, ses)
    machine.run(["chgrp", "sesmail", identity.FILE], "root", check=True)
    command = f"echo $$ >{_PID}; exec {installed.command('sesmaild')}"
    process = machine.start(["sh", "-c", command], "root")
    try:
        _wait_for_reader(machine.root / _SPOOL[1:] / "wake")
        yield
    finally:
        machine.run(["sh", "-c", f"kill $(cat {_PID})"], "root", check=True)
        status = process.wait(30)
        machine.run(["rm", "-rf", _SPOOL], "root", check=True)
    assert status == 0


def _wait_for_reader(wake: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            os.close(os.open(wake, os.O_WRONLY | os.O_NONBLOCK))
        except OSError as error:
            if error.errno != errno.ENXIO or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return
