"""``sesmailctl status``: the table, in how many columns, and the text form of Prometheus."""

from __future__ import annotations

import math
from typing import Any

import pytest

from sesmail.control import metrics, moments, status
from sesmail.sysexits import UsageError
from tests import exposition

NOW = 1_800_000_000.0
TOTAL = {
    "messages": 12,
    "bytes": 34_567,
    "drops": 3,
    "running": True,
    "uptime": 3 * 3600.0,
    "version": "0.1.0",
}


def identity(name: str = "example.com", **changes: Any) -> dict[str, Any]:
    """Return the document of an identity that is well."""
    return {
        "identity": name,
        "waiting": 12,
        "held": 0,
        "failed": 1,
        "oldest": NOW - 190,
        "holds": 0,
        "hold": None,
        "sent": 340,
        "bounced": 0,
        "complained": 0,
        "rate": 12.6,
        "active": 2,
        "max_rate": 14.0,
        "quota": 50_000.0,
        "sent_24_hours": 1340.0,
        "enforcement": "HEALTHY",
        "production": True,
        "asked": NOW - 60,
        **changes,
    }


UNKNOWN = dict.fromkeys(
    ("oldest", "rate", "max_rate", "quota", "sent_24_hours", "enforcement", "production", "asked")
)
HOLD = {"scope": "identity", "key": "", "since": NOW - 7200, "reason": "the key is wrong"}


def test_the_table() -> None:
    """What waits, what was sent, and what the account may; under it what is the matter."""
    held = identity("held.example", waiting=0, held=7, hold=HOLD, holds=2, **UNKNOWN)
    assert list(status.lines([identity(), held], TOTAL, NOW, 80)) == [
        "IDENTITY         WAITING   HELD ACTIVE FAILED    SENT        QUOTA   RATE OLDEST",
        "example.com           12      0      2      1     340   1340/50000   12.6     3m",
        "held.example           0      7      2      1     340            -      -      -",
        "  held for 2h: the key is wrong (and 1 more)",
        "",
        "12 messages wait (34567 bytes), 3 in the drop; sesmaild has run for 3h",
    ]


@pytest.mark.parametrize("width", [80, 100, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    """However large the numbers and long the names and reasons."""
    huge = dict.fromkeys(("waiting", "held", "active", "failed", "sent"), 12_345_678)
    largest = identity(
        f"{'a' * 63}.{'b' * 63}.example",
        **huge,
        quota=5e9,
        sent_24_hours=99_999.0,
        rate=10_000.0,
        oldest=0.0,
        production=False,
        enforcement="SHUTDOWN",
        hold={**HOLD, "key": f"{'x' * 200}@example.com", "reason": "word " * 100},
    )
    lines = list(status.lines([largest, identity()], TOTAL, NOW, width))
    assert max(map(len, lines)) <= width
    text = " ".join(" ".join(lines).split())
    assert "sandbox" in text
    assert "SHUTDOWN" in text
    assert "12.3M" in text


def test_nothing_of_others_reaches_the_terminal() -> None:
    """What a reply brought is shown without what a terminal obeys."""
    hostile = identity("a\x1b[2J", hold={**HOLD, "reason": "\x1b]0;\x07\nline"})
    assert all(line.isprintable() for line in status.lines([hostile], TOTAL, NOW, 80))


def test_what_a_user_sees() -> None:
    """The totals, and nothing of identities."""
    total = {**TOTAL, "messages": 1, "drops": None, "running": False, "uptime": None}
    assert list(status.lines([], total, NOW, 80)) == [
        "1 message waits (34567 bytes); sesmaild does not run: start it"
    ]


@pytest.mark.parametrize(
    ("number", "shown"),
    [(0, "0"), (99_999, "99999"), (100_000, "100k"), (999_499, "999k"), (1_500_000, "1.5M")],
)
def test_large_numbers_are_short(number: int, shown: str) -> None:
    """At most five characters."""
    assert status._short(number) == shown


def test_metrics_are_what_prometheus_reads() -> None:
    """Each with its help and type; labels escaped; what is not known is left out."""
    name = 'quoted"\\\n.example'
    unlimited = identity("free.example", quota=-1, enforcement="PROBATION", production=False)
    held = identity(name, hold=HOLD, waiting=0, held=3, **UNKNOWN)
    text = "".join(f"{line}\n" for line in metrics.lines([identity(), unlimited, held], TOTAL, NOW))
    found = exposition.read(text)
    assert all(metric.startswith("sesmail_") for metric in found)
    ours = (("identity", "example.com"),)
    theirs = (("identity", name),)
    free = (("identity", "free.example"),)
    assert found["sesmail_up"] == {(): 1.0}
    assert found["sesmail_uptime_seconds"] == {(): 10_800.0}
    assert found["sesmail_build_info"] == {(("version", "0.1.0"),): 1.0}
    assert found["sesmail_queue_recipients"][(*theirs, ("state", "held"))] == 3.0
    assert found["sesmail_queue_oldest_age_seconds"] == {ours: 190.0, free: 190.0}
    assert found["sesmail_send_rate_recipients_per_second"] == {ours: 12.6, free: 12.6}
    assert found["sesmail_account_quota_recipients"] == {ours: 50_000.0, free: math.inf}
    assert found["sesmail_account_healthy"] == {ours: 1.0, free: 0.0}
    assert found["sesmail_account_production"] == {ours: 1.0, free: 0.0}
    assert found["sesmail_identity_held"] == {ours: 0.0, free: 0.0, theirs: 1.0}


@pytest.mark.parametrize(
    "text",
    [
        "a 1\n",
        "# HELP a x\n# TYPE a gauge\na 1",
        "# HELP a x\n# TYPE a gauge\na one\n",
        "# HELP a x\n# TYPE a gauge\na 1\na 1\n",
        '# HELP a x\n# TYPE a gauge\na{b="\\q"} 1\n',
        "# HELP a x\n# TYPE a gauge\na 1\n# TYPE a gauge\n",
        "# HELP a-b x\n# TYPE a-b gauge\na-b 1\n",
    ],
)
def test_the_reader_is_strict(text: str) -> None:
    """What is no text of Prometheus's is noticed."""
    with pytest.raises(ValueError, match=r".+"):
        exposition.read(text)


@pytest.mark.parametrize(
    ("text", "ago"), [("90s", 90), ("30m", 1800), ("2h", 7200), ("3d", 259_200), ("1w", 604_800)]
)
def test_a_time_ago(text: str, ago: int) -> None:
    """With one unit."""
    assert moments.since(text, NOW) == NOW - ago


def test_a_date() -> None:
    """Local, with a time or without; what is shown can be given back."""
    day = moments.since("2026-11-24", NOW)
    assert moments.shown(day) == "2026-11-24 00:00:00"
    assert moments.since("2026-11-24T08:30", NOW) == day + 8.5 * 3600
    assert moments.since(moments.shown(day), NOW) == day
    assert moments.since("1900-01-01", NOW) == moments.since("9999999999w", NOW) == 0.0


@pytest.mark.parametrize("text", ["", "h", "2", "2y", "-2h", "yesterday", "2026-13-01", "٢h"])
def test_what_is_no_moment(text: str) -> None:
    """The error shows what can be written."""
    with pytest.raises(UsageError, match="30m"):
        moments.since(text, NOW)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(-5, "0s"), (59, "59s"), (60, "1m"), (7199, "119m"), (7200, "2h"), (172_800, "2d")],
)
def test_how_long(seconds: float, shown: str) -> None:
    """In the largest unit of which there are two."""
    assert moments.span(seconds) == shown
