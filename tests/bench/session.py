"""What SMTP on standard input (-bs) costs: its start, and a message of 2 kB in a long session.

The start, with HELO and QUIT, in turns with a relay and an empty Python. The rate of 100 messages
in one session, in turns with a loop that writes as many files of 2 kB, renames and fsyncs them. The
client writes all of them at once: its own time and the way between two processes are no cost of
ours. No daemon runs, but the FIFO has a reader, so messages are dropped.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import time
from pathlib import Path

from tests.bench import rows
from tests.bench.callers import MESSAGE, run
from tests.bench.plan import Plan
from tests.bench.rows import Row
from tests.fakes.ses import SesServer
from tests.host import Host
from tests.installation import PYTHON, Installation, compile_program
from tests.spool import AUTHOR, RECIPIENT, Spool

NAME = "session"
MESSAGES = 100
START_BAR = rows.at_most(1.5, "that of a relay")
RATE_BAR = rows.at_least(0.5)
_TEXT = MESSAGE.replace(b"\n", b"\r\n") + b".\r\n"
_COMMANDS = f"MAIL FROM:<{AUTHOR}>\r\nRCPT TO:<{RECIPIENT}>\r\nDATA\r\n".encode()
_DIALOGUE = (_COMMANDS + _TEXT) * MESSAGES
_PIPE = 1 << 20  # bytes


def measure(directory: Path, installed: Installation, plan: Plan) -> list[Row]:
    """Return the rows of a session."""
    return [
        _start(directory / "start", installed, plan),
        _rate(directory / "rate", installed, plan.count(25, 5)),
    ]


def _start(directory: Path, installed: Installation, plan: Plan) -> Row:
    directory.mkdir()
    host = Host(directory, installed)
    compile_program("int main(void) { return 0; }", host.real_sendmail)
    environ = host.environment()
    sendmail = str(installed.sendmail)
    times: dict[str, list[float]] = {"session": [], "relay": [], "empty": []}
    for _ in range(plan.pairs):
        times["session"].append(run([sendmail, "-bs"], environ, b"HELO x\r\nQUIT\r\n"))
        times["relay"].append(run([sendmail, "-i", "bob@example.org"], environ))
        times["empty"].append(run([PYTHON, "-IS", "-c", "pass"], environ))
    name = "start of -bs / empty Python"
    return rows.ratio(name, times["session"], times["empty"], bar=START_BAR)


def _rate(directory: Path, installed: Installation, rounds: int) -> Row:
    directory.mkdir()
    with SesServer() as ses:
        spool = Spool(directory, ses)
        reader = os.open(spool.directory / "wake", os.O_RDWR | os.O_NONBLOCK)
        ours, bare = [], []
        for number in range(rounds):
            ours.append(_session(installed, spool))
            bare.append(_loop(spool.directory, number))
        assert len(spool.dropped()) == rounds * (MESSAGES + 1)
        os.close(reader)
        spool.close()
    # The least disturbed rounds: two processes take turns, so a busy machine hits one side harder.
    rates = [MESSAGES / min(some) for some in (ours, bare)]
    note = f"{rates[0]:.0f}/s, loop {rates[1]:.0f}/s"
    return Row(
        name="messages of a session / loop that fsyncs",
        value=rates[0] / rates[1],
        bar=RATE_BAR,
        note=note,
    )


def _session(installed: Installation, spool: Spool) -> float:
    """Return the seconds that the messages of a session take."""
    process = subprocess.Popen(
        [installed.sendmail, "-bs", "-odb"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
        env={"SESMAIL_CONFIG": str(spool.configuration)},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    client, server = process.stdin.fileno(), process.stdout.fileno()
    fcntl.fcntl(client, fcntl.F_SETPIPE_SZ, _PIPE)
    _read(server, 1)
    os.write(client, b"HELO x\r\n" + _COMMANDS + _TEXT)
    _read(server, 5)  # the first message imports what sends it
    start = time.perf_counter()
    assert os.write(client, _DIALOGUE) == len(_DIALOGUE)
    replies = _read(server, 4 * MESSAGES)
    took = time.perf_counter() - start
    assert replies.count(b"\n250 2.0.0 Ok: queued as ") == MESSAGES, replies
    process.stdin.close()
    process.wait()
    process.stdout.close()
    return took


def _read(server: int, lines: int) -> bytes:
    text = b""
    while text.count(b"\n") < lines:
        piece = os.read(server, 1 << 16)
        if not piece:
            raise EOFError(text)
        text += piece
    return text


def _loop(directory: Path, turn: int) -> float:
    """Return the seconds that the same number of files takes, beside the drop and like it."""
    start = time.perf_counter()
    for number in range(MESSAGES):
        temporary, final = f"{directory}/.{turn}-{number}", f"{directory}/{turn}-{number}"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        os.write(descriptor, MESSAGE)
        os.rename(temporary, final)
        os.fsync(descriptor)
        os.close(descriptor)
    return time.perf_counter() - start
