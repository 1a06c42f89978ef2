"""What a relay costs, as a multiple of what starting Python costs: `make bench`.

The installed sendmail hands a message of 2 kB to a real sendmail that does nothing, in turns with
`python3 -IS -c pass`, which gets the same message through the same kind of pipe. Prints the ratio
of the medians, not times, which say more about the machine; exits with 1 above the bar.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import time
from pathlib import Path

from tests.host import Host
from tests.installation import PYTHON, compile_program, install_once, make_session_directory

PAIRS = 300
BAR = 1.5
_HEADER = b"From: cron@host.example.com\nTo: bob@example.org\nSubject: nightly report\n\n"
MESSAGE = _HEADER + b"All is well with this line of text, as it was with the last one.\n" * 30


def main() -> int:
    """Measure, print the ratio, and judge it."""
    session = make_session_directory()
    try:
        ratio = _measure(session)
    finally:
        shutil.rmtree(session)
    print(f"relay of {len(MESSAGE)} bytes: {ratio:.2f} times an empty Python (at most {BAR})")
    return int(ratio > BAR)


def _measure(session: Path) -> float:
    world = session / "host"
    world.mkdir()
    host = Host(world, install_once(session))
    compile_program("int main(void) { return 0; }", host.real_sendmail)
    environ = host.environment()
    relay = [str(host.installed.sendmail), "-i", "bob@example.org"]
    empty = [PYTHON, "-IS", "-c", "pass"]
    times: dict[str, list[float]] = {"relay": [], "empty": []}
    for _ in range(PAIRS):
        times["relay"].append(_run(relay, environ))
        times["empty"].append(_run(empty, environ))
    return statistics.median(times["relay"]) / statistics.median(times["empty"])


def _run(command: list[str], environ: dict[str, str]) -> float:
    """Return the seconds from start to end; the message waits in the pipe before the start."""
    reading, writing = os.pipe()
    os.write(writing, MESSAGE)
    os.close(writing)
    actions = [(os.POSIX_SPAWN_DUP2, reading, 0), (os.POSIX_SPAWN_CLOSE, reading)]
    start = time.perf_counter()
    child = os.posix_spawn(command[0], command, environ, file_actions=actions)
    _, status = os.waitpid(child, 0)
    took = time.perf_counter() - start
    os.close(reading)
    if status:
        raise SystemExit(f"{command[0]} failed: {os.waitstatus_to_exitcode(status)}")
    return took


if __name__ == "__main__":
    sys.exit(main())
