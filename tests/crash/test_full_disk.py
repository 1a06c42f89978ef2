"""The file system of the queue fills up and is freed: nothing is lost, nothing sent twice."""

from __future__ import annotations

import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.faults import slow
from tests.fakes.ses import SesServer
from tests.installation import Installation
from tests.spool import Spool

pytestmark = pytest.mark.root

SIZE = 64 << 20  # bytes
PATIENCE = 60.0
LARGE = ("x" * 70 + "\n") * 600
MESSAGES = 200


@pytest.fixture
def small(tmp_path: Path, ses: SesServer, installed: Installation) -> Iterator[Spool]:
    """A spool on a file system of 64 MiB, and room for settings and credentials elsewhere."""
    place = tmp_path / "small"
    place.mkdir()
    image = tmp_path / "image"
    with open(image, "wb") as file:
        file.truncate(SIZE)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", image], check=True)
    subprocess.run(["mount", "-o", "loop", image, place], check=True)
    spool = Spool(place, ses, command=(installed.command("sesmaild"),))
    spool.settings(minimum_free=0)
    try:
        yield spool
        spool.close()
    finally:
        subprocess.run(["umount", place], check=True)


def test_a_disk_that_fills_while_mail_goes_out_loses_nothing(small: Spool) -> None:
    """Results are written into the reserve; the rest waits in drop or queue until there is room."""
    ids = [small.drop(text=LARGE, ring=False) for _ in range(MESSAGES)]
    small.ses.script(slow(0.2))
    small.start()
    small.ses.state.wait_for_messages(1)
    ballast = _fill(small)
    small.wait(lambda: _has_stopped(small), "a standstill", PATIENCE)

    ballast.unlink()

    small.wait_until_empty(PATIENCE)
    assert small.stop() == 0
    assert _copies(small) == Counter(ids)


@pytest.mark.parametrize("left", [0, 2 << 20])
def test_a_daemon_that_starts_on_a_full_disk_waits_for_room(small: Spool, left: int) -> None:
    """It does not end, says what to do once, takes nothing; with room all is sent, and once."""
    small.start()
    assert small.stop() == 0
    ids = [small.drop(text=LARGE, ring=False) for _ in range(MESSAGES)]
    ballast = _fill(small)
    os.truncate(ballast, ballast.stat().st_size - left)

    small.start()
    small.wait_for_log("the disk of the queue is full", seconds=PATIENCE)
    assert small.ses.state.messages == []
    ballast.unlink()

    small.wait_for_log("there is room on the disk again", seconds=PATIENCE)
    small.wait_until_empty(PATIENCE)
    assert small.stop() == 0
    assert len(small.lines("the disk of the queue is full")) == 1
    assert _copies(small) == Counter(ids)


def _has_stopped(spool: Spool) -> bool:
    """Tell whether the daemon ran out of room, or all is sent without more of it."""
    is_full = bool(spool.lines("the disk of the queue is full"))
    return is_full or len(spool.ses.state.messages) >= MESSAGES


def _fill(spool: Spool) -> Path:
    """Take all room that is left; return the file that has it."""
    ballast = spool.directory.parent / "ballast"
    with open(ballast, "wb", buffering=0) as file:
        for size in (1 << 20, 4096):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
        os.fsync(file)
    return ballast


def _copies(spool: Spool) -> Counter[str]:
    return Counter(message.tags["sesmail-id"] for message in spool.ses.state.messages)
