"""Faults and kills in the system calls of a command, by strace; nothing in the product helps.

    calls = trace(command, environ, stdin)     # a run without a fault, and what it called
    place = calls.ordinal("rename", "/drop/")  # its n-th rename is the one of the drop
    run(command, environ, stdin, place.fault("EIO"))

What comes before the drop is the same in every run of a command that was compiled before, so the
number of a call in one run finds the same call in the next.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

CALLS = "openat,write,pwrite64,fchmod,rename,fsync,exit_group"
_STRACE = shutil.which("strace") or "strace"


@dataclass(frozen=True)
class Place:
    """The ``number``-th call of its name."""

    call: str
    number: int

    def fault(self, error: str, delay: float = 0.0) -> str:
        """Let it fail with an error's name, ``delay`` seconds after it was called."""
        late = f":delay_exit={int(delay * 1e6)}" if delay else ""
        return f"inject={self.call}:error={error}:when={self.number}{late}"

    def lie(self) -> str:
        """Let it do nothing and say that all is well."""
        return f"inject={self.call}:retval=0:when={self.number}"

    def kill(self) -> str:
        """Kill the process instead of the call."""
        return f"inject={self.call}:signal=KILL:when={self.number}"


@dataclass(frozen=True)
class Traced:
    """What a run ended with, and its calls, a line each."""

    exit_code: int
    stdout: bytes
    stderr: bytes
    calls: list[str]

    def ordinal(self, call: str, text: str, occurrence: int = 1) -> Place:
        """Find the ``occurrence``-th call of this name whose line has ``text`` in it."""
        lines = [line for line in self.calls if line.startswith(f"{call}(")]
        found = [number for number, line in enumerate(lines, 1) if text in line]
        assert len(found) >= occurrence, f"no {call} with {text}:\n" + "\n".join(self.calls)
        return Place(call, found[occurrence - 1])

    def injected(self) -> list[str]:
        """Return the calls that a fault struck."""
        return [line for line in self.calls if "(INJECTED)" in line or "(DELAYED)" in line]


def run(
    command: Sequence[str | Path],
    environ: Mapping[str, str],
    stdin: bytes,
    *injections: str,
    calls: str = CALLS,
) -> Traced:
    """Run a command under strace to its end."""
    with tempfile.NamedTemporaryFile() as log:
        done = subprocess.run(
            [*prefix(log.name, *injections, calls=calls), *command],
            input=stdin,
            capture_output=True,
            env=dict(environ),
            cwd="/",
            timeout=60,
        )
        lines = Path(log.name).read_text(errors="replace").splitlines()
    return Traced(done.returncode, done.stdout, done.stderr, lines)


def prefix(log: str, *injections: str, calls: str = CALLS, follows: bool = False) -> list[str]:
    """Return what to write before a command; ``follows``: threads and children too."""
    options = [option for injection in injections for option in ("-e", injection)]
    return [
        _STRACE,
        *(("-f",) if follows else ()),
        *("-y", "-qq", "-o", log, "-e", f"trace={calls}"),
        *options,
    ]
