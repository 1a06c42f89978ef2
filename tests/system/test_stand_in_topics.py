"""The stand-in's SNS, asked by boto3: topics, subscriptions of queues, and the policies between."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.fakes import policies
from tests.fakes.client import Caller
from tests.fakes.queue import Queue
from tests.fakes.ses import KEY_ID, SesServer

ACCOUNT = "123456789012"
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:events"
QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:events"
RAW = {"RawMessageDelivery": "true"}


@pytest.fixture
def caller(ses: SesServer) -> Iterator[Caller]:
    """boto3's clients."""
    with Caller(ses) as one:
        yield one


@pytest.fixture
def sns(caller: Caller) -> Any:
    """boto3's client, with a topic."""
    client = caller.sns()
    assert client.create_topic(Name="events")["TopicArn"] == TOPIC
    return client


@pytest.fixture
def queue(ses: SesServer, caller: Caller) -> Queue:
    """A queue that lets the topic in."""
    policy = statement("sns.amazonaws.com", "SQS:SendMessage", QUEUE, TOPIC)
    caller.sqs().create_queue(QueueName="events", Attributes={"Policy": policy})
    found = ses.state.queues.find("events")
    assert found is not None
    return found


def statement(service: str, action: str, resource: str, source: str) -> str:
    """A policy that lets the service act for one source."""
    return json.dumps(
        {
            "Statement": {
                "Effect": "Allow",
                "Principal": {"Service": service},
                "Action": action,
                "Resource": resource,
                "Condition": {"ArnEquals": {"aws:SourceArn": source}},
            }
        }
    )


def subscribe(sns: Any, **attributes: str) -> str:
    """Subscribe the queue; the ARN of the subscription."""
    answer = sns.subscribe(
        TopicArn=TOPIC,
        Protocol="sqs",
        Endpoint=QUEUE,
        Attributes=attributes,
        ReturnSubscriptionArn=True,
    )
    return str(answer["SubscriptionArn"])


def code(caught: pytest.ExceptionInfo[ClientError]) -> str:
    """The code of the error."""
    return str(caught.value.response["Error"]["Code"])


def test_raw_delivery(sns: Any, queue: Queue) -> None:
    """The queue gets the message itself."""
    subscribe(sns, **RAW)
    assert sns.publish(TopicArn=TOPIC, Message="<häuser & co>")["MessageId"]
    assert queue.bodies() == ["<häuser & co>"]


def test_delivery_in_an_envelope(sns: Any, queue: Queue) -> None:
    """Without RawMessageDelivery it is inside a document of SNS."""
    subscribe(sns)
    identifier = sns.publish(TopicArn=TOPIC, Message="text", Subject="what")["MessageId"]
    [body] = queue.bodies()
    envelope = json.loads(body)
    assert (envelope["Type"], envelope["MessageId"]) == ("Notification", identifier)
    assert (envelope["TopicArn"], envelope["Message"]) == (TOPIC, "text")
    assert envelope["Subject"] == "what"
    assert envelope["Timestamp"].endswith("Z")


def test_a_queue_that_does_not_let_the_topic_in(
    ses: SesServer, caller: Caller, sns: Any, queue: Queue
) -> None:
    """Nothing arrives and nobody is told, as with SNS; the stand-in remembers why."""
    subscribe(sns, **RAW)
    url = caller.sqs().get_queue_url(QueueName="events")["QueueUrl"]
    other = statement("sns.amazonaws.com", "SQS:SendMessage", QUEUE, TOPIC + "-other")
    for policy in ("", other):
        caller.sqs().set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        sns.publish(TopicArn=TOPIC, Message="text")
    assert queue.bodies() == []
    assert len(ses.state.topics.refused) == 2
    assert "does not let" in ses.state.topics.refused[0]


def test_topics(sns: Any) -> None:
    """Made once, with the policy that lets no service publish until one is set."""
    assert sns.create_topic(Name="events")["TopicArn"] == TOPIC
    assert sns.list_topics()["Topics"] == [{"TopicArn": TOPIC}]
    found = sns.get_topic_attributes(TopicArn=TOPIC)["Attributes"]
    assert (found["TopicArn"], found["Owner"]) == (TOPIC, ACCOUNT)
    source = f"arn:aws:ses:us-east-1:{ACCOUNT}:configuration-set/events"
    asked = "ses.amazonaws.com", "sns:Publish", TOPIC, {"aws:SourceArn": source}
    assert not policies.allows(found["Policy"], *asked)
    policy = statement("ses.amazonaws.com", "SNS:Publish", TOPIC, source)
    sns.set_topic_attributes(TopicArn=TOPIC, AttributeName="Policy", AttributeValue=policy)
    found = sns.get_topic_attributes(TopicArn=TOPIC)["Attributes"]
    assert found["Policy"] == policy
    assert policies.allows(found["Policy"], *asked)
    with pytest.raises(ClientError) as caught:
        sns.create_topic(Name="no good")
    assert code(caught) == "InvalidParameter"
    with pytest.raises(ClientError) as caught:
        sns.set_topic_attributes(TopicArn=TOPIC, AttributeName="Policy", AttributeValue="{")
    assert code(caught) == "InvalidParameter"


def test_subscriptions(sns: Any, queue: Queue) -> None:
    """Made once, listed, changed, ended."""
    arn = subscribe(sns)
    assert subscribe(sns) == arn
    with pytest.raises(ClientError) as caught:
        subscribe(sns, **RAW)
    assert "different attributes" in str(caught.value)
    [listed] = sns.list_subscriptions_by_topic(TopicArn=TOPIC)["Subscriptions"]
    assert listed == {
        "SubscriptionArn": arn,
        "TopicArn": TOPIC,
        "Owner": ACCOUNT,
        "Protocol": "sqs",
        "Endpoint": QUEUE,
    }
    sns.set_subscription_attributes(
        SubscriptionArn=arn, AttributeName="RawMessageDelivery", AttributeValue="true"
    )
    attributes = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    assert (attributes["RawMessageDelivery"], attributes["Endpoint"]) == ("true", QUEUE)
    sns.publish(TopicArn=TOPIC, Message="text")
    assert queue.bodies() == ["text"]
    sns.unsubscribe(SubscriptionArn=arn)
    sns.publish(TopicArn=TOPIC, Message="text")
    assert queue.bodies() == ["text"]
    with pytest.raises(ClientError) as caught:
        sns.get_subscription_attributes(SubscriptionArn=arn)
    assert code(caught) == "NotFound"


def test_a_deleted_topic(sns: Any, queue: Queue) -> None:
    """It is gone with its subscriptions; deleting it again is no error."""
    subscribe(sns)
    for _ in range(2):
        sns.delete_topic(TopicArn=TOPIC)
    for call in (sns.get_topic_attributes, sns.list_subscriptions_by_topic):
        with pytest.raises(ClientError) as caught:
            call(TopicArn=TOPIC)
        assert code(caught) == "NotFound"
    sns.create_topic(Name="events")
    assert sns.list_subscriptions_by_topic(TopicArn=TOPIC)["Subscriptions"] == []


def test_rights(ses: SesServer, sns: Any) -> None:
    """A key needs the right to each operation."""
    ses.state.denied[KEY_ID] = {"sns:Subscribe"}
    with pytest.raises(ClientError) as caught:
        subscribe(sns)
    assert "sns:Subscribe" in str(caught.value)


ALLOW = {"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*"}
DENY = {**ALLOW, "Effect": "Deny"}


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([], False),
        ([ALLOW], True),
        ([ALLOW, DENY], False),
        ([ALLOW, {**DENY, "Action": "sqs:DeleteMessage"}], True),
        ([{**ALLOW, "Principal": {"AWS": "arn:aws:iam::123456789012:root"}}], False),
        ([{**ALLOW, "Principal": {"Service": ["x", "sns.amazonaws.com"]}}], True),
        ([{**ALLOW, "Action": ["SQS:sendmessage"]}], True),
        ([{**ALLOW, "Resource": QUEUE + "-other"}], False),
        ([{**ALLOW, "Condition": {"StringEquals": {"AWS:SourceAccount": ACCOUNT}}}], True),
        ([{**ALLOW, "Condition": {"StringEquals": {"AWS:SourceAccount": "1"}}}], False),
        ([{**ALLOW, "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:*:ev*"}}}], True),
        ([{**ALLOW, "Condition": {"StringEquals": {"aws:Unheard": "1"}}}], False),
        ([ALLOW, {**DENY, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}], True),
    ],
)
def test_policies(statements: list[dict[str, Any]], expected: bool) -> None:
    """Allowed by one, denied by none; actions in any case, conditions all together."""
    context = {
        "aws:SourceArn": TOPIC,
        "aws:SourceAccount": ACCOUNT,
        "aws:SecureTransport": "true",
    }
    policy = json.dumps({"Statement": statements})
    asked = "sns.amazonaws.com", "sqs:SendMessage", QUEUE, context
    assert policies.allows(policy, *asked) is expected
