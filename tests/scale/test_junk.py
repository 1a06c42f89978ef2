"""A hundred thousand files of junk in the drop, of another user: a good mail does not wait."""

from __future__ import annotations

import time

import pytest

from tests.fakes.ses import SesServer
from tests.host import Host
from tests.spool import Spool
from tests.system.test_isolation import FILL, OTHER, is_alive, isolated, ring, run_as

pytestmark = pytest.mark.root

JUNK = 100_000
PROMISED = 2.0  # seconds


def test_a_hundred_thousand_files(host: Host, ses: SesServer) -> None:
    """Each mail is delivered within the time promised; then all junk is gone."""
    with isolated(host, ses) as spool:
        spool.start()
        run_as(OTHER, FILL, spool.drop_directory, JUNK)
        ring(spool, "anything that asks for a scan")
        seconds = [delivered_in(host, spool) for _ in range(5)]
        left = len(spool.dropped())
        spool.wait(lambda: spool.dropped() == [], "empty drop", 120)
        print(f"mail among junk: {max(seconds):.2f} s at most, {left} files left by then")
        assert left > JUNK / 2
        assert max(seconds) < PROMISED
        assert spool.stop() == 0


def delivered_in(host: Host, spool: Spool) -> float:
    """Return how long a mail takes from the start of sendmail to SES."""
    started = time.monotonic()
    is_alive(host, spool)
    return time.monotonic() - started
