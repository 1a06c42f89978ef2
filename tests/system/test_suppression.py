"""Mail to addresses that bounced for good or complained, or that SES would drop: it fails."""

from __future__ import annotations

import pytest

from tests import aftermath
from tests.aftermath import BOUNCES, COMPLAINS, SENDER
from tests.fakes.ses import KEY_ID
from tests.spool import RECIPIENT, Spool


def requests(spool: Spool) -> int:
    """Return how often SES was asked to send."""
    return spool.ses.state.requests


@pytest.mark.parametrize(
    ("address", "status", "text"),
    [
        (BOUNCES, "5.1.1", "not sent: mail to this address bounced on 20"),
        (COMPLAINS, "5.7.0", "not sent: somebody complained about mail to this address on 20"),
    ],
)
def test_the_second_mail(spool: Spool, address: str, status: str, text: str) -> None:
    """SES is not asked; the sender is told why, and how it ends; others get theirs."""
    aftermath.connect(spool)
    spool.start()
    spool.drop(address, reverse_path="")
    spool.wait_for_log("status=bounced" if address == BOUNCES else "status=complained")
    spool.wait_until_empty()
    before = requests(spool)
    name = spool.drop(address.replace("amazonses", "AmazonSES"), RECIPIENT, reverse_path=SENDER)
    (line,) = spool.wait_for_log(f"{name}: to=<{address.partition('@')[0]}@")
    assert "relay=none, " in line
    assert f"dsn={status}, status=bounced ({text}" in line
    assert spool.ses.state.wait_for_messages(before + 2)
    spool.wait_until_empty()
    assert spool.stop() == 0
    assert requests(spool) == before + 2  # the other one, and the DSN
    (dsn,) = aftermath.dsns(spool)
    assert f"sesmailctl suppression remove {address}" in " ".join(dsn.as_string().split())


def test_off(spool: Spool) -> None:
    """Then SES gets it."""
    aftermath.connect(spool, "suppression = off")
    spool.start()
    for number in (1, 2):
        spool.drop(BOUNCES, reverse_path="")
        spool.wait_for_log("status=bounced (550", times=number)
    assert len(spool.ses.state.messages) == 2
    assert aftermath.rows(spool, "SELECT * FROM suppression") == []


def test_off_later(spool: Spool) -> None:
    """What was remembered counts no more."""
    queue = aftermath.connect(spool)
    spool.start()
    spool.drop(BOUNCES, reverse_path="")
    spool.wait_for_log("status=bounced (550")
    aftermath.wait_until_read(queue)
    assert spool.stop() == 0
    aftermath.connect(spool, "suppression = off")
    spool.start()
    spool.drop(BOUNCES, reverse_path="")
    spool.ses.state.wait_for_messages(2)


def test_a_full_mailbox_is_not_for_ever(spool: Spool) -> None:
    """A bounce that SES calls transient, whatever its status, suppresses nothing."""
    queue = aftermath.connect(spool)
    spool.ses.events.automatic = False
    spool.start()
    spool.drop(reverse_path=SENDER)
    (one,) = spool.ses.state.wait_for_messages(1)
    spool.ses.events.publish(
        "bounce", one, bounceType="Transient", bounceSubType="MailboxFull", status="5.2.2"
    )
    spool.wait_for_log("status=bounced")
    aftermath.wait_until_read(queue)
    assert aftermath.rows(spool, "SELECT * FROM suppression") == []


def test_what_ses_suppresses(spool: Spool) -> None:
    """It is asked before the first mail; then the mail fails here and is remembered."""
    aftermath.connect(spool)
    spool.ses.state.suppress(RECIPIENT, "COMPLAINT")
    spool.start()
    spool.drop(reverse_path=SENDER)
    spool.wait_for_log("status=bounced (not sent: somebody complained about mail to this address")
    spool.ses.state.wait_for_messages(1)  # the DSN
    spool.wait_until_empty()
    spool.drop(reverse_path="")
    spool.wait_for_log("status=bounced", times=2)
    assert spool.stop() == 0
    assert requests(spool) == 1
    rows = aftermath.rows(spool, "SELECT address, reason FROM suppression")
    assert rows == [(RECIPIENT, "complaint")]


def test_a_key_that_may_not_ask(spool: Spool) -> None:
    """SES takes the mail, drops it, and an event tells; that is remembered."""
    spool.ses.state.denied[KEY_ID] = {"ses:GetSuppressedDestination"}
    aftermath.connect(spool)
    spool.ses.state.suppress(RECIPIENT, "BOUNCE")
    spool.start()
    spool.drop(reverse_path=SENDER)
    spool.wait_for_log("status=bounced (SES did not try: the address is on a suppression list")
    spool.wait_until_empty()
    spool.drop(reverse_path="")
    spool.wait_for_log("status=bounced (not sent: mail to this address bounced")


@pytest.mark.parametrize("lines", [("suppression = off",), ()])
def test_nobody_asks_where_it_is_off(spool: Spool, lines: tuple[str, ...]) -> None:
    """Nor where there are no events."""
    if lines:
        aftermath.connect(spool, *lines)
    spool.ses.state.suppress(RECIPIENT, "BOUNCE")
    spool.start()
    spool.drop(reverse_path="")
    spool.wait_for_log("status=sent")
