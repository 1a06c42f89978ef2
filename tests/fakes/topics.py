"""SNS topics: who is subscribed, and how a message gets from a topic into the queues.

A queue gets it only where its policy lets the topic in; SNS says nothing of those that do not.  The
requests are in `sns`.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from dataclasses import dataclass, field

from . import policies
from .queues import Queues

SERVICE = "sns.amazonaws.com"


@dataclass(slots=True)
class Subscription:
    """One subscription: endpoint is the ARN of a queue where the protocol is `sqs`."""

    arn: str
    protocol: str
    endpoint: str
    attributes: dict[str, str] = field(default_factory=dict)

    @property
    def is_raw(self) -> bool:
        """Does it get the message as it is, without SNS's envelope?"""
        return self.attributes.get("RawMessageDelivery", "false").lower() == "true"


@dataclass(slots=True)
class Topic:
    """One topic; attributes has `Policy`, its JSON."""

    arn: str
    attributes: dict[str, str]
    subscriptions: dict[str, Subscription] = field(default_factory=dict)

    def allows(self, service: str, context: dict[str, str]) -> bool:
        """May the service publish to it?"""
        policy = self.attributes.get("Policy", "")
        return policies.allows(policy, service, "sns:Publish", self.arn, context)


class Topics:
    """The topics by ARN.  refused has a line for each message that a policy kept out."""

    def __init__(self) -> None:
        self.refused: list[str] = []
        self._lock = threading.Lock()
        self._by_arn: dict[str, Topic] = {}

    def create(self, arn: str, attributes: dict[str, str]) -> Topic:
        """The topic, new or not."""
        policy = {"Policy": default_policy(arn)}
        with self._lock:
            return self._by_arn.setdefault(arn, Topic(arn, {**policy, **attributes}))

    def find(self, arn: str) -> Topic | None:
        """The topic of this ARN."""
        with self._lock:
            return self._by_arn.get(arn)

    def arns(self) -> list[str]:
        """All ARNs, sorted."""
        with self._lock:
            return sorted(self._by_arn)

    def delete(self, arn: str) -> None:
        """Delete it with its subscriptions; nothing if there is none."""
        with self._lock:
            self._by_arn.pop(arn, None)

    def subscribe(
        self, topic: Topic, protocol: str, endpoint: str, attributes: dict[str, str]
    ) -> Subscription:
        """The subscription of the endpoint, new or not."""
        with self._lock:
            for one in topic.subscriptions.values():
                if (one.protocol, one.endpoint) == (protocol, endpoint):
                    return one
            arn = f"{topic.arn}:{uuid.uuid4()}"
            made = topic.subscriptions[arn] = Subscription(arn, protocol, endpoint, attributes)
            return made

    def subscription(self, arn: str) -> tuple[Topic, Subscription] | None:
        """The subscription of this ARN and its topic."""
        topic = self.find(arn.rpartition(":")[0])
        found = topic.subscriptions.get(arn) if topic else None
        return (topic, found) if topic and found else None

    def publish(
        self, queues: Queues, topic: Topic, message: str, subject: str = "", delay: float = 0.0
    ) -> str:
        """Put the message into the queues that are subscribed; its id.

        delay is how many seconds it is on its way.
        """
        identifier = str(uuid.uuid4())
        for one in list(topic.subscriptions.values()):
            queue = queues.find(one.endpoint)
            if queue is None:
                self.refused.append(f"{one.endpoint} is no queue")
            elif not policies.allows(
                queue.attributes.get("Policy", ""),
                SERVICE,
                "sqs:SendMessage",
                queue.arn,
                {"aws:SourceArn": topic.arn, "aws:SourceAccount": topic.arn.split(":")[4]},
            ):
                self.refused.append(f"the policy of {queue.arn} does not let {topic.arn} in")
            else:
                body = message if one.is_raw else _envelope(topic, identifier, message, subject)
                queue.send(body, delay)
        return identifier


def default_policy(arn: str) -> str:
    """The policy of a topic that was given none: it lets its owner publish, and no service."""
    return json.dumps(
        {
            "Version": "2008-10-17",
            "Id": "__default_policy_ID",
            "Statement": [
                {
                    "Sid": "__default_statement_ID",
                    "Effect": "Allow",
                    "Principal": {"AWS": "*"},
                    "Action": ["SNS:Publish", "SNS:Subscribe", "SNS:GetTopicAttributes"],
                    "Resource": arn,
                    "Condition": {"StringEquals": {"AWS:SourceOwner": arn.split(":")[4]}},
                }
            ],
        }
    )


def stamp(seconds: float) -> str:
    """A time as SNS and SES write it: 2026-11-24T08:00:00.123Z."""
    thousandths = int(seconds * 1000)
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(thousandths // 1000))
    return f"{whole}.{thousandths % 1000:03d}Z"


def _envelope(topic: Topic, identifier: str, message: str, subject: str) -> str:
    host = f"https://sns.{topic.arn.split(':')[3]}.amazonaws.com"
    return json.dumps(
        {
            "Type": "Notification",
            "MessageId": identifier,
            "TopicArn": topic.arn,
            **({"Subject": subject} if subject else {}),
            "Message": message,
            "Timestamp": stamp(time.time()),
            "SignatureVersion": "1",
            "Signature": "EXAMPLE",
            "SigningCertURL": f"{host}/SimpleNotificationService-0000.pem",
            "UnsubscribeURL": f"{host}/?Action=Unsubscribe&SubscriptionArn={topic.arn}:0",
        }
    )
