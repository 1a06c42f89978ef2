"""A thousand messages; a hundred are taken and not answered; the daemon is killed five times."""

from __future__ import annotations

import pytest

from tests import lost_replies
from tests.lost_replies import LostReplies, Plan
from tests.spool import Spool

PLAN = Plan(messages=1000, unanswered=100, kills=5)


@pytest.mark.parametrize("has_events", [True, False])
def test_twice_comes_only_what_nobody_tells_of(
    spool: Spool, has_events: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """With events nothing is lost and nothing comes twice; without, what was not answered does."""
    outcome = LostReplies(spool, PLAN, has_events).run()

    with capsys.disabled():
        print(
            f"\nevents {'on' if has_events else 'off'}: {len(outcome.copies)} messages, "
            f"{len(outcome.in_flight)} in flight at kills, {len(outcome.unanswered)} taken without "
            f"an answer when all was tried once, {len(outcome.duplicates)} came twice"
        )
    lost_replies.check(outcome, PLAN, has_events)
