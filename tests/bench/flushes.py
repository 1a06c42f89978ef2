"""How often a caller waits for the disk: fsyncs of a command, and of daemons until it has ended."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.bench.spawner import PIPE, Command, Spawner

_STRACE = ("strace", "-f", "-ttt", "-qq", "-e", "signal=none")
_FLUSHES = "trace=fsync,fdatasync,syncfs,sync,msync,sync_file_range"
_SETTLED = 1.0  # seconds, in which daemons end their work for an earlier message


def count(spawner: Spawner, command: Command, daemons: Sequence[int], message: Path) -> int:
    """Run a command once; return the number of flushes before its end.

    strace slows everything down, so that nothing else is measured in such a run.
    """
    with tempfile.TemporaryDirectory() as name:
        ours, theirs = Path(name) / "ours", Path(name) / "theirs"
        theirs.touch()
        with _traced(daemons, theirs):
            _run(spawner, command, message, ours)
        lines = ours.read_text().splitlines()
        end = _end(lines)
        flushes = [line for line in lines + theirs.read_text().splitlines() if _is_flush(line)]
        return sum(_time(line) <= end for line in flushes)


def _run(spawner: Spawner, command: Command, message: Path, output: Path) -> None:
    """Run the spawner under strace: it ends when the command has, whatever that leaves behind."""
    words = [*_STRACE, "-e", f"{_FLUSHES},execve,exit_group", "-o", str(output)]
    spawner.times([command], 1, message=message, kind=PIPE, under=words)


@contextmanager
def _traced(processes: Sequence[int], output: Path) -> Iterator[None]:
    """Trace daemons that run."""
    if not processes:
        yield
        return
    time.sleep(_SETTLED)
    words = [*_STRACE, "-e", _FLUSHES, "-o", str(output)]
    for process in processes:
        words += ["-p", str(process)]
    with subprocess.Popen(words) as tracer:
        while not all(map(_is_traced, processes)):
            time.sleep(0.01)
        yield
        tracer.terminate()


def _is_traced(process: int) -> bool:
    status = Path(f"/proc/{process}/status").read_text()
    return "TracerPid:\t0\n" not in status


def _end(lines: Sequence[str]) -> float:
    """Return when the spawner, which is executed first, ended: its command just had."""
    first = lines[0].split()[0]
    ends = [line for line in lines if line.split()[0] == first and "exit_group(" in line]
    return _time(ends[-1])


def _is_flush(line: str) -> bool:
    return "sync" in line and "resumed>" not in line and "exec" not in line


def _time(line: str) -> float:
    return float(line.split()[1])
