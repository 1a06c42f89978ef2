"""sesmailctl run as a program over a spool of the tests."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from sesmail import launch
from tests.installation import CHECKOUT
from tests.spool import Spool

COMMAND = (sys.executable, "-I", str(CHECKOUT / launch.CONTROL / "__main__.py"))


@dataclass(frozen=True)
class Result:
    """What the administrator sees of one run."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def documents(self) -> list[dict[str, Any]]:
        """The JSON documents on standard output, a line each."""
        return [json.loads(line) for line in self.stdout.splitlines()]


def run(spool: Spool, *words: str, stdin: str = "") -> Result:
    """Run sesmailctl with the spool's settings and without a terminal."""
    done = subprocess.run(
        [*COMMAND, *words],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        env={"SESMAIL_CONFIG": str(spool.configuration), "PATH": "/usr/bin:/bin"},
        cwd="/",
    )
    return Result(done.returncode, done.stdout, done.stderr)
