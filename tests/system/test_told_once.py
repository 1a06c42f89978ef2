"""kill -9 at every step of an event's way, once each; tests/crash does it more often."""

from __future__ import annotations

from tests.spool import Spool
from tests.told_once import ToldOnce


def test_no_kill_loses_a_bounce_or_tells_it_twice(spool: Spool) -> None:
    """Each sender gets one DSN."""
    told = ToldOnce(spool, 1)
    told.run()
    told.check()
