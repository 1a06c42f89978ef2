"""Mail through an SES that throttles, fails, hangs up and is away; and what came out of it.

A connection that was lost after the request is ambiguous, and tried again only 10 minutes later;
``sendmail -q``, which makes everything due, is what an administrator would use, and the test does.
"""

from __future__ import annotations

import subprocess
import threading
import time
from collections import Counter
from dataclasses import dataclass

from tests.installation import Installation
from tests.spool import Spool

BURST = 20  # requests in a row that fail; then SES works again


@dataclass(frozen=True)
class Plan:
    """How many messages, and how many requests meet which fault; ``away`` in seconds."""

    messages: int
    throttled: int
    bursts: int  # of 500, and as many of 503
    dropped: int  # before they were accepted, and as many after
    away: float


@dataclass(frozen=True)
class Outcome:
    """How often each message came, by queue id; and how many were taken without an answer."""

    copies: Counter[str]
    unanswered: int

    @property
    def duplicates(self) -> int:
        """Messages that came again."""
        return self.copies.total() - len(self.copies)


class Outages:
    """One run of a plan."""

    def __init__(self, spool: Spool, installed: Installation, plan: Plan) -> None:
        self._spool = spool
        self._ses = spool.ses
        self._plan = plan
        self._flush = [str(installed.sendmail), "-q"]
        spool.command = (installed.command("sesmaild"),)
        spool.settings(real_sendmail="none", delivery_mode="background")

    def run(self) -> Outcome:
        """Send everything while SES fails; return when nothing waits any more."""
        spool = self._spool
        failing = threading.Thread(target=self._fail)
        spool.start()
        failing.start()
        ids = self._send()
        failing.join()
        self._wait_until_all_came(set(ids))
        spool.wait_until_empty()
        assert spool.stop() == 0
        copies = Counter(message.tags["sesmail-id"] for message in self._ses.state.messages)
        assert set(copies) == set(ids)
        return Outcome(copies, self._ses.state.counts["unanswered"])

    def _send(self) -> list[str]:
        """Drop all messages, and return their queue ids."""
        ids: list[str] = []
        for _ in range(self._plan.messages):
            ids.append(self._spool.drop())
            while len(ids) - len(self._ses.state.messages) > 1000:  # as mail comes: not all at once
                time.sleep(0.05)
        return ids

    def _fail(self) -> None:
        """Let SES fail in one way after the other, while messages come through in between."""
        plan = self._plan
        step = plan.messages // (10 * (plan.bursts + plan.dropped))
        self._strike("rate", plan.throttled, step)
        for _ in range(plan.bursts):
            self._strike("internal-failure", BURST, step)
            self._strike("service-unavailable", BURST, step)
        for _ in range(plan.dropped):
            self._strike("drop-before-accept", 1, step)
            self._strike("accept-then-drop", 1, step)
        self._ses.script("refuse")
        time.sleep(plan.away)
        self._ses.script(None)

    def _strike(self, fault: str, times: int, step: int) -> None:
        """Script a fault, and wait until ``step`` messages came after it."""
        known = len(self._ses.state.messages)
        self._ses.script(fault, times=times)
        self._ses.state.wait_for_messages(min(known + step, self._plan.messages), 300)

    def _wait_until_all_came(self, ids: set[str]) -> None:
        end = time.monotonic() + 300
        while {message.tags["sesmail-id"] for message in self._ses.state.messages} != ids:
            assert time.monotonic() < end, self._spool.log[-30:]
            environ = {"SESMAIL_CONFIG": str(self._spool.configuration)}
            subprocess.run(self._flush, env=environ, check=True)
            time.sleep(0.5)
