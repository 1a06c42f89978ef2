"""What callers wait for, timed where this program runs: beside Postfix, in a machine of its own.

    python -I callers.py ROUNDS < commands

``commands`` is JSON: a name and an argument vector each, and ``environ``. All of them take turns
and get the same message through a pipe. Prints JSON: the seconds of each by name.
"""

from __future__ import annotations

import json
import os
import sys
import time

_HEADER = b"From: wiki@example.com\nTo: bob@example.org\nSubject: nightly report\n\n"
MESSAGE = _HEADER + b"All is well with this line of text, as it was with the last one.\n" * 30
_PAUSE = 0.02  # seconds; daemons do their part, which is not what callers wait for


def main() -> None:
    """Take turns."""
    request = json.load(sys.stdin)
    commands: dict[str, list[str]] = request["commands"]
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(int(sys.argv[1])):
        for name, command in commands.items():
            times[name].append(run(command, request["environ"]))
            time.sleep(_PAUSE)
    json.dump(times, sys.stdout)


def run(command: list[str], environ: dict[str, str], text: bytes = MESSAGE) -> float:
    """Return the seconds from start to end; ``text`` waits in the pipe before the start."""
    reading, writing = os.pipe()
    os.write(writing, text)
    os.close(writing)
    output = os.open("/dev/null", os.O_WRONLY)
    actions = [(os.POSIX_SPAWN_DUP2, reading, 0), (os.POSIX_SPAWN_DUP2, output, 1)]
    start = time.perf_counter()
    child = os.posix_spawn(command[0], command, environ, file_actions=actions)
    _, status = os.waitpid(child, 0)
    took = time.perf_counter() - start
    os.close(reading)
    os.close(output)
    if status:
        raise SystemExit(f"{command[0]} failed: {os.waitstatus_to_exitcode(status)}")
    return took


if __name__ == "__main__":
    main()
