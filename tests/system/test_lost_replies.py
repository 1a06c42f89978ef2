"""Some messages that SES takes and does not answer, and a kill; tests/scale has a thousand."""

from __future__ import annotations

import pytest

from tests import lost_replies
from tests.lost_replies import LostReplies, Plan
from tests.spool import Spool

PLAN = Plan(messages=60, unanswered=6, kills=1)


@pytest.mark.parametrize("has_events", [True, False])
def test_twice_comes_only_what_nobody_tells_of(spool: Spool, has_events: bool) -> None:
    """With events nothing is lost and nothing comes twice; without, what was not answered does."""
    lost_replies.check(LostReplies(spool, PLAN, has_events).run(), PLAN, has_events)
