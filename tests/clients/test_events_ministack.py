"""Events by way of ministack's simulator, SNS and SQS: an independent party's idea of all three."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests import ctl
from tests.clients import ministack
from tests.clients.ministack import Ministack
from tests.clients.test_log_readers import pflogsumm, stamped
from tests.fakes.client import Caller, Refused
from tests.fakes.ses import KEY_ID, SECRET, SesServer
from tests.installation import Installation
from tests.spool import IDENTITY, Spool

DOMAIN = IDENTITY
SENDER = f"sue@{DOMAIN}"
RECIPIENTS = [f"{name}@simulator.amazonses.com" for name in ("success", "bounce", "complaint")]
MESSAGE = b"From: ann@example.com\r\nTo: bob@example.net\r\nSubject: hello\r\n\r\nbody\r\n"
SIMULATED = {
    "success": ["Delivery"],
    "ooto": ["Delivery"],
    "bounce": ["Bounce"],
    "complaint": ["Delivery", "Complaint"],
    "suppressionlist": ["Bounce"],
}


@pytest.fixture(scope="module", params=[True, False], ids=["raw", "enveloped"])
def other(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ministack]:
    """ministack, once with raw delivery and once with SNS's envelope."""
    directory = tmp_path_factory.mktemp("ministack")
    with ministack.running(directory, DOMAIN, raw=request.param) as one:
        yield one


@pytest.fixture
def ours() -> Iterator[SesServer]:
    """Our stand-in, telling what ministack can tell."""
    with SesServer(identities=[DOMAIN]) as server:
        server.events.plain = True
        yield server


def told(body: str) -> dict[str, Any]:
    """The record in a body, out of its envelope."""
    document = json.loads(body)
    found: dict[str, Any] = json.loads(document["Message"]) if "Message" in document else document
    return found


def shape(value: Any) -> Any:
    """Names and types, all the way down."""
    if isinstance(value, dict):
        return {name: shape(one) for name, one in value.items()}
    return [shape(one) for one in value] if isinstance(value, list) else type(value)


@pytest.mark.parametrize("name", SIMULATED)
def test_simulator(other: Ministack, name: str) -> None:
    """Mail to each of its addresses comes back as the events that SES has for it."""
    recipient = f"{name}@simulator.amazonses.com"
    message_id = other.caller.send("v1", MESSAGE, destinations=[recipient])
    records = [told(body) for body in other.bodies()]
    assert [record["notificationType"] for record in records] == SIMULATED[name]
    assert {record["mail"]["messageId"] for record in records} == {message_id}
    assert other.waiting() == 0


@pytest.mark.parametrize("name", SIMULATED)
def test_same_records_as_ours(
    other: Ministack, ours: SesServer, request: pytest.FixtureRequest, name: str
) -> None:
    """The same message has the same events here and there, member by member.

    ministack knows less: nothing of the DSN where SES bounces by itself, no complaintSubType.
    """
    is_raw = "raw" in request.node.callspec.id.split("-")
    url = ours.events.connect(DOMAIN, kinds=["delivery", "bounce", "complaint"], raw=is_raw)
    queue = ours.state.queues.find(url)
    assert queue is not None
    with Caller(ours) as caller:
        for one in (caller, other.caller):
            one.send("v1", MESSAGE, destinations=[f"{name}@simulator.amazonses.com"])
    mine, theirs = queue.bodies(), other.bodies()
    assert len(mine) == len(theirs)
    for my_body, their_body in zip(mine, theirs, strict=True):
        my_record, their_record = told(my_body), told(their_body)
        if "Message" in json.loads(their_body):
            assert shape(json.loads(my_body)) == shape(json.loads(their_body))
        if "complaint" in my_record:
            assert my_record["complaint"].pop("complaintSubType") is None
        if name == "suppressionlist":
            my_record["bounce"].pop("reportingMTA")
            [bounced] = my_record["bounce"]["bouncedRecipients"]
            my_record["bounce"]["bouncedRecipients"] = [{"emailAddress": bounced["emailAddress"]}]
        assert shape(my_record) == shape(their_record)
        for said in ("bounceType", "bounceSubType", "bouncedRecipients"):
            assert my_record.get("bounce", {}).get(said) == their_record.get("bounce", {}).get(said)


def test_no_sesv2(other: Ministack) -> None:
    """In front of it SendEmail is denied, for no events come of that."""
    with pytest.raises(Refused) as caught:
        other.caller.send("v2", MESSAGE, destinations=["bounce@simulator.amazonses.com"])
    assert (caught.value.status, caught.value.code) == (403, "AccessDeniedException")
    assert other.bodies() == []


def test_the_whole_path(spool: Spool, installed: Installation, other: Ministack) -> None:
    """What becomes of mail to the simulator stands in the mail log, in `log` and in a DSN.

    ministack has no tags, so the events are joined by SES's id.
    """
    lead_to(other, spool)
    spool.command = (installed.command("sesmaild"),)
    spool.start()
    name = spool.drop(*RECIPIENTS, reverse_path=SENDER)
    spool.wait_for_log("status=delivered", times=3)  # of success@, of complaint@, of the DSN
    spool.wait_for_log("status=complained")
    spool.wait_until_empty()
    spool.wait(lambda: not other.waiting(), "queue of events that is empty")
    life = ctl.run(spool, "log", name)
    assert spool.stop() == 0

    assert life.exit_code == 0
    told = {
        "success@simulator.amazonses.com: delivery 2.6.0 250 2.6.0 Message received",
        "bounce@simulator.amazonses.com: bounce 5.1.1 550 5.1.1 user unknown",
        "complaint@simulator.amazonses.com: delivery 2.6.0 250 2.6.0 Message received",
        "complaint@simulator.amazonses.com: complaint abuse",
    }
    assert {line for line in told if line in life.stdout} == told

    counts, report = pflogsumm(stamped(spool.log))
    assert counts["bounced"] == "1"
    assert "550 5.1.1 user unknown" in report
    [bounced] = spool.lines("status=bounced")
    assert f"{name}: to=<bounce@simulator.amazonses.com>" in bounced

    dsn = other.messages()[-1]
    assert (dsn["Source"], dsn["To"]) == (f"MAILER-DAEMON@{DOMAIN}", [SENDER])
    assert dsn["Subject"] == "Undelivered Mail Returned to Sender"


def lead_to(other: Ministack, spool: Spool) -> None:
    """Write a credentials file that names ministack and its queue of events."""
    spool.identity(
        IDENTITY,
        f"aws_access_key_id = {KEY_ID}",
        f"aws_secret_access_key = {SECRET}",
        "region = us-east-1",
        "transport = api",
        f"endpoint_url = {other.url}",
        f"events_queue_url = {other.queue_url}",
    )
