"""The caller's one line and exit code."""

from __future__ import annotations

from sesmail.delivery import report
from sesmail.delivery.outcome import Outcome, Result, Retry, delivered
from sesmail.sysexits import Failure, Unavailable

SENT = delivered("relay", "id")
NO_USER = Result(Outcome.FAILED, "5.1.1", "address unknown", exit_code=67)
NO_HOST = Result(Outcome.FAILED, "5.1.2", "no domain", exit_code=68)
REFUSED = Result(Outcome.FAILED, "5.6.0", "refused", exit_code=69)
THROTTLED = Result(Outcome.DEFERRED, "4.7.1", "slow down", exit_code=69, retry=Retry.SOON)
LOST = Result(Outcome.DEFERRED, "4.4.2", "no answer", exit_code=69, retry=Retry.AMBIGUOUS)
HELD = Result(Outcome.HELD, "4.7.8", "wrong key", exit_code=78)


def test_nothing_to_say_on_success() -> None:
    """All delivered: no line and 0."""
    assert report.line(["b@x", "c@x"], [SENT, SENT]) == ""
    assert report.exit_code([SENT, SENT]) == 0


def test_who_did_not_get_it_and_why() -> None:
    """Forward-paths with the same fate stand together; the delivered are only counted."""
    line = report.line(
        ["b@x", "c@x", "d@x", "e@x", "f@x"], [THROTTLED, SENT, NO_USER, THROTTLED, LOST]
    )
    assert line == (
        "not sent, not queued, to b@x, e@x: slow down; not sent to d@x: address unknown; "
        "may have been sent, not queued, to f@x: no answer; sent to the other 1"
    )


def test_held_is_not_queued() -> None:
    """What is held is not kept either."""
    assert report.line(["b@x"], [HELD]) == "not sent, not queued, to b@x: wrong key"


def test_a_long_list_is_cut() -> None:
    """Ten are named, the others counted, so that the reason is still read."""
    line = report.line([f"r{place}@x" for place in range(1000)], [THROTTLED] * 1000)
    assert line.endswith("r9@x and 990 more: slow down")


def test_one_printable_line() -> None:
    """Whatever a reply said, the line is printable ASCII and short."""
    line = report.line(["b@x"], [Result(Outcome.FAILED, "5.0.0", "a\r\nb\x1b" + "\u00e9" * 9999)])
    assert line.isascii()
    assert line.isprintable()
    assert len(line) == report.LONGEST_LINE


def test_the_worst_decides_the_exit_code() -> None:
    """Configuration before temporary before one forward-path's failure."""
    assert report.exit_code([SENT, NO_USER]) == 67
    assert report.exit_code([NO_USER, NO_HOST]) == 68
    assert report.exit_code([NO_USER, SENT, THROTTLED]) == 69
    assert report.exit_code([REFUSED, HELD]) == 78
    assert report.exit_code([SENT, NO_USER], Failure("a bug")) == 70


def test_an_end_after_the_delivery_is_none() -> None:
    """A signal that comes when everything is delivered changes nothing."""
    assert report.exit_code([SENT, SENT], Unavailable("interrupted by SIGTERM")) == 0


def test_an_unknown_code_is_temporary() -> None:
    """A code that no table has never reaches the caller, least of all 75."""
    assert report.exit_code([Result(Outcome.DEFERRED, exit_code=75)]) == 69


def test_transactions() -> None:
    """A line for each SES id, with its number of recipients."""
    other = delivered("relay", "other")
    assert list(report.transactions([SENT, THROTTLED, other, SENT])) == [
        "sent through relay as id, recipients: 2",
        "sent through relay as other, recipients: 1",
    ]


def test_the_place_of_a_bug() -> None:
    """The class and the innermost line of sesmail; nothing of the text, which may be private."""
    try:
        report.line(["b@x"], [])
    except ValueError as error:
        text = report.internal_error(error)
    assert "ValueError at sesmail.delivery.report:" in text
    assert "zip" not in text


def test_a_package_is_missing() -> None:
    """The package is named, and the remedy."""
    text = report.broken_installation(ModuleNotFoundError("No module named x", name="x"))
    assert "(x cannot be imported)" in text
    assert "make venv" in text
