"""What SES tells after it took a message: log, rows, DSN, postmaster; and whatever SQS does."""

from __future__ import annotations

import signal
from functools import partial
from typing import Any

import pytest

from tests import aftermath
from tests.aftermath import BOUNCES, COMPLAINS, SENDER
from tests.fakes import faults
from tests.fakes.queue import Queue
from tests.fakes.state import Accepted
from tests.spool import RECIPIENT, Spool

SEVERAL = 20


def accepted(spool: Spool, *forward_paths: str) -> Accepted:
    """Send a message through the daemon, of which nothing is told but what the test tells."""
    spool.ses.events.automatic = False
    spool.drop(*forward_paths, reverse_path=SENDER)
    (one,) = spool.ses.state.wait_for_messages(1)
    spool.wait_for_log(": removed")
    return one


def is_received(queue: Queue, times: int) -> bool:
    """Tell whether messages were received so often."""
    return queue.counts["received"] >= times


def report(spool: Spool) -> str:
    """Return the text of the one DSN."""
    spool.wait_until_empty()
    (dsn,) = aftermath.dsns(spool)
    return dsn.as_string()


@pytest.mark.parametrize("way", ["api", "smtp"])
@pytest.mark.parametrize("raw", [True, False])
def test_a_message_to_three(spool: Spool, way: str, raw: bool) -> None:
    """Delivered, bounced and complained of: a row and a line each, and a DSN of the bounce."""
    queue = aftermath.connect(spool, way=way, raw=raw)
    spool.start()
    name = spool.drop(RECIPIENT, BOUNCES, COMPLAINS, reverse_path=SENDER)
    spool.ses.state.wait_for_messages(2)
    spool.wait_for_log("status=delivered", times=3)  # the DSN is one
    spool.wait_for_log("status=complained")
    aftermath.wait_until_read(queue)
    assert aftermath.told(spool) == [
        (RECIPIENT, "delivery"),
        (RECIPIENT, "send"),
        (BOUNCES, "bounce"),
        (BOUNCES, "send"),
        (COMPLAINS, "complaint"),
        (COMPLAINS, "delivery"),
        (COMPLAINS, "send"),
        (SENDER, "delivery"),
        (SENDER, "send"),
    ]
    (line,) = spool.lines("status=bounced")
    assert f"{name}: to=<{BOUNCES}>, relay=mx.example.net, delay=" in line
    assert line.endswith("dsn=5.1.1, status=bounced (550 5.1.1 user unknown)")
    (dsn,) = aftermath.dsns(spool)
    assert dsn["To"] == SENDER
    assert "Diagnostic-Code: smtp; 550 5.1.1 user unknown" in dsn.as_string()
    assert "Subject: hello" in dsn.as_string()
    assert spool.stop() == 0


@pytest.mark.parametrize(
    ("kind", "details", "line", "text"),
    [
        ("reject", {}, "dsn=5.7.0, status=bounced", "SES refused after acceptance: Bad content"),
        ("renderingfailure", {}, "dsn=5.6.0, status=bounced", "SES refused after acceptance: Attr"),
        (
            "bounce",
            {"bounceType": "Transient", "status": "5.7.1", "diagnosticCode": "smtp; 554 5.7.1 no"},
            "dsn=5.7.1, status=bounced (554 5.7.1 no)",
            "554 5.7.1 no",
        ),
        (
            "bounce",
            {"bounceType": "Transient", "status": "4.4.7", "diagnosticCode": "smtp; 450 later"},
            "dsn=4.4.7, status=bounced (450 later)",
            "450 later",
        ),
        (
            "bounce",
            {"status": None, "diagnosticCode": None, "bounceSubType": "NoEmail"},
            "dsn=5.1.1, status=bounced (bounced (NoEmail))",
            "bounced (NoEmail)",
        ),
        (
            "complaint",
            {"complaintSubType": "OnAccountSuppressionList"},
            "dsn=5.7.0, status=bounced",
            "SES did not try",
        ),
    ],
)
def test_what_the_sender_is_told(
    spool: Spool, kind: str, details: dict[str, Any], line: str, text: str
) -> None:
    """Whatever ends with nothing in the mailbox."""
    aftermath.connect(spool)
    spool.start()
    one = accepted(spool)
    spool.ses.events.publish(kind, one, **details)
    spool.wait_for_log(line)
    spool.ses.state.wait_for_messages(2)
    assert text in report(spool)


@pytest.mark.parametrize(
    ("kind", "details", "line"),
    [
        ("deliverydelay", {}, "dsn=4.4.1, status=deferred (421 4.4.1 Unable to connect"),
        (
            "bounce",  # somebody is out of the office
            {"bounceType": "Transient", "status": None, "diagnosticCode": None, "action": None},
            "dsn=2.0.0, status=softbounce (bounced (General))",
        ),
        ("complaint", {"complaintFeedbackType": None}, "status=complained (no reason given)"),
        ("delivery", {"remoteMtaIp": "192.0.2.9"}, "relay=192.0.2.9"),
    ],
)
def test_what_only_the_log_tells(
    spool: Spool, kind: str, details: dict[str, Any], line: str
) -> None:
    """The message is there, or still on its way."""
    queue = aftermath.connect(spool)
    spool.start()
    one = accepted(spool)
    spool.ses.events.publish(kind, one, **details)
    spool.wait_for_log(line)
    aftermath.wait_until_read(queue)
    assert spool.stop() == 0
    assert len(spool.ses.state.messages) == 1
    assert not spool.lines("status=bounced")


def test_a_complaint_goes_to_postmaster(spool: Spool) -> None:
    """One mail, with a line for it."""
    spool.settings(postmaster="pm@example.com")
    aftermath.connect(spool)
    spool.start()
    name = spool.drop(COMPLAINS)
    mails = spool.ses.state.wait_for_messages(2)
    assert mails[1].destinations == ["pm@example.com"]
    assert f"{name}: to <{COMPLAINS}> from <wiki@example.com>".encode() in mails[1].raw


def test_twice_and_in_disorder(spool: Spool) -> None:
    """Every event comes twice, most of them at a wrong time: each counts once."""
    queue = aftermath.connect(spool)
    spool.ses.state.queues.habits.duplicate = 1
    spool.ses.state.queues.habits.shuffle = 50
    spool.start()
    for number in range(SEVERAL):
        spool.drop(f"bounce+{number}@simulator.amazonses.com", f"r{number}@example.org",
                   reverse_path=SENDER)  # fmt: skip
    spool.ses.state.wait_for_messages(2 * SEVERAL)
    spool.wait_for_log("status=delivered", times=2 * SEVERAL)
    aftermath.wait_until_read(queue)
    spool.wait_until_empty()
    assert spool.stop() == 0
    assert len(spool.lines("status=bounced")) == SEVERAL
    assert len(spool.lines("status=delivered")) == 2 * SEVERAL
    assert len(aftermath.dsns(spool)) == SEVERAL
    assert len(aftermath.told(spool)) == 6 * SEVERAL


def test_before_the_answer(spool: Spool) -> None:
    """SES tells before it has answered: nothing is lost, and told once."""
    aftermath.connect(spool)
    spool.ses.script(faults.slow(1.0), 1)
    spool.start()
    name = spool.drop(BOUNCES, reverse_path=SENDER)
    spool.wait_for_log(f"{name}: to=<{BOUNCES}>", times=2)
    spool.ses.state.wait_for_messages(2)
    spool.wait_until_empty()
    assert spool.stop() == 0
    first, second = spool.lines(f"{name}: to=<{BOUNCES}>")
    assert "status=bounced" in first
    assert "status=sent" in second
    assert len(aftermath.dsns(spool)) == 1


def test_two_bounces_of_one_path(spool: Spool) -> None:
    """A receiver that says so twice makes one DSN."""
    queue = aftermath.connect(spool)
    spool.start()
    one = accepted(spool)
    spool.ses.events.publish("bounce", one, at=1_795_500_000.0)
    spool.ses.events.publish("bounce", one, at=1_795_500_009.0)
    spool.wait_for_log("status=bounced", times=2)
    aftermath.wait_until_read(queue)
    spool.wait_until_empty()
    assert spool.stop() == 0
    assert len(aftermath.dsns(spool)) == 1


def test_mail_of_another_host(spool: Spool) -> None:
    """Its events are left for that host, and deleted only when nobody wants them."""
    queue = aftermath.connect(spool)
    spool.start()
    elsewhere = spool.ses.events.foreign("eve@example.net")
    spool.ses.events.publish("delivery", elsewhere)
    queue.wait_until(lambda queue: queue.counts["received"] > 0)
    assert queue.counts["deleted"] == 0
    for number in range(2, 41):
        spool.ses.state.queues.advance(60)
        queue.wait_until(partial(is_received, times=number))
    aftermath.wait_until_read(queue)
    spool.ses.state.queues.advance(60)
    spool.send(signal.SIGHUP)  # an hourly line is due, and looked for at each scan
    (line,) = spool.wait_for_log("events of mail that no host knows were deleted")
    assert elsewhere.message_id in line
    assert aftermath.told(spool) == []


@pytest.mark.parametrize("fault", ["dropped", "unavailable"])
def test_a_queue_that_is_away(spool: Spool, fault: str) -> None:
    """Mail goes out; one line; and what happened meanwhile is told when the queue is back."""
    aftermath.connect(spool)
    spool.ses.state.queues.away = fault
    spool.start()
    spool.drop(BOUNCES, reverse_path=SENDER)
    spool.wait_for_log("the queue of events of example.com cannot be read")
    spool.wait_for_log("status=sent")
    spool.ses.state.queues.away = ""
    spool.wait_for_log("the queue of events of example.com can be read again")
    spool.wait_for_log("status=bounced")
    spool.ses.state.wait_for_messages(2)
    assert len(spool.lines("cannot be read")) == 1


def test_a_queue_that_is_not_there(spool: Spool) -> None:
    """The line says so, with the remedy."""
    spool.use_api(f"events_queue_url = {spool.ses.api_url}/123456789012/nowhere")
    spool.start()
    (line,) = spool.wait_for_log("the queue of events of example.com cannot be read")
    assert "sesmailctl events setup" in line


def test_garbage(spool: Spool) -> None:
    """What is no event is counted and deleted; a test of SES's own is not counted."""
    queue = aftermath.connect(spool)
    queue.send("{")
    queue.send("[" * 200_000)
    queue.send('{"eventType": "Bounce", "mail": {"messageId": 7}, "bounce": {}}')
    queue.send('{"eventType": "Open", "mail": {}}')
    spool.start()
    aftermath.wait_until_read(queue)
    spool.send(signal.SIGHUP)
    (line,) = spool.wait_for_log("events could not be read and were deleted")
    assert ": 3 events could not" in line


def test_the_end_does_not_wait_for_sqs(spool: Spool) -> None:
    """Amid a long poll, which takes 20 seconds."""
    queue = aftermath.connect(spool)
    spool.start()
    queue.wait_until(lambda queue: queue.counts["receives"] > 0)
    assert spool.stop(seconds=15) == 0


def test_credentials_that_change(spool: Spool) -> None:
    """A queue that is written into the file later is read, after SIGHUP at once."""
    url = spool.ses.events.connect()
    spool.start()
    spool.drop()
    spool.wait_for_log("status=sent")
    spool.use_api(f"events_queue_url = {url}")
    spool.send(signal.SIGHUP)
    spool.wait_for_log("status=delivered")
    assert spool.stop() == 0
