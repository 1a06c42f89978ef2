"""The disk fails under the drop: the caller hears of it, and nothing half done is left.

strace injects the errors into the system calls of the installed command.
"""

from __future__ import annotations

import os
import subprocess
import threading
from dataclasses import dataclass

import pytest

from tests import injection
from tests.injection import Place, Traced
from tests.installation import Installation
from tests.spool import AUTHOR, RECIPIENT, Spool

EXIT_CODES = {"ENOSPC": 73, "EDQUOT": 73, "EROFS": 73, "EIO": 74}
MESSAGE = f"From: {AUTHOR}\nTo: {RECIPIENT}\n\nText.\n".encode()
# A call, which one of those with this text.
PLACES = {
    "open": ("openat", 1, "/drop/."),
    "write of the envelope": ("write", 1, "/drop/."),
    "write of the header section": ("write", 2, "/drop/."),
    "write of the body": ("write", 3, "/drop/."),
    "write of the first line": ("pwrite64", 1, "/drop/."),
    "fchmod": ("fchmod", 1, "/drop/."),
    "rename": ("rename", 1, "/drop/."),
    "fsync": ("fsync", 1, "/drop/"),
}


@dataclass(frozen=True)
class Client:
    """The installed sendmail before a spool of its own."""

    spool: Spool
    installed: Installation

    @property
    def command(self) -> list[str]:
        """The command line that drops a message."""
        return [str(self.installed.sendmail), "-odb", "-i", RECIPIENT]

    @property
    def environ(self) -> dict[str, str]:
        """Its environment."""
        return {"SESMAIL_CONFIG": str(self.spool.configuration)}

    def send(self, *injections: str) -> Traced:
        """Send a message to the drop, with these faults."""
        return injection.run(self.command, self.environ, MESSAGE, *injections)

    def find(self, place: str) -> Place:
        """Return which call of a run this place is."""
        call, occurrence, text = PLACES[place]
        return self.send().ordinal(call, text, occurrence)


@pytest.fixture
def client(spool: Spool, installed: Installation) -> Client:
    """The installed sendmail; its tests run no daemon beside it."""
    return Client(spool, installed)


@pytest.mark.parametrize("error", EXIT_CODES)
@pytest.mark.parametrize("place", PLACES)
def test_a_failing_call_is_told_and_leaves_nothing(client: Client, place: str, error: str) -> None:
    """Each error at each call: 73 or 74, one line with the remedy, and an empty drop."""
    found = client.find(place)
    before = client.spool.dropped()

    done = client.send(found.fault(error))

    struck = done.injected()
    assert len(struck) == 1
    assert "/drop/" in struck[0]
    assert error in struck[0]
    assert done.exit_code == EXIT_CODES[error]
    assert done.stdout == b""
    assert done.stderr.count(b"\n") == 1
    assert b"not taken" in done.stderr
    if error == "EROFS":
        assert f"ReadWritePaths={client.spool.directory}".encode() in done.stderr
    assert client.spool.dropped() == before


@pytest.mark.parametrize("place", PLACES)
def test_a_failing_disk_loses_nothing_that_was_accepted(client: Client, place: str) -> None:
    """What was accepted before and after a fault is delivered, and what was refused is not."""
    found = client.find(place)
    refused = client.send(found.fault("EIO"))
    accepted = client.send()

    assert client.spool.once() == 0

    assert (refused.exit_code, accepted.exit_code) == (74, 0)
    assert len(client.spool.ses.state.messages) == 2  # that of find() is one
    assert client.spool.dropped() == []


def test_a_limit_on_the_size_of_files_is_a_full_disk(client: Client) -> None:
    """The part of the message that fitted is taken away again: a short write, then EFBIG."""
    done = subprocess.run(
        ["prlimit", "--fsize=300", *client.command],
        input=MESSAGE + b"x" * 1000,
        capture_output=True,
        env=client.environ,
    )

    assert done.returncode == 73
    assert b"File too large" in done.stderr
    assert client.spool.dropped() == []


def test_a_failed_fsync_of_a_drop_that_the_daemon_has_is_no_failure(client: Client) -> None:
    """The daemon took it between rename and fsync: it has the message, so the caller may forget."""
    fsync = client.find("fsync")
    drop = client.spool.drop_directory
    known = set(client.spool.dropped())
    taker = threading.Thread(target=_take_next, args=(client.spool, known))
    taker.start()

    done = client.send(fsync.fault("EIO", delay=1.0))

    taker.join()
    assert done.injected()
    assert done.exit_code == 0
    assert set(os.listdir(drop)) == known


def _take_next(spool: Spool, known: set[str]) -> None:
    """Remove the next drop as soon as it has its final name."""
    spool.wait(lambda: bool(_final_names(spool, known)), "drop")
    for name in _final_names(spool, known):
        (spool.drop_directory / name).unlink()


def _final_names(spool: Spool, known: set[str]) -> set[str]:
    return {name for name in spool.dropped() if not name.startswith(".")} - known
