"""What daemon, client and mailq take of memory, with a long queue or a large message."""

from __future__ import annotations

import time
from pathlib import Path

from tests import memory
from tests.installation import Installation
from tests.scale import queues
from tests.spool import AUTHOR, RECIPIENT, Spool

QUEUED = 10_000
DELIVERED = 300
LATER = 50 * 60 * 1000  # milliseconds
LARGEST = 28 << 20  # bytes: message_size_limit


def test_the_daemon_is_small_beside_a_long_queue(spool: Spool, installed: Installation) -> None:
    """At most 30 MiB before the first delivery, and 70 MiB with small mail being delivered."""
    queues.fill(spool.queue_directory, QUEUED, int(time.time() * 1000) + LATER)
    spool.command = (installed.command("sesmaild"),)
    spool.start()
    idle = memory.daemon_peak(spool)
    for _ in range(DELIVERED):
        spool.drop()
    spool.ses.state.wait_for_messages(DELIVERED, 60)

    assert idle <= 30
    assert memory.daemon_peak(spool) <= 70


def test_mailq_of_a_long_queue_takes_little_memory(spool: Spool, installed: Installation) -> None:
    """At most 50 MiB, in mailq and in the daemon that answers it."""
    queues.fill(spool.queue_directory, QUEUED, int(time.time() * 1000) + LATER)
    spool.command = (installed.command("sesmaild"),)
    spool.settings(real_sendmail="none")
    spool.start()
    environ = {"SESMAIL_CONFIG": str(spool.configuration)}

    peak, listing = memory.peak([installed.command("mailq")], environ)

    assert f"in {QUEUED} Requests" in listing.decode()
    assert peak <= 50
    assert memory.daemon_peak(spool) <= 50


def test_a_large_message_costs_the_client_little(
    spool: Spool, installed: Installation, tmp_path: Path
) -> None:
    """One of 28 MiB at most 64 MiB."""
    head = f"From: {AUTHOR}\nTo: {RECIPIENT}\n\n".encode()
    message = tmp_path / "message"
    message.write_bytes(head + _lines(LARGEST - 4096))
    command = [str(installed.sendmail), "-odb", "-i", RECIPIENT]

    peak, _ = memory.peak(command, {"SESMAIL_CONFIG": str(spool.configuration)}, message)

    (name,) = spool.dropped()
    assert (spool.drop_directory / name).stat().st_size > LARGEST - 8192
    assert peak <= 64


def _lines(size: int) -> bytes:
    return (b"y" * 75 + b"\n") * (size // 76)
