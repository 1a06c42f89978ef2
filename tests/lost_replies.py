"""Messages that SES takes without an answer, and a daemon that is killed meanwhile.

What was lost is known before anything is sent again: an attempt in doubt waits for ten minutes, and
``flush``, which makes all due, is asked for only when every message is done or in doubt. So what
SES has then and the queue does not know of is what nobody answered.
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass

from tests import aftermath
from tests.spool import Spool

_PATIENCE = 300.0


@dataclass(frozen=True)
class Plan:
    """How many messages; how many are taken and not answered; how often the daemon is killed."""

    messages: int
    unanswered: int
    kills: int


@dataclass(frozen=True)
class Outcome:
    """How often each message came, by queue id; and of which no answer came, or none was kept."""

    copies: Counter[str]
    unanswered: set[str]
    in_flight: set[str]  # at a kill

    @property
    def duplicates(self) -> set[str]:
        """The messages that came again."""
        return {name for name, count in self.copies.items() if count > 1}


class LostReplies:
    """One run of a plan; ``has_events``: SES tells what it took."""

    def __init__(self, spool: Spool, plan: Plan, has_events: bool) -> None:
        self._spool = spool
        self._state = spool.ses.state
        self._plan = plan
        self._in_flight: set[str] = set()
        if has_events:
            aftermath.connect(spool)

    def run(self) -> Outcome:
        """Send everything, kill, and send again what nobody answered."""
        spool, plan = self._spool, self._plan
        failing = threading.Thread(target=self._fail)
        spool.start()
        failing.start()
        ids = {spool.drop() for _ in range(plan.messages // (plan.kills + 1))}
        for kill in range(plan.kills):
            self._state.wait_for_messages((kill + 1) * plan.messages // (plan.kills + 2), _PATIENCE)
            self._kill()
            ids |= {spool.drop() for _ in range(plan.messages // (plan.kills + 1))}
        ids |= {spool.drop() for _ in range(plan.messages - len(ids))}
        failing.join()
        spool.wait(lambda: aftermath.is_quiet(spool), "end of the first attempts", _PATIENCE)
        assert len(self._copies()) == len(self._state.messages)  # nothing came again so far
        unanswered = {name for name in self._open() if name in self._copies()}
        aftermath.finish(spool, _PATIENCE)
        assert spool.stop() == 0
        copies = self._copies()
        assert set(copies) == ids
        return Outcome(copies, unanswered, self._in_flight)

    def _kill(self) -> None:
        self._spool.kill()
        query = "SELECT e.queue_id FROM path p JOIN entry e ON e.id = p.entry WHERE p.state = 1"
        self._in_flight |= {name for (name,) in aftermath.rows(self._spool, query)}
        self._spool.start()

    def _fail(self) -> None:
        """Hang up after every so many messages, when one was accepted."""
        plan = self._plan
        for number in range(plan.unanswered):
            self._state.wait_for_messages(number * plan.messages // plan.unanswered // 2, _PATIENCE)
            self._spool.ses.script("accept-then-drop", times=1)

    def _open(self) -> set[str]:
        return {entry.queue_id for entry in self._spool.waiting()}

    def _copies(self) -> Counter[str]:
        return Counter(message.tags["sesmail-id"] for message in self._state.messages)


def check(outcome: Outcome, plan: Plan, has_events: bool) -> None:
    """Nothing is lost; and twice comes what was not answered, or nothing where events tell."""
    assert len(outcome.copies) == plan.messages
    assert outcome.duplicates == outcome.unanswered
    if has_events:
        assert outcome.copies.total() == plan.messages
    else:
        assert plan.unanswered <= len(outcome.duplicates)
        assert len(outcome.duplicates) <= plan.unanswered + len(outcome.in_flight)
        assert outcome.copies.total() == plan.messages + len(outcome.duplicates)
