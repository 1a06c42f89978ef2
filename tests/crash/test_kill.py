"""kill -9 of client and daemon at every step, each point at least 20 times: nothing is lost."""

from __future__ import annotations

import pytest

from tests import crashes
from tests.installation import Installation
from tests.spool import Spool

HITS = 20


def test_no_kill_loses_mail(
    spool: Spool, installed: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a caller was told is kept; only what was in flight at a kill comes twice."""
    account = crashes.Crashes(spool, installed, HITS).run()

    lines = crashes.check(account, spool)
    with capsys.disabled():
        print("", *lines, sep="\n")
    for name in (*crashes.CLIENT_POINTS, *crashes.DAEMON_POINTS):
        assert account.kills[name] >= HITS, name
