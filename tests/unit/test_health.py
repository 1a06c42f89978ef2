"""The warnings about an identity's health: limits, small numbers, what is not known."""

from __future__ import annotations

import pytest

from sesmail.control.health import warnings


@pytest.mark.parametrize(
    ("sent", "bounced", "is_told"),
    [
        (3, 1, False),
        (3, 3, True),
        (19, 1, False),
        (20, 1, True),
        (20, 0, False),
        (100, 4, False),
        (100, 5, True),
        (10_000, 499, False),
        (10_000, 500, True),
        (0, 3, True),  # yesterday's mail
        (0, 0, False),
    ],
)
def test_bounces(sent: int, bounced: int, is_told: bool) -> None:
    """Five percent, unless so few that it is chance."""
    found = warnings({"sent": sent, "bounced": bounced, "complained": 0})
    assert len(found) == is_told
    assert all("bounced" in text for text in found)


@pytest.mark.parametrize(
    ("sent", "complained", "is_told"),
    [(3, 1, False), (3, 2, True), (999, 1, False), (1000, 1, True), (1001, 1, False)],
)
def test_complaints(sent: int, complained: int, is_told: bool) -> None:
    """One in a thousand, unless one alone in less than that."""
    found = warnings({"sent": sent, "complained": complained})
    assert len(found) == is_told
    assert all("complaints" in text for text in found)


@pytest.mark.parametrize(
    ("used", "quota", "is_told"),
    [(79.9, 100.0, False), (80.0, 100.0, True), (120, 100, True), (500, -1, False)],
)
def test_quota(used: float, quota: float, is_told: bool) -> None:
    """Four fifths of the quota; -1 is none."""
    assert len(warnings({"sent_24_hours": used, "quota": quota})) == is_told


def test_the_verdict_of_ses_comes_first() -> None:
    """PROBATION and SHUTDOWN are told before what led there; HEALTHY is not told."""
    status = {"sent": 10, "bounced": 5, "enforcement": "SHUTDOWN"}
    first, second = warnings(status)
    assert "SHUTDOWN" in first
    assert "5 of 10 mails of the last day (50 %" in second
    (only,) = warnings({"enforcement": "PROBATION"})
    assert "under review" in only
    assert warnings({"enforcement": "HEALTHY"}) == []


def test_what_is_not_known_is_no_warning() -> None:
    """Neither missing members nor None."""
    assert warnings({}) == []
    assert warnings({"sent": None, "bounced": None, "quota": None, "enforcement": None}) == []
