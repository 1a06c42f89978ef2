"""Our stand-in's SQS and SNS against ministack's: the same calls have answers of the same form."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.clients import stand_ins
from tests.fakes.client import Caller
from tests.fakes.ses import SesServer

NAME = "events"
Call = Callable[[Caller], Any]


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """ministack's clients."""
    with (
        stand_ins.running("ministack", tmp_path_factory.mktemp("ministack")) as url,
        Caller({"api_url": url}) as caller,
    ):
        yield caller


@pytest.fixture
def ours() -> Iterator[Caller]:
    """The clients of ours."""
    with SesServer() as server, Caller(server) as caller:
        yield caller


def queue(caller: Caller) -> str:
    """The URL of the queue, which is made if it is not there."""
    return str(caller.sqs().create_queue(QueueName=NAME)["QueueUrl"])


def topic(caller: Caller) -> str:
    """The ARN of the topic, which is made if it is not there."""
    return str(caller.sns().create_topic(Name=NAME)["TopicArn"])


def subscription(caller: Caller) -> str:
    """The ARN of the queue's subscription, which is made if it is not there."""
    answer = caller.sns().subscribe(
        TopicArn=topic(caller),
        Protocol="sqs",
        Endpoint=topic(caller).replace(":sns:", ":sqs:"),
        ReturnSubscriptionArn=True,
    )
    return str(answer["SubscriptionArn"])


def received(caller: Caller) -> Any:
    """Send a message and receive it with all that SQS knows of it; it is deleted."""
    sqs, url = caller.sqs(), queue(caller)
    sqs.send_message(QueueUrl=url, MessageBody="text")
    answer = sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
    )
    for message in answer["Messages"]:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return answer


def batches(caller: Caller) -> Any:
    """Send two, hide one again, delete both: the answers to the batches."""
    sqs, url = caller.sqs(), queue(caller)
    entries = [{"Id": str(n), "MessageBody": "text"} for n in range(2)]
    sent = sqs.send_message_batch(QueueUrl=url, Entries=entries)
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    handles = [
        {"Id": str(n), "ReceiptHandle": message["ReceiptHandle"]} for n, message in enumerate(found)
    ]
    hidden = sqs.change_message_visibility_batch(
        QueueUrl=url, Entries=[{**handles[0], "VisibilityTimeout": 60}]
    )
    deleted = sqs.delete_message_batch(QueueUrl=url, Entries=handles)
    return [sent, hidden, deleted]


CALLS: dict[str, Call] = {
    "CreateQueue": lambda one: one.sqs().create_queue(QueueName=NAME),
    "GetQueueUrl": lambda one: queue(one) and one.sqs().get_queue_url(QueueName=NAME),
    "ListQueues": lambda one: queue(one) and one.sqs().list_queues(QueueNamePrefix=NAME),
    "SendMessage": lambda one: one.sqs().send_message(
        QueueUrl=one.sqs().create_queue(QueueName="other")["QueueUrl"], MessageBody="text"
    ),
    "SetQueueAttributes": lambda one: one.sqs().set_queue_attributes(
        QueueUrl=queue(one), Attributes={"MessageRetentionPeriod": "1209600"}
    ),
    "ReceiveMessage": received,
    "ReceiveMessage, empty": lambda one: one.sqs().receive_message(QueueUrl=queue(one)),
    "batches": batches,
    "CreateTopic": lambda one: one.sns().create_topic(Name=NAME),
    "ListTopics": lambda one: topic(one) and one.sns().list_topics(),
    "SetTopicAttributes": lambda one: one.sns().set_topic_attributes(
        TopicArn=topic(one),
        AttributeName="Policy",
        AttributeValue=json.dumps({"Version": "2012-10-17", "Statement": []}),
    ),
    "Subscribe": lambda one: one.sns().subscribe(
        TopicArn=topic(one),
        Protocol="sqs",
        Endpoint=topic(one).replace(":sns:", ":sqs:"),
        Attributes={"RawMessageDelivery": "false"},
    ),
    "ListSubscriptionsByTopic": lambda one: (
        subscription(one) and one.sns().list_subscriptions_by_topic(TopicArn=topic(one))
    ),
    "SetSubscriptionAttributes": lambda one: one.sns().set_subscription_attributes(
        SubscriptionArn=subscription(one),
        AttributeName="RawMessageDelivery",
        AttributeValue="true",
    ),
    "Publish": lambda one: one.sns().publish(TopicArn=topic(one), Message="text"),
    "Unsubscribe": lambda one: one.sns().unsubscribe(SubscriptionArn=subscription(one)),
    "DeleteTopic": lambda one: one.sns().delete_topic(TopicArn=topic(one)),
    "DeleteQueue": lambda one: one.sqs().delete_queue(
        QueueUrl=one.sqs().create_queue(QueueName="third")["QueueUrl"]
    ),
}


def missing(caller: Caller) -> str:
    """The URL of a queue that is not there."""
    return queue(caller) + "-missing"


def entries(number: int) -> list[dict[str, str]]:
    """Entries of a batch."""
    return [{"Id": str(n), "MessageBody": "text"} for n in range(number)]


REFUSED: dict[str, Call] = {
    "no such queue": lambda one: one.sqs().receive_message(QueueUrl=missing(one)),
    "no such queue by name": lambda one: one.sqs().get_queue_url(QueueName="missing"),
    "a bad handle": lambda one: one.sqs().delete_message(QueueUrl=queue(one), ReceiptHandle="bad"),
    "11 entries": lambda one: one.sqs().send_message_batch(
        QueueUrl=queue(one), Entries=entries(11)
    ),
    "no entries": lambda one: one.sqs().send_message_batch(QueueUrl=queue(one), Entries=[]),
    "the same id twice": lambda one: one.sqs().send_message_batch(
        QueueUrl=queue(one), Entries=entries(1) * 2
    ),
    "11 messages": lambda one: one.sqs().receive_message(
        QueueUrl=queue(one), MaxNumberOfMessages=11
    ),
    "another queue of that name": lambda one: (
        queue(one) and one.sqs().create_queue(QueueName=NAME, Attributes={"VisibilityTimeout": "7"})
    ),
    "no such topic": lambda one: one.sns().publish(TopicArn=topic(one) + "-no", Message="text"),
    "no such subscription": lambda one: one.sns().get_subscription_attributes(
        SubscriptionArn=topic(one) + ":0"
    ),
}


def shape(value: Any) -> Any:
    """Names and types, all the way down; an empty list is as good as none."""
    if isinstance(value, dict):
        return {
            name: shape(one)
            for name, one in value.items()
            if name != "ResponseMetadata" and one != []
        }
    return [shape(one) for one in value] if isinstance(value, list) else type(value)


def refusal(call: Call, caller: Caller) -> tuple[int, str]:
    """Status and code of the error."""
    with pytest.raises(ClientError) as caught:
        call(caller)
    answer = caught.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]


@pytest.mark.parametrize("name", CALLS)
def test_answers(ours: Caller, other: Caller, name: str) -> None:
    """Member by member, whatever the values."""
    assert shape(CALLS[name](ours)) == shape(CALLS[name](other))


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(ours: Caller, other: Caller, name: str) -> None:
    """With the same status and code."""
    assert refusal(REFUSED[name], ours) == refusal(REFUSED[name], other)


def test_attributes(ours: Caller, other: Caller) -> None:
    """Whatever ministack tells of a queue, a topic and a subscription, ours tells too.

    But for how SNS tries again over HTTP, where there are no subscriptions here.
    """
    for attributes in (_of_queue, _of_topic, _of_subscription):
        unknown = set(attributes(other)) - set(attributes(ours))
        assert unknown <= {"EffectiveDeliveryPolicy"}


def _of_queue(caller: Caller) -> Any:
    answer = caller.sqs().get_queue_attributes(QueueUrl=queue(caller), AttributeNames=["All"])
    return answer["Attributes"]


def _of_topic(caller: Caller) -> Any:
    return caller.sns().get_topic_attributes(TopicArn=topic(caller))["Attributes"]


def _of_subscription(caller: Caller) -> Any:
    arn = subscription(caller)
    return caller.sns().get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
