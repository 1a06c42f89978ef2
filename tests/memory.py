"""What processes take of memory, in MiB."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.spool import Spool

# A small process between us and the command: a child's peak includes that of whoever forked it.
_MEASURE = """
import os, sys
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(child, 0)
sys.stderr.write(f"\\n{usage.ru_maxrss}")
sys.exit(os.waitstatus_to_exitcode(status))
"""


def peak(
    command: Sequence[str | Path], environ: Mapping[str, str], stdin: Path | None = None
) -> tuple[float, bytes]:
    """Run a command to its end; return its peak and what it wrote on stdout."""
    with open(stdin or "/dev/null", "rb") as file:
        done = subprocess.run(
            [sys.executable, "-IS", "-c", _MEASURE, *command],
            stdin=file,
            capture_output=True,
            env=dict(environ),
            cwd="/",
        )
    assert done.returncode == 0, done.stderr
    return int(done.stderr.rpartition(b"\n")[2]) / 1024, done.stdout


def now(spool: Spool) -> float:
    """Return what the daemon takes."""
    return _status(spool, "VmRSS")


def daemon_peak(spool: Spool) -> float:
    """Return the most that the daemon took since its start."""
    return _status(spool, "VmHWM")


def _status(spool: Spool, name: str) -> float:
    assert spool.process is not None
    lines = Path(f"/proc/{spool.process.pid}/status").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith(f"{name}:")]
    return int(line.split()[1]) / 1024
