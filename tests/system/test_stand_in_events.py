"""The stand-in's event publishing: what SES tells about a message, and to whom.

Everything is set up and read through boto3, but for tests of a record's form.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError

from tests.fakes.client import Caller
from tests.fakes.events import VALIDATED
from tests.fakes.records import KINDS
from tests.fakes.ses import KEY_ID, SesServer
from tests.fakes.state import Accepted

ACCOUNT = "123456789012"
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:events"
QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:events"
SOURCE = "ann@example.com"
MESSAGE = (
    b"From: Ann <ann@example.com>\r\n"
    b"To: bob@example.net,\r\n"
    b" cc@example.net\r\n"
    b"Subject: hello\r\n"
    b"Message-ID: <1@example.com>\r\n"
    b"\r\n"
    b"body\r\n"
)


@pytest.fixture
def ses() -> Iterator[SesServer]:
    """A stand-in with the identity example.com."""
    with SesServer(identities=["example.com"]) as server:
        yield server


@pytest.fixture
def caller(ses: SesServer) -> Iterator[Caller]:
    """boto3's clients."""
    with Caller(ses) as one:
        yield one


@pytest.fixture
def url(ses: SesServer) -> str:
    """The URL of the queue to which all events of example.com go."""
    return ses.events.connect("example.com")


def received(caller: Caller, url: str) -> list[dict[str, Any]]:
    """The records in the queue, which are taken out of it."""
    found: list[dict[str, Any]] = []
    while (
        messages := caller.sqs()
        .receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        .get("Messages")
    ):
        for message in messages:
            found.append(json.loads(message["Body"]))
            caller.sqs().delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def kinds(records: list[dict[str, Any]]) -> list[str]:
    """Their event types."""
    return [record["eventType"] for record in records]


def test_set_up_through_the_api(ses: SesServer, caller: Caller) -> None:
    """Topic, queue, policies, configuration set, default of the identity: then events come.

    The first message is no event: SES says that it could publish.
    """
    sns, sqs, v2 = caller.sns(), caller.sqs(), caller.v2()
    sns.create_topic(Name="events", Attributes={"Policy": policy("ses", "SNS:Publish", TOPIC)})
    url = sqs.create_queue(
        QueueName="events", Attributes={"Policy": policy("sns", "SQS:SendMessage", QUEUE)}
    )["QueueUrl"]
    attributes = {"RawMessageDelivery": "true"}
    sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=QUEUE, Attributes=attributes)
    v2.create_configuration_set(ConfigurationSetName="events")
    v2.create_configuration_set_event_destination(
        ConfigurationSetName="events",
        EventDestinationName="queue",
        EventDestination={
            "Enabled": True,
            "MatchingEventTypes": ["SEND", "DELIVERY"],
            "SnsDestination": {"TopicArn": TOPIC},
        },
    )
    [first] = sqs.receive_message(QueueUrl=url)["Messages"]
    assert first["Body"] == VALIDATED
    caller.send("v2", MESSAGE)
    assert sqs.receive_message(QueueUrl=url).get("Messages") is None
    v2.put_email_identity_configuration_set_attributes(
        EmailIdentity="example.com", ConfigurationSetName="events"
    )
    message_id = caller.send("v2", MESSAGE)
    records = received(caller, url)
    assert kinds(records) == ["Send", "Delivery"]
    assert {record["mail"]["messageId"] for record in records} == {message_id}


def policy(service: str, action: str, resource: str) -> str:
    """A policy that lets a service of AWS act for this account."""
    return json.dumps(
        {
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": f"{service}.amazonaws.com"},
                    "Action": action,
                    "Resource": resource,
                    "Condition": {"StringEquals": {"AWS:SourceAccount": ACCOUNT}},
                }
            ]
        }
    )


@pytest.mark.parametrize("interface", ["v2", "v1", "smtp"])
def test_the_mail_of_a_record(caller: Caller, url: str, interface: str) -> None:
    """Who sent what to whom, with tags as lists; the sender's own Message-ID is in the headers."""
    raw = b"X-SES-MESSAGE-TAGS: sesmail-id=abc_1\r\n" + MESSAGE
    message_id = caller.send(interface, raw, destinations=["x@example.net", "y@example.net"])
    sent, *delivered = received(caller, url)
    assert kinds([sent, *delivered]) == ["Send", "Delivery", "Delivery"]
    assert sent["send"] == {}
    mail = sent["mail"]
    assert mail["messageId"] == message_id
    assert (mail["source"], mail["sendingAccountId"]) == (SOURCE, ACCOUNT)
    assert mail["sourceArn"] == f"arn:aws:ses:us-east-1:{ACCOUNT}:identity/example.com"
    assert mail["destination"] == ["x@example.net", "y@example.net"]
    assert mail["headersTruncated"] is False
    assert {"name": "Message-ID", "value": "<1@example.com>"} in mail["headers"]
    assert mail["commonHeaders"] == {
        "from": ["Ann <ann@example.com>"],
        "to": ["bob@example.net", "cc@example.net"],
        "messageId": "<1@example.com>",
        "subject": "hello",
    }
    assert mail["tags"]["sesmail-id"] == ["abc_1"]
    assert mail["tags"]["ses:configuration-set"] == ["sesmail-events"]
    assert mail["tags"]["ses:caller-identity"] == [KEY_ID.lower()]
    assert [one["delivery"]["recipients"] for one in delivered] == [
        ["x@example.net"],
        ["y@example.net"],
    ]


def test_long_headers_are_truncated(caller: Caller, url: str) -> None:
    """More than 10 KB of them."""
    raw = b"".join(b"X-%d: %s\r\n" % (n, b"y" * 90) for n in range(200)) + MESSAGE
    caller.send("v2", raw)
    mail = received(caller, url)[0]["mail"]
    assert mail["headersTruncated"] is True
    assert 100 < len(mail["headers"]) < 120


SIMULATED = {
    "success": ["Send", "Delivery"],
    "ooto": ["Send", "Delivery"],
    "bounce": ["Send", "Bounce"],
    "complaint": ["Send", "Delivery", "Complaint"],
    "suppressionlist": ["Send", "Bounce"],
}


@pytest.mark.parametrize("name", SIMULATED)
@pytest.mark.parametrize("label", ["", "+a-1"])
def test_mailbox_simulator(caller: Caller, url: str, name: str, label: str) -> None:
    """Its five addresses, with and without a label."""
    recipient = f"{name}{label}@simulator.amazonses.com"
    caller.send("v2", MESSAGE, destinations=[recipient])
    records = received(caller, url)
    assert kinds(records) == SIMULATED[name]
    last = records[-1]
    if name == "bounce":
        assert last["bounce"]["bouncedRecipients"] == [
            {
                "emailAddress": recipient,
                "action": "failed",
                "status": "5.1.1",
                "diagnosticCode": "smtp; 550 5.1.1 user unknown",
            }
        ]
        types = last["bounce"]["bounceType"], last["bounce"]["bounceSubType"]
        assert types == ("Permanent", "General")
        assert last["bounce"]["feedbackId"].endswith("-000000")
    if name == "suppressionlist":
        assert last["bounce"]["bounceSubType"] == "Suppressed"
    if name == "complaint":
        assert last["complaint"]["complainedRecipients"] == [{"emailAddress": recipient}]
        assert last["complaint"]["complaintFeedbackType"] == "abuse"


def test_a_suppressed_address(ses: SesServer, caller: Caller, url: str) -> None:
    """SES takes the mail and bounces it, but for reasons that the account does not heed."""
    caller.v2().put_suppressed_destination(EmailAddress="bob@example.net", Reason="BOUNCE")
    caller.send("v2", MESSAGE)
    records = received(caller, url)
    assert kinds(records) == ["Send", "Bounce"]
    assert records[1]["bounce"]["bounceSubType"] == "OnAccountSuppressionList"
    ses.state.suppressed_reasons = ["COMPLAINT"]
    caller.send("v2", MESSAGE)
    assert kinds(received(caller, url)) == ["Send", "Delivery"]


def test_a_virus(caller: Caller, url: str) -> None:
    """A message that SES finds a virus in is rejected after it was accepted."""
    caller.send(
        "v2", MESSAGE + b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
    )
    records = received(caller, url)
    assert kinds(records) == ["Send", "Reject"]
    assert records[1]["reject"] == {"reason": "Bad content"}


def test_events_of_a_message_whose_answer_got_lost(
    ses: SesServer, caller: Caller, url: str
) -> None:
    """SES took it, and says so, though the connection is gone."""
    ses.script("accept-then-drop", times=1)
    with pytest.raises(BotoCoreError):
        caller.send("v2", MESSAGE, tags={"sesmail-id": "lost"})
    records = received(caller, url)
    assert kinds(records) == ["Send", "Delivery"]
    assert records[0]["mail"]["tags"]["sesmail-id"] == ["lost"]


def test_configuration_set_in_force(ses: SesServer, caller: Caller, url: str) -> None:
    """That of the request comes before the identity's; one without destinations is silent."""
    ses.state.configuration_sets.add("silent")
    caller.send("v2", MESSAGE, configuration_set="silent")
    caller.send("smtp", b"X-SES-CONFIGURATION-SET: silent\r\n" + MESSAGE)
    assert received(caller, url) == []
    other = ses.events.connect("example.com", "other", kinds=["send"])
    caller.send("v2", MESSAGE, configuration_set="sesmail-events")
    assert kinds(received(caller, url)) == ["Send", "Delivery"]
    caller.send("v2", MESSAGE)
    assert received(caller, url) == []
    assert kinds(received(caller, other)) == ["Send"]


def test_a_disabled_destination(ses: SesServer, caller: Caller, url: str) -> None:
    """It gets nothing."""
    [destination] = ses.state.configuration_sets.known["sesmail-events"].destinations.values()
    destination["Enabled"] = False
    caller.send("v2", MESSAGE)
    assert received(caller, url) == []


def test_a_topic_that_does_not_let_ses_in(ses: SesServer, caller: Caller, url: str) -> None:
    """Nothing arrives, and the stand-in remembers why."""
    arn = TOPIC.replace("events", "sesmail-events")
    caller.sns().set_topic_attributes(
        TopicArn=arn, AttributeName="Policy", AttributeValue=policy("s3", "SNS:Publish", arn)
    )
    caller.send("v2", MESSAGE)
    assert received(caller, url) == []
    assert "configuration-set/sesmail-events" in ses.state.topics.refused[0]


PARTS: dict[str, tuple[str, dict[str, Any]]] = {
    "send": ("Send", {}),
    "delivery": (
        "Delivery",
        {
            "recipients": ["bob@example.net"],
            "smtpResponse": "250 2.6.0 Message received",
            "processingTimeMillis": 0,
            "reportingMTA": "a8-70.smtp-out.amazonses.com",
        },
    ),
    "bounce": (
        "Bounce",
        {
            "bounceType": "Permanent",
            "bounceSubType": "General",
            "bouncedRecipients": [
                {
                    "emailAddress": "bob@example.net",
                    "action": "failed",
                    "status": "5.1.1",
                    "diagnosticCode": "smtp; 550 5.1.1 user unknown",
                }
            ],
            "reportingMTA": "dns; mx.example.net",
        },
    ),
    "complaint": (
        "Complaint",
        {
            "complainedRecipients": [{"emailAddress": "bob@example.net"}],
            "complaintFeedbackType": "abuse",
            "complaintSubType": None,
            "userAgent": "Example/1.0",
        },
    ),
    "reject": ("Reject", {"reason": "Bad content"}),
    "deliverydelay": (
        "DeliveryDelay",
        {
            "delayType": "TransientCommunicationFailure",
            "delayedRecipients": [
                {
                    "emailAddress": "bob@example.net",
                    "status": "4.4.1",
                    "diagnosticCode": "smtp; 421 4.4.1 Unable to connect to remote host",
                }
            ],
        },
    ),
    "renderingfailure": (
        "Rendering Failure",
        {
            "errorMessage": "Attribute 'name' is not present in the rendering data.",
            "templateName": "Template",
        },
    ),
}


def test_every_kind_has_an_expectation() -> None:
    """The table above is whole."""
    assert set(PARTS) == set(KINDS)


@pytest.mark.parametrize("kind", PARTS)
def test_published_by_a_test(ses: SesServer, caller: Caller, url: str, kind: str) -> None:
    """Each kind as the developer guide has it, when the test says so and not before."""
    now = 1_764_000_000.25
    ses.events.automatic = False
    caller.send("v2", MESSAGE)
    [accepted] = ses.state.messages
    assert received(caller, url) == []
    ses.events.publish(kind, accepted, at=now)
    [record] = received(caller, url)
    event, members = PARTS[kind]
    assert record["eventType"] == event
    told = record[KINDS[kind].part]
    if kind not in ("send", "reject", "renderingfailure"):
        assert told.pop("timestamp") == "2025-11-24T16:00:00.250Z"
    for own in ("feedbackId", "arrivalDate", "expirationTime"):
        told.pop(own, None)
    if kind == "delivery":
        told["processingTimeMillis"] = 0
    assert told == members
    assert ses.events.published == [(kind, accepted.message_id, ("bob@example.net",))]


def test_details(ses: SesServer, caller: Caller, url: str) -> None:
    """A test may change members of the part and of its recipients, and take them away."""
    ses.events.automatic = False
    caller.send("v2", MESSAGE)
    [accepted] = ses.state.messages
    ses.events.publish(
        "bounce",
        accepted,
        "bob@example.net",
        bounceType="Transient",
        bounceSubType="MailboxFull",
        status="4.2.2",
        diagnosticCode=None,
    )
    [record] = received(caller, url)
    assert record["bounce"]["bounceType"] == "Transient"
    assert record["bounce"]["bouncedRecipients"] == [
        {"emailAddress": "bob@example.net", "action": "failed", "status": "4.2.2"}
    ]


def test_a_message_of_another_host(ses: SesServer, caller: Caller, url: str) -> None:
    """Events of a message that nobody here sent."""
    foreign = ses.events.foreign("eve@example.net")
    ses.events.publish("delivery", foreign)
    [record] = received(caller, url)
    assert record["mail"]["messageId"] == foreign.message_id
    assert record["delivery"]["recipients"] == ["eve@example.net"]
    assert ses.state.messages == []


def test_notifications_of_an_identity(ses: SesServer, caller: Caller, url: str) -> None:
    """`notificationType`, and neither tags nor headers."""
    ses.events.plain = True
    caller.send("v2", MESSAGE)
    record = received(caller, url)[-1]
    assert record["notificationType"] == "Delivery"
    assert "eventType" not in record
    assert set(record["mail"]) == {
        "timestamp",
        "source",
        "sourceArn",
        "sendingAccountId",
        "messageId",
        "destination",
    }


def test_in_the_envelope_of_sns(ses: SesServer, caller: Caller) -> None:
    """A subscription without raw delivery: the record is text inside a document."""
    url = ses.events.connect("example.com", raw=False, kinds=["send"])
    caller.send("v2", MESSAGE)
    [envelope] = received(caller, url)
    assert envelope["Subject"] == "Amazon SES Email Event Notification"
    assert json.loads(envelope["Message"])["eventType"] == "Send"


def test_delayed_events(ses: SesServer, caller: Caller, url: str) -> None:
    """What is on its way for a minute is there after a minute."""
    ses.events.delays["delivery"] = 60.0
    caller.send("v2", MESSAGE)
    assert kinds(received(caller, url)) == ["Send"]
    ses.state.queues.advance(60)
    assert kinds(received(caller, url)) == ["Delivery"]


def test_twice_and_in_the_wrong_order(ses: SesServer, caller: Caller, url: str) -> None:
    """The queue's habits are those of the events."""
    ses.state.queues.habits.duplicate = 2
    ses.state.queues.habits.shuffle = 20
    for _ in range(5):
        caller.send("v2", MESSAGE)
    found = kinds(received(caller, url))
    assert sorted(found) == ["Delivery"] * 10 + ["Send"] * 5
    assert found != ["Send", "Delivery", "Delivery"] * 5


def test_text_of_a_record(ses: SesServer, url: str) -> None:
    """A test may put records into a queue itself, as many as it likes."""
    accepted: Accepted = ses.events.foreign("eve@example.net")
    queue = ses.state.queues.find(url)
    assert queue is not None
    queue.send(ses.events.text("bounce", accepted, status="5.7.1"))
    [record] = [json.loads(body) for body in queue.bodies()]
    assert record["bounce"]["bouncedRecipients"][0]["status"] == "5.7.1"
    assert record["mail"]["tags"]["ses:configuration-set"] == ["sesmail-events"]
