"""Adding up a report: days, identities, percentiles, domains; and how its numbers are worded."""

from __future__ import annotations

import datetime
import time
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sesmail.control.report import figures as module
from sesmail.control.report.figures import QUARTER, Figures, percentile
from sesmail.control.report.sparkline import sparkline
from sesmail.control.report.wording import duration, percent

TODAY = datetime.date(2026, 11, 24)


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A host in a zone where the day does not begin with that of UTC, and has summer time."""
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    module._day.cache_clear()
    yield
    monkeypatch.undo()
    time.tzset()
    module._day.cache_clear()


def quarter(*moment: int) -> int:
    """Return the quarter of an hour of a moment in UTC."""
    return int(datetime.datetime(*moment, tzinfo=datetime.UTC).timestamp()) // QUARTER  # type: ignore[misc, arg-type]


def piece(*counts: tuple[str, str, int, int | None, int]) -> dict[str, object]:
    """Return a piece of an answer."""
    return {"counts": [list(one) for one in counts], "bounced": []}


def test_days_are_local(berlin: None) -> None:
    """Half past eleven at night in UTC is the next day in Berlin, and one hour off in summer."""
    figures = Figures(2, TODAY)
    assert figures.since == quarter(2026, 11, 22, 23, 0) * QUARTER * 1000
    figures.take(
        piece(
            ("a", "sent", quarter(2026, 11, 22, 22, 45), 100, 1),  # the day before
            ("a", "sent", quarter(2026, 11, 22, 23, 0), 100, 2),
            ("a", "sent", quarter(2026, 11, 23, 22, 45), 100, 4),
            ("a", "sent", quarter(2026, 11, 23, 23, 0), 100, 8),
            ("a", "sent", quarter(2026, 11, 24, 23, 0), 100, 16),  # tomorrow
        )
    )
    assert [day.counts["sent"] for day in figures.identities["a"].days.values()] == [6, 8]
    assert Figures(1, datetime.date(2026, 7, 1)).since == quarter(2026, 6, 30, 22, 0) * 900_000


def test_a_day_without_mail_has_its_place(berlin: None) -> None:
    """Also for an identity that sent on another day alone."""
    figures = Figures(3, TODAY)
    figures.take(piece(("a", "sent", quarter(2026, 11, 24, 9, 0), 100, 1)))
    days = figures.identities["a"].days
    assert [str(day) for day in days] == ["2026-11-22", "2026-11-23", "2026-11-24"]
    assert [day.counts["sent"] for day in days.values()] == [0, 0, 1]


def test_pieces_are_added_up(berlin: None) -> None:
    """By identity, day and latency; all together are their sum."""
    figures = Figures(1, TODAY)
    noon = quarter(2026, 11, 24, 12, 0)
    for _ in range(2):
        figures.take(
            {
                "counts": [
                    ["a", "sent", noon, 100, 3],
                    ["a", "sent", noon, 200, 1],
                    ["b", "sent", noon, 300, 4],
                    ["b", "bounced", noon, None, 1],
                ],
                "bounced": [["a", "x.example", 2], ["b", "x.example", 1], ["b", "y.example", 3]],
            }
        )
    total = figures.everything().total()
    assert total.counts == {"sent": 16, "bounced": 2}
    assert total.share("bounced") == 0.125
    assert total.document()["acceptance"] == {"median": 0.2, "p90": 0.3, "p95": 0.3}
    assert total.document()["delivery"] == {"median": None, "p90": None, "p95": None}
    assert figures.everything().top_domains() == [("x.example", 6), ("y.example", 6)]
    assert figures.identities["b"].top_domains(1) == [("y.example", 6)]


def test_one_identity_alone(berlin: None) -> None:
    """The others leave no trace."""
    figures = Figures(1, TODAY)
    noon = quarter(2026, 11, 24, 12, 0)
    document = {
        "counts": [["a", "sent", noon, 1, 1], ["b", "sent", noon, 1, 1]],
        "bounced": [["b", "x.example", 1]],
    }
    figures.take(document, "a")
    assert list(figures.identities) == ["a"]


def test_domains_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of invented ones most are forgotten, and those that come often stay."""
    monkeypatch.setattr(module, "_MOST_DOMAINS", 100)
    identity = module.Identity([TODAY])
    for number in range(1000):
        identity.add_domain(f"d{number}.example", 1)
        identity.add_domain("gone.example", 1)
    assert identity.top_domains(1) == [("gone.example", 1000)]
    assert len(identity.top_domains(1000)) <= 100


@given(st.lists(st.integers(0, 10**7), min_size=1), st.floats(0.01, 1.0))
def test_percentiles(values: list[int], share: float) -> None:
    """So many are not above it, and fewer are below."""
    found = percentile(Counter(values), share)
    assert found is not None
    assert sum(value <= found for value in values) >= share * len(values)
    assert sum(value < found for value in values) < share * len(values)


def test_no_values_have_no_percentile() -> None:
    """It is None, and shown as a dash."""
    assert percentile({}, 0.5) is None
    assert duration(None) == "-"


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "0 ms"),
        (999, "999 ms"),
        (1000, "1 s"),
        (1500, "1.5 s"),
        (59_000, "59 s"),
        (90_000, "1.5 min"),
        (3_600_000, "1 h"),
        (360_000_000, "100 h"),
    ],
)
def test_durations(milliseconds: int, text: str) -> None:
    """Two digits and a unit."""
    assert duration(milliseconds) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0 %"), (0.00103, "0.1 %"), (0.051, "5.1 %"), (0.999, "100 %"), (0.12, "12 %")],
)
def test_percents(share: float, text: str) -> None:
    """A small share does not become nothing."""
    assert percent(share) == text


@pytest.mark.parametrize(
    ("values", "blocks", "ascii_text"),
    [
        ([], "", ""),
        ([0, 0], "··", "__"),
        ([1, 2, 4, 8, 0], "▁▂▄█·", ".:=@_"),
        ([1, 1000], "▁█", ".@"),
    ],
)
def test_sparklines(values: list[int], blocks: str, ascii_text: str) -> None:
    """The largest is full, nothing is a mark of its own, and little is more than nothing."""
    assert sparkline(values, is_unicode=True) == blocks
    assert sparkline(values, is_unicode=False) == ascii_text


def test_each_mark_is_higher_than_the_one_before() -> None:
    """Eight of them, in their order."""
    assert sparkline(range(1, 9), is_unicode=True) == "▁▂▃▄▅▆▇█"
