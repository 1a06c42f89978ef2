"""Ten thousand messages while SES throttles, fails, hangs up, and is away for a minute."""

from __future__ import annotations

import pytest

from tests.installation import Installation
from tests.outages import Outages, Plan
from tests.spool import Spool

PLAN = Plan(messages=10_000, throttled=300, bursts=5, dropped=100, away=60)


def test_all_is_delivered_and_twice_only_what_was_not_answered(
    spool: Spool, installed: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is lost; only a message that SES took without an answer comes again."""
    outcome = Outages(spool, installed, PLAN).run()

    with capsys.disabled():
        print(
            f"\n{len(outcome.copies)} delivered, {outcome.duplicates} of them twice; "
            f"{outcome.unanswered} were taken without an answer"
        )
    assert len(outcome.copies) == PLAN.messages
    assert outcome.unanswered >= PLAN.dropped
    assert outcome.duplicates <= outcome.unanswered
