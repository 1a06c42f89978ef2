"""kill -9 of client and daemon at every step, once each; tests/crash does it more often."""

from __future__ import annotations

from tests import crashes
from tests.installation import Installation
from tests.spool import Spool


def test_no_kill_loses_mail(spool: Spool, installed: Installation) -> None:
    """What a caller was told is kept; only what was in flight at a kill comes twice."""
    account = crashes.Crashes(spool, installed, 1).run()

    crashes.check(account, spool)
    for name in (*crashes.CLIENT_POINTS, *crashes.DAEMON_POINTS):
        assert account.kills[name] >= 1, name
