"""The daemon emptying its queue, in turns with a bare loop of botocore's send_email.

Both have as many threads, and the same endpoint. The first tenth of the messages is for warming up.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from tests.bench import rows
from tests.bench.endpoint import Endpoint
from tests.bench.plan import Plan
from tests.bench.rows import Row
from tests.installation import CHECKOUT, Installation
from tests.scale import queues
from tests.spool import Spool

NAME = "drain"
THREADS = 32  # of the daemon, at most
MESSAGES = 2000
LATENCIES = (0.0, 0.05)  # seconds
CPU_BAR = rows.at_most(1.7)
RATE_BAR = rows.at_least(0.75)
_TICK = os.sysconf("SC_CLK_TCK")


def measure(directory: Path, installed: Installation, plan: Plan) -> list[Row]:
    """Return rate and CPU at each latency."""
    table = []
    for latency in LATENCIES:
        with Endpoint(latency) as endpoint:
            place = directory / str(latency)
            place.mkdir()
            ours, bare = _take_turns(place, installed, endpoint, plan.count(3, 1))
        rate, cpu = (statistics.median(pair[n] for pair in ours) for n in (0, 1))
        bare_rate, bare_cpu = (statistics.median(pair[n] for pair in bare) for n in (0, 1))
        what = f"at {latency * 1000:.0f} ms"
        rates = f"{rate:.0f}/s against {bare_rate:.0f}/s"
        costs = f"{cpu * 1000:.2f} ms against {bare_cpu * 1000:.2f} ms a message"
        table += [
            Row(
                name=f"drain / bare loop: rate {what}",
                value=rate / bare_rate,
                bar=RATE_BAR,
                note=rates,
            ),
            Row(
                name=f"drain / bare loop: CPU {what}", value=cpu / bare_cpu, bar=CPU_BAR, note=costs
            ),
        ]
    return table


Measured = tuple[float, float]  # messages per second, CPU seconds per message


def _take_turns(
    place: Path, installed: Installation, endpoint: Endpoint, pairs: int
) -> tuple[list[Measured], list[Measured]]:
    ours, bare = [], []
    for number in range(pairs):
        directory = place / str(number)
        directory.mkdir()
        spool = Spool(directory, endpoint.account(), command=(installed.command("sesmaild"),))
        endpoint.write_credentials(spool)
        queues.fill(spool.queue_directory, MESSAGES, int(time.time() * 1000))
        ours.append(_drain(spool, endpoint))
        spool.close()
        bare.append(_bare(endpoint))
    return ours, bare


def _drain(spool: Spool, endpoint: Endpoint) -> Measured:
    """Let a daemon empty the queue."""
    first = endpoint.count()
    spool.start()
    begin = _wait(endpoint, first + MESSAGES // 10)
    assert spool.process is not None
    cpu = _cpu(spool.process.pid)
    start, reached = begin
    end, last = _wait(endpoint, first + MESSAGES)
    used = _cpu(spool.process.pid) - cpu
    spool.wait_until_empty()
    spool.stop()
    return (last - reached) / (end - start), used / (last - reached)


def _wait(endpoint: Endpoint, count: int) -> tuple[float, int]:
    """Wait until so many messages came; return when that was, and how many there are."""
    while (reached := endpoint.count()) < count:
        time.sleep(0.02)
    return time.perf_counter(), reached


def _cpu(pid: int) -> float:
    """Return the CPU seconds of a process, threads that ended included."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / _TICK


def _bare(endpoint: Endpoint) -> Measured:
    command = [sys.executable, "-m", "tests.bench.bare", endpoint.url, str(THREADS), str(MESSAGES)]
    done = subprocess.run(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, check=True)
    rate, cpu = done.stdout.split()
    return float(rate), float(cpu)
