"""A few hundred messages through an SES that fails in every way; tests/scale sends more."""

from __future__ import annotations

from tests.installation import Installation
from tests.outages import Outages, Plan
from tests.spool import Spool

PLAN = Plan(messages=300, throttled=10, bursts=1, dropped=3, away=2)


def test_all_is_delivered_and_twice_only_what_was_not_answered(
    spool: Spool, installed: Installation
) -> None:
    """Nothing is lost; only a message that SES took without an answer comes again."""
    outcome = Outages(spool, installed, PLAN).run()

    assert len(outcome.copies) == PLAN.messages
    assert outcome.unanswered >= PLAN.dropped
    assert outcome.duplicates <= outcome.unanswered
