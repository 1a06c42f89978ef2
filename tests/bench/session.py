"""What SMTP on standard input (-bs) costs: its start, and a message of 2 kB in a long session.

The start, with HELO and QUIT, in turns with an empty Python. The rate of 100 messages in one
session, in turns with a loop that writes as many files of 2 kB, renames and fsyncs them. The client
writes all of them at once: its own time and the way between two processes are no cost of ours. No
daemon runs, but the FIFO has a reader, so messages are dropped.
"""

from __future__ import annotations

import fcntl
import os
import statistics
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench import rows
from tests.bench.plan import Plan
from tests.bench.rows import Row
from tests.bench.spawner import FLOOR, PIPE, Command
from tests.fakes.ses import SesServer
from tests.installation import Installation
from tests.spool import AUTHOR, RECIPIENT, Spool

NAME = "session"
MESSAGES = 100
SIZE = 2000  # bytes of a message
START_BAR = rows.at_most(1.5, "that of a relay")
RATE_BAR = rows.at_least(0.5)
_COMMANDS = f"MAIL FROM:<{AUTHOR}>\r\nRCPT TO:<{RECIPIENT}>\r\nDATA\r\n".encode()
_PIPE = 1 << 20  # bytes


def measure(directory: Path, installed: Installation, plan: Plan) -> Iterator[Row]:
    """Yield the rows of a session."""
    with SesServer() as ses:
        spool = Spool(directory, ses)
        reader = os.open(spool.directory / "wake", os.O_RDWR | os.O_NONBLOCK)
        yield _start(directory / "greeting", installed, spool, plan)
        yield _rate(installed, spool, plan)
        os.close(reader)
        spool.close()


def _start(greeting: Path, installed: Installation, spool: Spool, plan: Plan) -> Row:
    greeting.write_bytes(b"HELO x\r\nQUIT\r\n")
    environ = {"SESMAIL_CONFIG": str(spool.configuration)}
    session = Command("session", [str(installed.sendmail), "-bs"], environ)
    times = plan.spawner.times([session, FLOOR], plan.pairs, message=greeting, kind=PIPE)
    name = "start of -bs / empty Python"
    return rows.ratio(name, times[session.name], times[FLOOR.name], bar=START_BAR)


def _rate(installed: Installation, spool: Spool, plan: Plan) -> Row:
    text = plan.spawner.message(SIZE).read_bytes()
    rounds = plan.count(25, 5)
    ours, bare = [], []
    for number in range(rounds):
        ours.append(_session(installed, spool, text))
        bare.append(_loop(spool.directory, number, text))
    assert len(spool.dropped()) == rounds * (MESSAGES + 1)
    facts = {
        "messages/s": MESSAGES / statistics.median(ours),
        "messages/s of the loop": MESSAGES / statistics.median(bare),
    }
    name = "messages of a session / loop that fsyncs: rate"
    return rows.ratio(name, bare, ours, facts=facts, bar=RATE_BAR)


def _session(installed: Installation, spool: Spool, text: bytes) -> float:
    """Return the seconds that the messages of a session take."""
    message = _COMMANDS + text.replace(b"\n", b"\r\n") + b".\r\n"
    dialogue = message * MESSAGES
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
    os.write(client, b"HELO x\r\n" + message)
    _read(server, 5)  # the first message imports what sends it
    start = time.perf_counter()
    assert os.write(client, dialogue) == len(dialogue)
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


def _loop(directory: Path, turn: int, text: bytes) -> float:
    """Return the seconds that the same number of files takes, beside the drop and like it."""
    start = time.perf_counter()
    for number in range(MESSAGES):
        temporary, final = f"{directory}/.{turn}-{number}", f"{directory}/{turn}-{number}"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        os.write(descriptor, text)
        os.rename(temporary, final)
        os.fsync(descriptor)
        os.close(descriptor)
    return time.perf_counter() - start
