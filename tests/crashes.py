"""Client and daemon killed at every step, and an account of every message.

A caller writes down what it was told (the exit code) and the SES stand-in what it got, both in the
process of the test. After each kill of the daemon the queue is looked at from outside: what was in
flight then, and only that, may come twice.

Kill points are system calls; strace kills the process instead of letting it make the call, so that
"before fsync" is also "after rename". Calls of the daemon are counted by thread.
"""

from __future__ import annotations

import random
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sesmail.queue.store import State
from tests import injection
from tests.fakes.faults import slow
from tests.injection import Place
from tests.installation import Installation
from tests.spool import AUTHOR, RECIPIENT, Spool

CLIENTS = 8
LATENCY = 0.02  # seconds of SES, so that something is in flight
EVENTS = "anon_inode:[eventfd]"  # through which threads tell the main one of results
PATIENCE = 10.0  # seconds in which a point is reached, or another one is tried

# What, which call, which one of those, and part of its line.
CLIENT_POINTS = {
    "client: before open": ("openat", "/drop/.", 1),
    "client: before write of the envelope": ("write", "/drop/.", 1),
    "client: before write of the header section": ("write", "/drop/.", 2),
    "client: before write of the body": ("write", "/drop/.", 3),
    "client: before write of the first line": ("pwrite64", "/drop/.", 1),
    "client: before fchmod": ("fchmod", "/drop/.", 1),
    "client: before rename": ("rename", "/drop/.", 1),
    "client: after rename, before fsync": ("fsync", "/drop/", 1),
    "client: after fsync, before the wake-up": ("write", "/wake", 1),
    "client: after the wake-up": ("exit_group", "", 1),
}


@dataclass(frozen=True)
class Point:
    """A call of the daemon: by chance one from the ``first`` to the ``last`` of its thread.

    ``path``: only those on this; ``in_flight``: a kill without an attempt in flight does not count.
    """

    call: str
    first: int
    last: int
    path: str = ""
    in_flight: bool = False

    def kill(
        self,
        dice: random.Random,
        command: Sequence[str | Path],
        environ: Mapping[str, str],
        log: Path,
    ) -> bool:
        """Run a daemon until it dies here; tell whether it did, and not before or not at all."""
        place = Place(self.call, dice.randint(self.first, self.last))
        path = str(log) if self.path == "LOG" else self.path
        options = ("-D", "-P", path) if path else ("-D",)
        prefix = injection.prefix("/dev/null", place.kill(), calls=self.call, follows=True)
        with open(log, "ab") as stream:
            daemon = subprocess.Popen(
                [prefix[0], *options, *prefix[1:], *command, "--stderr"],
                env=environ,
                stdin=subprocess.DEVNULL,
                stderr=stream,
            )
        try:
            code = daemon.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()
            code = 0
        assert code in (0, -signal.SIGKILL), log.read_text()[-3000:]
        return code != 0


DAEMON_POINTS = {
    "daemon: amid a commit": Point("pwrite64", 1, 60),
    "daemon: before the flush of a commit": Point("fdatasync", 1, 8),
    "daemon: after the commit, before the first unlink": Point("unlinkat", 1, 1),
    "daemon: after an unlink, before the next": Point("unlinkat", 2, 4),
    "daemon: after a commit and unlinks, before a line of the log": Point("write", 3, 25, "LOG"),
    "daemon: before a call": Point("sendto", 1, 2, in_flight=True),
    "daemon: after a call, before its answer": Point("recvfrom", 1, 4, in_flight=True),
    "daemon: after the answer, before the main thread knows": Point(
        "write", 1, 3, EVENTS, in_flight=True
    ),
    "daemon: with a result, before its commit": Point("read", 10, 60, EVENTS, in_flight=True),
}


@dataclass
class Account:
    """What happened: exit codes by token, kills by point, and attempts in flight at kills."""

    exits: dict[str, int] = field(default_factory=dict)
    kills: Counter[str] = field(default_factory=Counter)
    in_flight: Counter[str] = field(default_factory=Counter)  # queue ids
    missed: int = 0  # daemons that did not come to their point
    lock: threading.Lock = field(default_factory=threading.Lock)

    def accepted(self) -> set[str]:
        """Return the tokens of messages with exit code 0."""
        return {token for token, code in self.exits.items() if code == 0}


class Crashes:
    """Eight callers and a daemon on one spool, killed again and again."""

    def __init__(self, spool: Spool, installed: Installation, hits: int) -> None:
        self.account = Account()
        self._spool = spool
        self._sendmail = installed.sendmail
        self._sesmaild = installed.command("sesmaild")
        spool.command = (self._sesmaild,)
        spool.settings(real_sendmail="none")
        self._hits = hits
        self._log = spool.directory.parent / "daemon.log"
        self._is_over = threading.Event()
        self._environ = {"SESMAIL_CONFIG": str(spool.configuration)}
        self._places = self._find_places()
        self._dice = random.Random(hits)

    def run(self) -> Account:
        """Kill until each point was hit often enough; then let all be delivered."""
        self._spool.ses.script(slow(LATENCY))
        callers = [threading.Thread(target=self._call, args=(n,)) for n in range(CLIENTS)]
        for caller in callers:
            caller.start()
        try:
            while wanted := self._wanted(DAEMON_POINTS):
                self._kill_daemon(self._dice.choice(wanted))
        finally:
            self._is_over.set()
            for caller in callers:
                caller.join()
        self._deliver_the_rest()
        return self.account

    def _wanted(self, points: Iterable[str]) -> list[str]:
        with self.account.lock:
            return [name for name in points if self.account.kills[name] < self._hits]

    # Callers.

    def _call(self, caller: int) -> None:
        """Send messages, half of them with a kill for as long as kills are wanted."""
        number = 0
        while not (self._is_over.is_set() and not self._wanted(self._places)):
            wanted = self._wanted(self._places)
            name = wanted[(number + caller) % len(wanted)] if wanted and number % 2 else ""
            self._send(f"token-{caller}-{number}", name)
            number += 1
            if not name:
                time.sleep(0.1)  # the machine is for the daemon too

    def _send(self, token: str, point: str) -> None:
        command: list[str | Path] = [self._sendmail, "-odb", "-i", RECIPIENT]
        if point:
            place = self._places[point]
            command = [*injection.prefix("/dev/null", place.kill(), calls=place.call), *command]
        code = subprocess.run(
            command, input=_message(token), env=self._environ, stderr=subprocess.DEVNULL
        ).returncode
        with self.account.lock:
            self.account.exits[token] = code
            if point and code == -signal.SIGKILL:
                self.account.kills[point] += 1

    def _find_places(self) -> dict[str, Place]:
        """Trace a client while a daemon runs."""
        self._spool.start()
        command: list[str | Path] = [self._sendmail, "-odb", "-i", RECIPIENT]
        traced = injection.run(command, self._environ, _message("token-trace"))
        self.account.exits["token-trace"] = traced.exit_code
        assert self._spool.stop() == 0
        return {name: traced.ordinal(*where) for name, where in CLIENT_POINTS.items()}

    # The daemon.

    def _kill_daemon(self, name: str) -> None:
        """Run the daemon until it dies at this point."""
        point = DAEMON_POINTS[name]
        is_killed = point.kill(self._dice, [self._sesmaild], self._environ, self._log)
        flying = self._look_at_queue()
        with self.account.lock:
            if is_killed and (flying or not point.in_flight):
                self.account.kills[name] += 1
            else:
                self.account.missed += 1

    def _look_at_queue(self) -> int:
        """Count what is in flight in a copy of the queue as the kill left it; return how much."""
        with tempfile.TemporaryDirectory() as directory:
            for suffix in ("", "-wal"):
                file = self._spool.queue_directory / f"queue.db{suffix}"
                if file.exists():
                    shutil.copy(file, directory)
            connection = sqlite3.connect(Path(directory) / "queue.db")
            rows = connection.execute(
                "SELECT DISTINCT e.queue_id FROM path p JOIN entry e ON e.id = p.entry"
                " WHERE p.state = ?",
                (State.ACTIVE,),
            ).fetchall()
            connection.close()
        self.account.in_flight.update(queue_id for (queue_id,) in rows)
        return len(rows)

    def _deliver_the_rest(self) -> None:
        """Run a daemon that nobody kills, and make it try at once what would wait 10 minutes."""
        self._spool.ses.script(None)
        self._spool.start()
        end = time.monotonic() + 120
        while True:
            code = subprocess.run([self._sendmail, "-q"], env=self._environ).returncode
            assert code == 0
            try:
                self._spool.wait(self._is_empty, "empty queue", 5)
                break
            except AssertionError:
                assert time.monotonic() < end, self._spool.waiting()[:5]
        assert self._spool.stop() == 0

    def _is_empty(self) -> bool:
        names = [name for name in self._spool.dropped() if not name.startswith(".")]
        return not names and not self._spool.waiting()


def delivered(spool: Spool) -> Iterator[tuple[str, str]]:
    """Yield token and queue id of each message that the stand-in got."""
    for message in spool.ses.state.messages:
        subject = message.raw.partition(b"Subject: ")[2].partition(b"\r\n")[0]
        yield subject.decode(), message.tags["sesmail-id"]


def check(account: Account, spool: Spool) -> list[str]:
    """Compare both accounts; return the lines of the table of counts."""
    got = list(delivered(spool))
    times = Counter(got)
    tokens = {token for token, _ in got}
    accepted = account.accepted()
    assert accepted - tokens == set(), "accepted, and neither delivered nor queued"
    assert set(account.exits.values()) <= {0, -signal.SIGKILL}
    for (token, queue_id), count in times.items():
        most = 1 + account.in_flight[queue_id]
        assert count <= most, f"{token} came {count} times, in flight at {most - 1} kills"
    duplicates = len(got) - len(tokens)
    lines = [f"{kills:5} kills {name}" for name, kills in sorted(account.kills.items())]
    return [
        *lines,
        f"{account.missed:5} runs of the daemon did not come to their point",
        f"{len(account.exits):5} messages, {len(accepted)} accepted, {len(tokens)} delivered",
        f"{0:5} accepted and lost",
        f"{duplicates:5} came twice, of {account.in_flight.total()} attempts in flight at kills",
    ]


def _message(token: str) -> bytes:
    return f"From: {AUTHOR}\nTo: {RECIPIENT}\nSubject: {token}\n\nText.\n".encode()
