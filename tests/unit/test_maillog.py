"""The mail log's lines, and that nothing a caller chooses can break or fake one."""

from __future__ import annotations

import syslog

import pytest

from sesmail.delivery.maillog import MailLog, arrival, printable
from sesmail.delivery.outcome import Outcome, Result, Retry, delivered

QUEUE_ID = "0193A5F0C0FFEE00112233445566"
DELAYS = (0.051, 0.0, 0.0, 1.2)
TIMES = "delay=1.25, delays=0.05/0/0/1.2"


class Written(list[tuple[str, int, str]]):
    """What was logged: program, priority, text."""

    def emit(self, program: str, priority: int, text: str) -> None:
        """Keep a line."""
        self.append((program, priority, text))


@pytest.fixture
def written() -> Written:
    """An empty log."""
    return Written()


@pytest.fixture
def log(written: Written) -> MailLog:
    """The log of one message, which writes to ``written``."""
    return MailLog(QUEUE_ID, written.emit)


def test_lines_in_postfix_shape(log: MailLog, written: Written) -> None:
    """The life of a message reads as in Postfix's log, one program per step."""
    log.picked_up(33, "a@example.com")
    log.accepted("1@host", "example.com")
    log.active("a@example.com", 1234, 2)
    log.result("b@example.org", delivered("relay", "1"), DELAYS)
    log.removed()
    assert written == [
        ("pickup", syslog.LOG_INFO, f"{QUEUE_ID}: sender: uid=33 from=<a@example.com>"),
        ("cleanup", syslog.LOG_INFO, f"{QUEUE_ID}: message-id=<1@host>, identity=example.com"),
        (
            "qmgr",
            syslog.LOG_INFO,
            f"{QUEUE_ID}: from=<a@example.com>, size=1234, nrcpt=2 (queue active)",
        ),
        (
            "ses",
            syslog.LOG_INFO,
            f"{QUEUE_ID}: to=<b@example.org>, relay=relay, {TIMES}, dsn=2.0.0, status=sent (SES 1)",
        ),
        ("qmgr", syslog.LOG_INFO, f"{QUEUE_ID}: removed"),
    ]


@pytest.mark.parametrize(
    ("outcome", "word"),
    [
        (Outcome.DELIVERED, "sent"),
        (Outcome.DEFERRED, "deferred"),
        (Outcome.HELD, "deferred"),
        (Outcome.FAILED, "bounced"),
    ],
)
def test_status_words(log: MailLog, written: Written, outcome: Outcome, word: str) -> None:
    """Each outcome has Postfix's word; what is held counts as deferred."""
    log.result("b@example.org", Result(outcome, "4.0.0", "why", "relay"), DELAYS)
    assert f"dsn=4.0.0, status={word} (why)" in written[0][2]


def test_warning_and_fatal(log: MailLog, written: Written) -> None:
    """What is wrong carries the word that log readers look for, and its priority."""
    log.warning("odd")
    log.fatal("no")
    assert written == [
        ("ses", syslog.LOG_WARNING, f"warning: {QUEUE_ID}: odd"),
        ("ses", syslog.LOG_ERR, f"fatal: {QUEUE_ID}: no"),
    ]


def test_a_field_cannot_end_its_line(log: MailLog, written: Written) -> None:
    """Controls, other scripts and brackets become ``?``: one call, one line, one status."""
    path = '"x>, relay=y, delay=0, status=sent ("\n\x1b\u00e9@example.org'
    result = Result(Outcome.FAILED, "5.0.0", "bad\r\nline", "re,lay", retry=Retry.LATER)
    log.result(path, result, DELAYS)
    log.accepted("<1\n@host>", "exa\nmple")
    assert all(line.isascii() and line.isprintable() for _, _, line in written)
    assert written[0][2].startswith(f'{QUEUE_ID}: to=<"x?, relay=y, delay=0, status=sent ("???@')
    assert written[0][2].endswith(
        "relay=re?lay, delay=1.25, delays=0.05/0/0/1.2, dsn=5.0.0, status=bounced (bad??line)"
    )
    assert "message-id=<?1?@host?>" in written[1][2]


def test_fields_are_cut(log: MailLog, written: Written) -> None:
    """A field takes 200 characters at most."""
    log.result("b" * 5000, Result(Outcome.FAILED, "5.0.0", "t" * 5000), DELAYS)
    assert f"to=<{'b' * 200}>," in written[0][2]
    assert written[0][2].endswith(f"({'t' * 200})")


def test_a_clock_set_back(log: MailLog, written: Written) -> None:
    """A negative time is logged as 0."""
    log.result("b@example.org", delivered("r", "i"), (-5.0, 0.0, 0.0, 1.0))
    assert "delay=0, delays=0/0/0/1," in written[0][2]


def test_arrival_is_in_the_queue_id() -> None:
    """The queue id begins with 48-bit milliseconds since 1970; another name has no time."""
    assert arrival("00000000C35000112233445566FF") == 50.0
    assert arrival("no queue id") is None


def test_printable() -> None:
    """Printable ASCII stays, the rest becomes ``?``."""
    assert printable("a ~\x7f\x00\u20ac\udc80") == "a ~????"
    assert printable("abc", 2) == "ab"
