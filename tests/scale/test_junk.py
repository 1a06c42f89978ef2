"""A hundred thousand files of junk in the drop, of another user: a good mail does not wait."""

from __future__ import annotations

import signal

import pytest

from tests.fakes.ses import SesServer
from tests.host import Host
from tests.system.test_isolation import FILL, OTHER, isolated, ring, run_as, send

pytestmark = pytest.mark.root

JUNK = 100_000
MAILS = 5


def test_a_hundred_thousand_files(host: Host, ses: SesServer) -> None:
    """Each mail is picked up before all but the first of the junk; then all junk is gone."""
    with isolated(host, ses) as spool:
        spool.start()
        spool.send(signal.SIGSTOP)
        run_as(OTHER, FILL, spool.drop_directory, JUNK)
        ring(spool, "anything that asks for a scan")
        for _ in range(MAILS):
            send(host, spool)
        spool.send(signal.SIGCONT)
        ses.state.wait_for_messages(MAILS)
        spool.wait(lambda: spool.dropped() == [], "empty drop", 120)
        good = spool.wait_for_log("sesmail/pickup[", times=MAILS)
        junk = spool.wait_for_log("removed from the drop", times=2)
        assert spool.log.index(good[-1]) < spool.log.index(junk[1])
        assert spool.stop() == 0
