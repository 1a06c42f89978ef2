"""kill -9 at every step of an event's way, each point at least 10 times: all are told once."""

from __future__ import annotations

import pytest

from tests.spool import Spool
from tests.told_once import ToldOnce

HITS = 10


def test_no_kill_loses_a_bounce_or_tells_it_twice(
    spool: Spool, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each sender gets one DSN."""
    told = ToldOnce(spool, HITS)
    told.run()
    lines = told.check()
    with capsys.disabled():
        print("", *lines, sep="\n")
